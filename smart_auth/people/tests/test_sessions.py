"""Sessions: only a hash is kept, they end idle, old, by hand and with the account."""

import msgspec
import pytest

from smart_auth.model import Person
from smart_auth.people.secret import digest
from smart_auth.people.sessions import ABSOLUTE, IDLE, Sessions
from smart_auth.people.tests.conftest import Clock
from smart_auth.records import SqlRecords

ADA = Person(id="a", login="ada", name="Ada")


@pytest.fixture
def sessions(records: SqlRecords, clock: Clock) -> Sessions:
    records.put_person(ADA)
    return Sessions(records, clock)


def test_the_cookie_is_not_what_is_kept(sessions: Sessions, records: SqlRecords) -> None:
    secret, session = sessions.start("a", ("pwd",))
    assert session.session_hash == digest(secret) != secret
    found = sessions.find(secret)
    assert found is not None and found.person == ADA and found.session.amr == ("pwd",)
    assert sessions.find(session.session_hash) is None and sessions.find("") is None


def test_every_session_has_another_cookie_and_form_token(sessions: Sessions) -> None:
    one, other = sessions.start("a", ("pwd",)), sessions.start("a", ("pwd",))
    assert one[0] != other[0] and one[1].csrf != other[1].csrf


def test_idle(sessions: Sessions, clock: Clock) -> None:
    secret, _ = sessions.start("a", ("pwd",))
    for _ in range(3):
        clock.at += IDLE
        assert sessions.find(secret)  # activity starts the time anew
    clock.at += IDLE + 1
    assert sessions.find(secret) is None
    clock.at -= IDLE
    assert sessions.find(secret) is None  # it does not come back


def test_twelve_hours_at_most(sessions: Sessions, clock: Clock) -> None:
    secret, _ = sessions.start("a", ("pwd",))
    for _ in range(ABSOLUTE // 600):
        clock.at += 600
        assert sessions.find(secret)
    clock.at += 600
    assert sessions.find(secret) is None


def test_ended(sessions: Sessions) -> None:
    secret, session = sessions.start("a", ("pwd",))
    other, _ = sessions.start("a", ("pwd",))
    sessions.end(session)
    assert sessions.find(secret) is None and sessions.find(other)
    sessions.end_all("a")
    assert sessions.find(other) is None


def test_of_a_disabled_person(sessions: Sessions, records: SqlRecords) -> None:
    secret, _ = sessions.start("a", ("pwd",))
    records.put_person(msgspec.structs.replace(ADA, disabled=True))
    assert sessions.find(secret) is None


def test_the_live_ones_of_a_person(sessions: Sessions, clock: Clock) -> None:
    sessions.start("a", ("pwd",))
    clock.at += IDLE + 1
    _, session = sessions.start("a", ("hwk",))
    assert sessions.all("a") == [session] and sessions.all("b") == []


def test_what_asks_by_itself_is_no_activity(sessions: Sessions, clock: Clock) -> None:
    secret, _ = sessions.start("a", ("pwd",))
    clock.at += IDLE - 60
    assert sessions.find(secret, active=False)
    clock.at += 120
    assert sessions.find(secret, active=False) is None
