"""Which message a change goes out as."""

from typing import Any

import pytest

from hl7_bridge.outbound.events import Outgoing, outgoing, said


def order(status: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "ServiceRequest", "id": "1", "intent": "order", "status": status, **more}


def controls(*stories: dict[str, Any]) -> list[str]:
    """ORC-1 of each change of one order, '' where nothing went out."""
    sent, found = None, []
    for version, resource in enumerate(stories, 1):
        message = outgoing(resource, version, "OML^O21", sent)
        found.append(message.control if message else "")
        sent = said(version, resource) if message else sent
    return found


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (("active", "revoked"), ["NW", "CA"]),
        (("draft", "active"), ["", "NW"]),
        (("revoked",), [""]),
        (("active", "on-hold", "active", "completed"), ["NW", "HD", "RL", ""]),
        (("active", "revoked", "entered-in-error"), ["NW", "CA", ""]),
    ],
)
def test_an_order_goes_out_by_its_status(statuses: tuple[str, ...], expected: list[str]) -> None:
    assert controls(*map(order, statuses)) == expected


def test_a_changed_order_is_an_exchange_and_an_unchanged_one_is_silent() -> None:
    same = order("active", meta={"versionId": "2"})
    assert controls(order("active"), same, order("active", priority="stat")) == ["NW", "", "XO"]


def test_a_plan_is_no_order() -> None:
    assert outgoing(order("active") | {"intent": "plan"}, 1, "OML^O21", None) is None


def visit(status: str, start: str = "2026-01-01T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Appointment", "id": "1", "status": status, "start": start, **more}


def test_an_appointment_tells_its_story() -> None:
    later = "2026-01-02T10:00:00Z"
    story = [
        visit("proposed"),
        visit("booked"),
        visit("booked", later),
        visit("booked", later, comment="Bring the letter."),
        visit("cancelled", later),
        visit("cancelled", later, comment="Too late."),
        visit("booked", later),
        visit("noshow", later),
    ]
    sent, events = None, []
    for version, resource in enumerate(story, 1):
        message = outgoing(resource, version, "SIU", sent)
        events.append(message.event if message else "")
        sent = said(version, resource) if message else sent
    assert events == ["", "S12", "S13", "S14", "S15", "", "S12", "S26"]


def test_a_document_goes_out_when_final() -> None:
    note = {"resourceType": "DocumentReference", "id": "1", "status": "current"}
    assert outgoing(note | {"docStatus": "preliminary"}, 1, "MDM^T02", None) is None
    assert outgoing(note, 1, "MDM^T02", None) == Outgoing("MDM", "T02", "MDM_T02")
    first = said(1, note)
    assert outgoing(note | {"description": "x"}, 2, "MDM^T02", first) == Outgoing("MDM", "T08", "MDM_T02")
    assert outgoing(note | {"status": "entered-in-error"}, 2, "MDM^T02", first) == Outgoing("MDM", "T11", "MDM_T01")


def test_an_older_version_says_nothing_new() -> None:
    assert outgoing(order("active"), 3, "OML^O21", said(3, order("on-hold"))) is None


@pytest.mark.parametrize(("status", "control"), [("revoked", "OC"), ("on-hold", "OH"), ("active", "XX")])
def test_of_their_own_order_we_are_the_filler(status: str, control: str) -> None:
    theirs = said(1, order("active"))._replace(theirs=True)
    found = outgoing(order(status, note=[{"text": "x"}]), 2, "OML^O21", theirs)
    assert found and found.control == control
