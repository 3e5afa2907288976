"""Alternatives with chains and negated chains: the same is found whether their ends are named or their rows tested."""

import pytest

from fhir_server.search import chain
from fhir_server.search.tests.record import Record, two_charts
from fhir_server.store import Store
from resources.repository import Caller, Grant, Grants

SIX_A, SIX_B = "a0 a1 a2 a3 a4 a5", "b0 b1 b2 b3 b4 b5"
FOUND = [
    ("Observation?subject.identifier=urn:mrn|mrn-p1", f"{SIX_A} c0"),
    ("Observation?_filter=patient.name eq smith or value-quantity ge 5", f"{SIX_A} b5 c0"),
    ("Observation?_filter=patient.name eq smith or patient.gender eq male", f"{SIX_A} {SIX_B} c0"),
    ("Observation?_filter=not (patient.name eq smith)", SIX_B),
    ("Observation?_filter=not (patient.name eq smith or value-quantity ge 5)", "b0 b1 b2 b3 b4"),
    ("Observation?_filter=not (not (patient.name eq smith or value-quantity ge 5))&value-quantity=lt2", "a0 a1"),
    ("Patient?_filter=_has:Observation:patient:code eq 718-7 or gender eq male", "p1 p2"),
    ("Patient?_filter=not (_has:Observation:patient:encounter.status eq finished)", "p2"),
    ("Patient?_has:Observation:patient:subject.identifier=urn:mrn|mrn-p2", "p2"),
]


@pytest.fixture
def record(store: Store) -> Record:
    return two_charts(store)


@pytest.mark.parametrize("limits", [(), ("MANY_TARGETS",), ("FEW_SOURCES",), ("MANY_TARGETS", "FEW_SOURCES")])
def test_sets_and_tests_find_the_same(record: Record, limits: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in limits:
        monkeypatch.setattr(chain, name, 0)
    assert {query: " ".join(sorted(record.ids(query))) for query, _ in FOUND} == dict(FOUND)


def test_a_test_sees_no_more_than_the_caller(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    of = ("Patient", "p1")
    mine = Grant("Observation", "rs", compartment=of), Grant("Patient", "rs", compartment=of)
    caller = Caller("p1", grants=Grants(mine))
    staff = Caller("staff", grants=Grants((Grant("Observation", "rs"), mine[1])))
    for _ in range(2):
        assert " ".join(sorted(record.ids("Observation?_filter=not (patient.name eq smith)", caller))) == ""
        assert record.ids("Observation?_filter=patient.gender eq male or value-quantity gt 4", caller) == ["c0", "a5"]
        found = record.ids("Observation?_filter=patient.gender eq male or value-quantity gt 4", staff)
        assert sorted(found) == ["a5", "b5", "c0"]  # that b is a man is not told
        monkeypatch.setattr(chain, "MANY_TARGETS", 0)
