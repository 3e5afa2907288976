"""Refusals of strangers: a row each up to a number, a count for the rest; nothing is left out, nothing has no bound."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from fhir_server.audit import refusals
from fhir_server.audit.record import AuditRecord, Interaction, Outcome, event
from fhir_server.audit.refusals import Refusals, network
from resources.errors import Unavailable
from resources.repository import Caller


class Trail:
    """Takes rows, unless it is full, and has a clock."""

    def __init__(self) -> None:
        self.rows: list[AuditRecord] = []
        self.at, self.full = 0.0, False

    def append(self, records: Sequence[AuditRecord]) -> None:
        if self.full:
            raise Unavailable("full")
        self.rows += records


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
def told(trail: Trail) -> Refusals:
    return Refusals(trail.append, lambda: trail.at)


def refused(address: str = "192.0.2.1", detail: str = "login", who: str = "") -> AuditRecord:
    caller = Caller(who, address=address, request_id="r1")
    return event(caller, Interaction.REFUSED, entity="Patient", detail=detail, outcome=Outcome.MINOR)


def total(rows: Sequence[AuditRecord]) -> int:
    """Of how many refusals ``rows`` tell."""
    return sum(int(row.detail.split(" more")[0]) if " more within " in row.detail else 1 for row in rows)


def test_the_first_is_told_at_once_and_the_rest_are_counted(trail: Trail, told: Refusals) -> None:
    first = refused()
    told(first, 1)
    for _ in range(900):
        told(refused(), 1)
    for _ in range(3):
        told(refused(detail="not-found"), 1)
    assert trail.rows == [first]
    trail.at = 61.0
    told.settle()
    [_, row] = trail.rows
    assert row.detail == "903 more within 61 s: login 900, not-found 3"
    assert (row.interaction, row.outcome, row.address, row.who) == (Interaction.REFUSED, Outcome.MINOR, "192.0.2.1", "")
    assert (row.request, row.entity) == ("", "")
    told(refused(), 1)
    assert len(trail.rows) == 3, "a new minute begins with a row again"


def test_what_is_shown_has_rows_of_its_own_for_longer(trail: Trail, told: Refusals) -> None:
    for _ in range(25):
        told(refused(), 20)
    told(refused(), 1)
    assert len(trail.rows) == 21
    told.settle(last=True)
    assert total(trail.rows) == 26


def test_sources_people_and_kinds_are_told_apart(trail: Trail, told: Refusals) -> None:
    for one in (refused(), refused("192.0.2.2"), refused(who="ada"), refused("2001:db8:1:2::1")):
        told(one, 1)
        told(one, 1)
    told(refused("2001:db8:1:2:ffff::9"), 1)
    assert len(trail.rows) == 4
    told.settle(last=True)
    assert [(row.address, row.who, row.detail.split(" more")[0]) for row in trail.rows[4:]] == [
        ("192.0.2.1", "", "1"), ("192.0.2.2", "", "1"), ("192.0.2.1", "ada", "1"), ("2001:db8:1:2::/64", "", "2"),
    ]  # fmt: skip


def test_any_number_of_sources_makes_a_bounded_number_of_rows(trail: Trail, told: Refusals) -> None:
    for number in range(20_000):
        told(refused(f"10.0.{number % 10_000 // 250}.{number % 250}", detail=f"kind {number % 30}"), 1)
    told.settle(last=True)
    assert len(trail.rows) == 2 * (refusals.MOST + 1)
    assert total(trail.rows) == 20_000
    assert max(len(row.detail) for row in trail.rows) < 300


def test_when_the_trail_is_full_nothing_is_lost(trail: Trail, told: Refusals) -> None:
    told(refused(), 1)
    told(refused(), 1)
    trail.at, trail.full = 70.0, True
    told(refused(), 1)
    with pytest.raises(Unavailable):
        told(refused("192.0.2.9"), 1)
    trail.at, trail.full = 200.0, False
    told.settle()
    assert trail.rows[1].detail == "2 more within 200 s: login 2"


def test_of_any_number_of_threads_each_refusal_is_told_once(trail: Trail) -> None:
    told = Refusals(trail.append, lambda: len(trail.rows) * 10.0)  # minutes end in between
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: [told(refused(), 3) for _ in range(500)], range(8)))
    told.settle(last=True)
    assert total(trail.rows) == 4000


@pytest.mark.parametrize(
    ("address", "found"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1%eth0", "2001:db8::/64"), ("unix:/x", ""), ("", "")],
)
def test_whose_address_it_is(address: str, found: str) -> None:
    assert network(address) == found
