"""Clearances: each change is told, what is given only once it is told, and what is taken away ends tokens."""

import pytest

from smart_auth.errors import LoginRefused
from smart_auth.model import Approval, Clearance, Client, Event, Person, Told
from smart_auth.people.clearances import Clearances
from smart_auth.people.tests.conftest import Clock
from smart_auth.records import SqlRecords

N, R, V = Clearance
GRACE = Person(id="g", login="grace", name="Grace", fhir_user="Practitioner/1")
APP = Client(id="app", name="App")


@pytest.fixture
def told() -> list[Told]:
    return []


@pytest.fixture
def clearances(records: SqlRecords, clock: Clock, told: list[Told]) -> Clearances:
    records.put_person(GRACE)
    records.put_client(APP)
    return Clearances(records, told.append, clock, lambda: clock() + 3600)


def grace(records: SqlRecords) -> Person:
    found = records.person(GRACE.id)
    assert found
    return found


def test_given_and_taken(clearances: Clearances, records: SqlRecords, told: list[Told]) -> None:
    records.put_approval(Approval(id="family", client="app", scopes="user/*.rs", person="g"))
    clearances.change(grace(records), V, "root")
    assert grace(records).clearance is V and not records.revocations(0)
    clearances.change(grace(records), V, "root")
    clearances.change(grace(records), R, "root")
    assert grace(records).clearance is R
    assert [row.subject for row in records.revocations(0)] == ["family:family"]
    assert [(one.event, one.who, one.detail) for one in told] == [
        (Event.PERSON_CHANGED, "root", "clearance of grace from normal to very-restricted"),
        (Event.PERSON_CHANGED, "root", "clearance of grace from very-restricted to restricted"),
    ]


def test_of_an_app(clearances: Clearances, records: SqlRecords, told: list[Told]) -> None:
    records.put_approval(Approval(id="family", client="app", scopes="system/*.rs"))
    clearances.change(APP, R, "cli")
    found = records.client("app")
    assert found and found.clearance is R
    clearances.change(found, N, "cli")
    assert [row.subject for row in records.revocations(0)] == ["family:family"]
    assert [(one.event, one.client, one.detail) for one in told] == [
        (Event.CLIENT_CHANGED, "app", "clearance from normal to restricted"),
        (Event.CLIENT_CHANGED, "app", "clearance from restricted to normal"),
    ]


@pytest.mark.parametrize("by", ["grace", "Practitioner/1"])
def test_to_themselves_is_told_as_such(clearances: Clearances, told: list[Told], by: str) -> None:
    clearances.change(GRACE, V, by)
    assert (told[0].who, told[0].detail) == (by, "clearance of grace from normal to very-restricted, by themselves")


def test_without_a_row_nothing_is_given(records: SqlRecords, clock: Clock) -> None:
    def full(told: Told) -> None:
        raise OSError("no space")

    records.put_person(GRACE)
    clearances = Clearances(records, full, clock, lambda: clock() + 3600)
    with pytest.raises(OSError, match="no space"):
        clearances.change(GRACE, V, "root")
    assert grace(records).clearance is N
    records.change_clearance(GRACE, V, clock(), clock())
    with pytest.raises(OSError, match="no space"):
        clearances.change(grace(records), N, "root")
    assert grace(records).clearance is N, "taken away all the same"


def test_of_two_at_a_time_the_second_looks_again(clearances: Clearances, records: SqlRecords) -> None:
    clearances.change(GRACE, V, "root")
    with pytest.raises(LoginRefused, match="just now"):
        clearances.change(GRACE, R, "other")
    assert grace(records).clearance is V


def test_the_least() -> None:
    assert [Clearance.least(*given) for given in ((V,), (V, R), (R, N), (N, V), (V, V))] == [V, R, N, N, V]
    assert [Clearance.named(one.words) for one in Clearance] == [N, R, V]
