"""A visit as facts, for the tests of what becomes of it."""

import random
from typing import Any

from video.ports import Fact, FactKind, Role
from video.visit.states import changed

Json = dict[str, Any]
START = 1_766_000_000_000
ADA, DOC = "Patient/1", "Practitioner/2"
ACTORS = {Role.PATIENT: ADA, Role.PRACTITIONER: DOC, Role.RELATED: "RelatedPerson/3"}


def fact(kind: FactKind, number: int, at: float, role: Role | None = None, **detail: Any) -> Fact:
    """``at`` in minutes since the start."""
    word = role.value if role else ""
    return Fact(
        kind, "room", number, START + round(at * 60_000), "Encounter/9", "Appointment/8", ADA,
        f"m-{word}" if word else "", word, ACTORS.get(role, "") if role else "", detail,
    )  # fmt: skip


def visit() -> list[Fact]:
    """The patient waits, is admitted, talks, is away for a while; an interpreter comes and goes; the doctor ends it."""
    patient, doctor, interpreter = Role.PATIENT, Role.PRACTITIONER, Role.INTERPRETER
    rows: list[tuple[FactKind, float, Role | None, Json]] = [
        (FactKind.JOINED, 0, patient, {"standing": "checking"}),
        (FactKind.WAITING, 1, patient, {}),
        (FactKind.JOINED, 2, doctor, {"standing": "admitted"}),
        (FactKind.ADMITTED, 3, patient, {"by": "m-practitioner"}),
        (FactKind.STARTED, 4, None, {}),
        (FactKind.JOINED, 5, interpreter, {"standing": "checking"}),
        (FactKind.ADMITTED, 6, interpreter, {"by": "m-practitioner"}),
        (FactKind.CHAT, 6.5, doctor, {"text": "Can you hear me?"}),
        (FactKind.AWAY, 7, None, {"missing": "patient"}),
        (FactKind.LEFT, 7, patient, {"reason": "lost", "standing": "admitted"}),
        (FactKind.JOINED, 8, patient, {"standing": "admitted", "again": True}),
        (FactKind.BACK, 9, None, {}),
        (FactKind.LEFT, 10, interpreter, {"reason": "left", "standing": "admitted"}),
        (FactKind.JOINED, 11, interpreter, {"standing": "admitted", "again": True}),
        (FactKind.SHARE_STARTED, 12, doctor, {}),
        (FactKind.SHARE_ENDED, 13, doctor, {}),
        (FactKind.QUALITY, 14, patient, {"seconds": 300, "lost": 0.125, "jitter": 4.5, "received": 7}),
        (FactKind.ENDED, 14, None, {"reason": "ended", "by": "m-practitioner"}),
    ]
    return [fact(kind, n, at, role, **detail) for n, (kind, at, role, detail) in enumerate(rows, 1)]


def encounter(status: str = "planned", **more: Any) -> Json:
    made: Json = {"resourceType": "Encounter", "id": "9", "status": status}
    made["class"] = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}
    made["subject"] = {"reference": ADA}
    made["participant"] = [{"individual": {"reference": DOC}}]
    return made | more


def appointment(status: str = "booked") -> Json:
    people = [{"actor": {"reference": who}, "status": "accepted"} for who in (ADA, DOC)]
    made: Json = {"resourceType": "Appointment", "id": "8", "status": status, "participant": people}
    return made | {"start": "2025-12-17T19:30:00Z", "end": "2025-12-17T20:00:00Z"}


def play(facts: list[Fact], visit: Json | None = None, booked: Json | None = None) -> tuple[Json, Json, list[Json]]:
    """The Encounter and the Appointment after ``facts``, and what they made."""
    made, held, new = visit or encounter(), booked or appointment(), []
    for one in facts:
        after = changed(one, made, held)
        made, held = after.encounter or {}, after.appointment or {}
        new += after.new
    return made, held, new


def shuffled(facts: list[Fact], seed: int) -> list[Fact]:
    mixed = list(facts)
    random.Random(seed).shuffle(mixed)
    return mixed
