from datetime import UTC, date
from typing import Any

from fhir_server.pages.visits.rows import Shown, shown
from fhir_server.pages.visits.schedule import Visit
from fhir_server.visits.presence import Sitting
from video.ports import Role
from video.room.model import Standing

TODAY = date(2026, 11, 23)
PEOPLE: dict[str, Any] = {
    "Patient/1": {"name": [{"text": "Ada"}], "birthDate": "1980-02-28"},
    "Practitioner/1": {"name": [{"text": "Dr Wolf"}]},
}
BOTH = [{"actor": {"reference": who}} for who in PEOPLE]


def row(status: str, sitting: list[Sitting] | None = None, who: tuple[str, ...] = (), **encounter: Any) -> Shown:
    booked = {"resourceType": "Appointment", "id": "a", "status": "booked", "participant": BOTH}
    booked["start"], booked["end"] = "2026-11-23T10:00:00Z", "2026-11-23T10:20:00Z"
    visit = {
        "resourceType": "Encounter",
        "id": "e",
        "status": status,
        "subject": {"reference": "Patient/1"},
        **encounter,
    }
    [found] = shown([Visit(booked, visit if status else None, PEOPLE)], who, sitting, TODAY, UTC)
    return found


def sits(standing: Standing, role: Role = Role.PATIENT, since: int = 5, name: str = "Ada") -> Sitting:
    return Sitting("Encounter/e", role, name, "", standing, since, True)


def test_a_booked_one_is_started_and_a_begun_one_joined() -> None:
    booked, begun = row(""), row("planned")
    assert (booked.verb, booked.time, booked.until, booked.state) == ("Start", "10:00", "10:20", "Booked")
    assert (begun.verb, begun.chart, begun.joins) == (
        "Join",
        "/visits/chart/Encounter/e",
        [("Practitioner/1", "Dr Wolf")],
    )
    assert booked.chart == "/visits/chart/Patient/1" and row("finished").verb == ""
    assert row("planned", who=("Practitioner/2",)).why == "It does not name you."


def test_who_waits_is_told_longest_first_and_those_who_check_last() -> None:
    found = row(
        "arrived",
        [sits(Standing.CHECKING, since=1), sits(Standing.WAITING, Role.GUEST, 9, "Bo"), sits(Standing.WAITING)],
    )
    assert [(one.name, one.since, one.checking) for one in found.waiting] == [
        ("Ada", 5, False),
        ("Bo", 9, False),
        ("Ada", 1, True),
    ]
    assert found.state == "Waiting"


def test_the_state_is_that_of_now() -> None:
    doctor = sits(Standing.ADMITTED, Role.PRACTITIONER, name="Dr Wolf")
    both = row("arrived", [doctor, sits(Standing.ADMITTED)])
    assert (
        both.state == "In progress" and both.inside == ["Dr Wolf (practitioner)", "Ada (patient)"] and not both.waiting
    )
    assert (
        row("arrived", []).state == "Patient left again"
        and row("finished", [sits(Standing.WAITING)]).state == "Finished"
    )


def test_without_the_video_process_the_record_says_who_came() -> None:
    history = [{"status": "arrived", "period": {"start": "2026-11-23T09:58:00Z"}}]
    [one] = row("arrived", None, statusHistory=history).waiting
    assert (one.name, one.since) == ("Ada", 1_795_427_880_000)
    left = [{"url": "urn:x-hearth:visit-empty", "valueInstant": "2026-11-23T10:15:00Z"}]
    assert not row("arrived", None, statusHistory=history, extension=left).waiting
