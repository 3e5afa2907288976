"""RDE^O25 to the Task of a refill authorization, and RXG to the Task of a planned give.

HL7 v2.5.1 sections 4.13.6 (refill authorization request), 4.14.6 (RXG), table 0119; no official map exists, ours.
"""

from typing import Final

from hl7_bridge.er7 import Segment
from hl7_bridge.mapping.code_tables.tables import v2_system
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.prescriptions import Part, Prescription
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap
from hl7_bridge.mapping.segments.medication_request import pending
from hl7_bridge.mapping.segments.medication_timing import Times
from hl7_bridge.mapping.segments.pharmacy_order import Numbers, asked, said_at

REFILL: Final = "https://hearth.health/v2/refill-request"
_CODES: Final = "http://hl7.org/fhir/CodeSystem/task-code"

ORC: Final = SegmentMap(
    "ORC",
    "Task",
    (
        Row(1, "status", origin=OWN),
        Row(9, "authoredOn", origin=OWN),
        Row(12, "owner", origin=OWN),
    ),
)
RXE: Final = SegmentMap("RXE", "Task", (Row(16, "input", origin=OWN), Row(17, "input", origin=OWN)))
RXG: Final = SegmentMap("RXG", "Task", (Row(1, "identifier", origin=OWN), Row(3, "executionPeriod", origin=OWN)))

_STATUSES: Final = {
    "AF": "accepted",
    "DF": "rejected",
    "OF": "completed",
    "FU": "completed",
    "UF": "failed",
    "CA": "cancelled",
    "OC": "cancelled",
    "CR": "cancelled",
    "DC": "cancelled",
}
"""Order control codes of a refill; every other one asks for it."""
_ENDS: Final = frozenset({"accepted", "rejected", "completed", "failed", "cancelled"})


def refill(found: Prescription, part: Part, numbered: Numbers, focus: Entry, draft: Draft) -> Entry:
    """The request that somebody authorize another dispense of ``focus``."""
    orc, rxe = found.order.orc, part.segment
    if draft.trace is not None:
        for rows, segment in ((ORC, orc), (RXE, rxe)):
            if segment is not None:
                draft.trace.uses(rows, segment)
    own = Key(REFILL, "|".join((numbered.encoded.value, rxe.text(17).strip() or rxe.text(16).strip())))
    status = _STATUSES.get(orc.text(1), "requested") if orc is not None else "requested"
    resource: Resource = {
        "resourceType": "Task",
        "identifier": [{"system": own.system, "value": own.value}],
        "status": status,
        "intent": "order",
        "code": {"coding": [{"system": _CODES, "code": "approve"}], "text": "Refill authorization"},
        "focus": focus.reference,
        "for": draft.subject,
    }
    _about(orc, resource, draft)
    counts = [
        {"type": {"coding": [{"system": _FIELDS, "code": f"RXE-{n}"}], "text": text}, "valueString": rxe.text(n)}
        for n, text in ((16, "Refills remaining"), (17, "Refills dispensed"))
        if rxe.text(n).strip()
    ]
    if counts:
        resource["input"] = counts
    return _added(orc, [rxe], resource, own, draft)


_FIELDS: Final = "https://hearth.health/v2/field"


def give(found: Prescription, part: Part, own: Key, times: list[Times], focus: Resource | None, draft: Draft) -> Entry:
    """A planned give as a Task, for senders whose profile wants that."""
    orc, rxg = found.order.orc, part.segment
    if draft.trace is not None:
        for rows, segment in ((ORC, orc), (RXG, rxg)):
            if segment is not None:
                draft.trace.uses(rows, segment)
    status = _GIVES.get(orc.text(1), "requested") if orc is not None else "requested"
    resource: Resource = {
        "resourceType": "Task",
        "identifier": [{"system": own.system, "value": own.value}],
        "status": status,
        "intent": "instance-order",
        "code": {"coding": [{"system": _CODES, "code": "fulfill"}], "text": "Planned give"},
        "for": draft.subject,
    }
    if focus:
        resource["focus"] = focus
    bounds = next((each.timing for each in times if each.timing), {}).get("repeat", {}).get("boundsPeriod")
    if bounds:
        resource["executionPeriod"] = bounds
    _about(orc, resource, draft)
    words = rxg.text(4, 2) or rxg.text(4, 9) or rxg.text(4)
    if words.strip():
        resource["description"] = words.strip()
    return _added(orc, [rxg, *part.timings], resource, own, draft)


_GIVES: Final = {"CA": "cancelled", "OC": "cancelled", "DC": "cancelled", "CR": "cancelled", "HD": "on-hold"}


def _about(orc: Segment | None, resource: Resource, draft: Draft) -> None:
    if draft.encounter is not None:
        resource["encounter"] = draft.encounter.reference
    at = date_time(orc.first(9), draft) if orc is not None and orc.has(9) else None
    if at:
        resource["authoredOn"] = at
    who = asked(orc, draft)
    if who:
        resource["owner"] = who
    control = orc.text(1) if orc is not None else ""
    if control:
        resource["businessStatus"] = {"coding": [{"system": v2_system("0119"), "code": control}]}


def _added(orc: Segment | None, segments: list[Segment], resource: Resource, own: Key, draft: Draft) -> Entry:
    rank = 1 if resource["status"] in _ENDS else 0
    sources = [*([orc] if orc is not None else []), *segments]
    entry = draft.add(resource, Policy.ORDER, (own,), *sources, rank=rank, time=said_at(orc, draft))
    entry.pending = pending(resource)
    return entry
