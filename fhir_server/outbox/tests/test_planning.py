"""Planning: which letters an Appointment asks for, whatever happens to it and in whichever order."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.outbox.planning import Plan, Planned, Rules, Template, Wanted, plan, reminders

MINUTE, HOUR = 60_000, 3_600_000
BERLIN = ZoneInfo("Europe/Berlin")
ALWAYS = Rules((1440, 60), None, UTC)
NOW = round(datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp() * 1000)
B, M, R, C, K = Template.BOOKED, Template.MOVED, Template.REMINDER, Template.CANCELLED, Template.KNOWN


def booked(start: int, status: str = "booked") -> dict[str, Any]:
    return {"status": status, "start": datetime.fromtimestamp(start / 1000, UTC).isoformat()}


def was(template: Template, start: int, since: int = 1, open: bool = True, reached: bool = False) -> Planned:
    return Planned(template, start, since, open, reached)


def test_who_books_is_told_and_reminded():
    start = NOW + 48 * HOUR
    assert plan(booked(start), [], NOW, ALWAYS) == Plan(
        (Wanted(B, NOW, start), Wanted(R, start - 24 * HOUR, start, 1440), Wanted(R, start - HOUR, start, 60))
    )


def test_what_is_near_is_not_reminded_of_at_once():
    start = NOW + 30 * MINUTE
    assert plan(booked(start), [], NOW, ALWAYS).letters == (Wanted(B, NOW, start),)


def test_what_was_there_before_is_only_reminded_of():
    start = NOW + 2 * HOUR
    assert [one.template for one in plan(booked(start), [], NOW, ALWAYS, known=True).letters] == [K, R]


@pytest.mark.parametrize("status", ["proposed", "pending", "waitlist", "arrived", "fulfilled", "checked-in"])
def test_what_is_not_booked_asks_for_nothing(status):
    assert plan(booked(NOW + HOUR, status), [], NOW, ALWAYS) == Plan()


@pytest.mark.parametrize("zone", [UTC, BERLIN, ZoneInfo("America/New_York")])
@pytest.mark.parametrize("start", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_visit_at_the_end_of_time_stops_nobodys_letters(start, zone):
    rules = Rules((1440, 60), (21 * 60, 8 * 60), zone)
    assert plan({"status": "booked", "start": start}, [], NOW, rules) == Plan()


def test_what_is_over_asks_for_nothing():
    assert plan(booked(NOW - 1), [], NOW, ALWAYS) == Plan()
    sent = [was(B, NOW - 1, open=False, reached=True)]
    assert plan(booked(NOW - 1, "cancelled"), sent, NOW, ALWAYS) == Plan()


def test_a_change_of_something_else_asks_for_nothing():
    start = NOW + 48 * HOUR
    assert plan(booked(start), [was(B, start), was(R, start)], NOW, ALWAYS) == Plan()


def test_moved_calls_back_what_waits():
    start, then = NOW + 48 * HOUR, NOW + 72 * HOUR
    made = plan(booked(then), [was(B, start, open=False, reached=True), was(R, start)], NOW, ALWAYS)
    assert made.call_back and [one.template for one in made.letters] == [M, R, R]
    assert {one.start for one in made.letters} == {then}


def test_moved_before_anything_left_is_told_once():
    start, then = NOW + 48 * HOUR, NOW + 72 * HOUR
    made = plan(booked(then), [was(B, start), was(R, start)], NOW, ALWAYS)
    assert made.call_back and [one.template for one in made.letters] == [B, R, R]


@pytest.mark.parametrize("gone", [None, booked(NOW + 48 * HOUR, "cancelled"), booked(0, "entered-in-error")])
def test_cancelled_is_told_to_whom_something_was_told(gone):
    start = NOW + 48 * HOUR
    told = [was(B, start, open=False, reached=True), was(R, start)]
    assert plan(gone, told, NOW, ALWAYS) == Plan((Wanted(C, NOW, start),), call_back=True)
    assert plan(gone, [was(B, start), was(R, start)], NOW, ALWAYS) == Plan((), call_back=True)
    assert plan(gone, [], NOW, ALWAYS) == Plan()
    assert plan(gone, [*told, was(C, start, since=2)], NOW, ALWAYS) == Plan()


def test_booked_again_is_told_again():
    start = NOW + 48 * HOUR
    told = [was(B, start, 1, open=False, reached=True), was(C, start, 2, open=False, reached=True)]
    assert [one.template for one in plan(booked(start), told, NOW, ALWAYS).letters] == [B, R, R]


@pytest.mark.parametrize(
    ("visit", "lead", "sent"),
    [
        ((24, 15, 0), 60, (24, 14, 0)),  # by day
        ((24, 8, 30), 60, (24, 8, 0)),  # put off to the morning
        ((24, 8, 5), 60, (23, 21, 0)),  # too near then: the evening before
        ((25, 22, 30), 60, (25, 21, 0)),
        ((26, 0, 30), 60, (25, 21, 0)),
        ((25, 3, 0), 1440, (24, 8, 0)),
    ],
)
def test_quiet_hours_are_kept(visit, lead, sent):
    start, due = (datetime(2026, 11, *at, tzinfo=BERLIN).timestamp() * 1000 for at in (visit, sent))
    [one] = reminders(round(start), NOW - 24 * HOUR, Rules((lead,), (21 * 60, 8 * 60), BERLIN))
    assert one.due == due


@given(
    st.integers(NOW, NOW + 40 * 24 * HOUR),
    st.lists(st.integers(1, 20_160), max_size=4),
    st.tuples(st.integers(0, 1439), st.integers(0, 1439)),
    st.sampled_from(["Europe/Berlin", "UTC", "Pacific/Kiritimati", "America/New_York"]),
)
def test_no_reminder_is_in_quiet_hours_or_after_the_visit(start, leads, quiet, zone):
    found = list(reminders(start, NOW, Rules(leads, quiet, ZoneInfo(zone))))
    assert len({one.due for one in found}) == len(found) <= len(leads)
    begin, end = quiet
    for one in found:
        assert NOW < one.due < start
        at = datetime.fromtimestamp(one.due / 1000, ZoneInfo(zone))
        minute = at.hour * 60 + at.minute
        inside = begin < minute < end if begin < end else minute > begin or minute < end
        assert not inside or begin == end


STEPS = st.lists(st.sampled_from(["book A", "book B", "cancel", "delete", "send", "other"]), max_size=12)


@given(STEPS)
def test_whatever_happens_the_patient_last_heard_what_is_true(steps):
    """Once everything that is due was sent; and only what is true waits."""
    at = {"A": NOW + 48 * HOUR, "B": NOW + 72 * HOUR}
    rows: list[dict[str, Any]] = []
    appointment: dict[str, Any] | None = None
    for version, step in enumerate([*steps, "send"], 1):
        if step == "send":
            for row in rows:
                row["state"] = "sent" if row["state"] == "queued" and row["due"] <= NOW else row["state"]
            continue
        if step.startswith("book"):
            appointment = booked(at[step[-1]])
        elif step == "cancel" and appointment:
            appointment = appointment | {"status": "cancelled"}
        elif step == "delete":
            appointment = None
        before = [
            Planned(row["template"], row["start"], row["since"], row["state"] == "queued", row["state"] == "sent")
            for row in rows
        ]
        made = plan(appointment, before, NOW, ALWAYS)
        for row in rows:
            row["state"] = "back" if made.call_back and row["state"] == "queued" else row["state"]
        rows += [one._asdict() | {"since": version, "state": "queued"} for one in made.letters]
    sent = [row for row in rows if row["state"] == "sent"]
    waiting = {row["start"] for row in rows if row["state"] == "queued"}
    if appointment and appointment["status"] == "booked":
        start = datetime.fromisoformat(appointment["start"]).timestamp() * 1000
        assert sent[-1]["template"] in (B, M) and sent[-1]["start"] == start
        assert waiting == {start}
    else:
        assert not waiting and (not sent or sent[-1]["template"] is C)
