"""One-time links: for one person and purpose, once, and not for long."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from smart_auth.people.links import LIFETIMES, Invited, Links, Purpose
from smart_auth.people.tests.conftest import Clock
from smart_auth.records import SqlRecords


@pytest.mark.parametrize("purpose", list(Purpose))
def test_looked_at_often_and_used_once(records: SqlRecords, clock: Clock, purpose: Purpose) -> None:
    links = Links(records, clock)
    secret = links.issue("a", purpose)
    assert links.look(secret) == links.look(secret) == Invited("a", purpose)
    assert links.use(secret) == Invited("a", purpose)
    assert links.use(secret) is None and links.look(secret) is None


def test_too_old(records: SqlRecords, clock: Clock) -> None:
    links = Links(records, clock)
    secret = links.issue("a", Purpose.RESET)
    clock.at += LIFETIMES[Purpose.RESET] + 1
    assert links.look(secret) is None and links.use(secret) is None


def test_of_many_who_use_it_at_once_one_does(records: SqlRecords, clock: Clock) -> None:
    links = Links(records, clock)
    secret = links.issue("a", Purpose.INVITATION)
    with ThreadPoolExecutor(8) as pool:
        used = list(pool.map(lambda _: links.use(secret), range(20)))
    assert len([one for one in used if one]) == 1


def test_an_unknown_one(records: SqlRecords, clock: Clock) -> None:
    assert Links(records, clock).look("nonsense") is None


def test_an_older_link_ends_with_a_newer_one(records: SqlRecords, clock: Clock) -> None:
    links = Links(records, clock)
    older, others = links.issue("a", Purpose.RESET), links.issue("b", Purpose.RESET)
    newer = links.issue("a", Purpose.INVITATION)
    assert links.look(older) is None and links.look(newer) and links.look(others)
    links.drop("a")
    assert links.look(newer) is None and links.look(others)
