"""Queries that are legal and ask for much, on both databases: answered, or refused with advice; never another error."""

import pytest

from fhir_server.search import chain, execute
from fhir_server.search.tests.record import Record, two_charts
from fhir_server.store import Store
from resources.errors import TooCostly

QUERIES = [
    "Observation?patient.gender=male,female",
    "Observation?encounter.patient.general-practitioner:Practitioner.name=house",
    "Observation?subject:Patient.gender:not=other&code:not=8302-2",
    "Observation?subject:Patient.gender:not=other&_sort=-value-quantity,status&_total=accurate",
    "Patient?_has:Observation:patient:encounter.patient._has:Observation:patient:encounter.patient.gender=male",
    "Patient?_has:Observation:patient:_has:Provenance:target:agent:missing=true",
    "Patient?_has:Observation:patient:status=final&_has:Observation:patient:code=8302-2,29463-7&_total=accurate",
    "Observation?_filter=not (patient.gender eq male or encounter.status eq finished)",
    "Observation?_filter=patient.name ne x or not (patient.organization.name ne x) or not (code ne y)",
    "Patient?_filter=not (_has:Observation:patient:_has:Observation:has-member:code eq x)",
    "?_sort=_lastUpdated&_total=accurate&_include:iterate=*&_revinclude:iterate=*",
    "?_filter=_id ne x and not (_id eq p1)&_include:iterate=*",
    "Observation?code:not=8302-2&patient.name=smith,smythe&date=ne2020-01-01",
]
ADVICE = ("name the patient", "narrow", "lower _count", "include less", "in parts")


@pytest.fixture
def record(store: Store) -> Record:
    return two_charts(store)


def asked(record: Record, query: str) -> str:
    """What came: the matches, or the refusal."""
    try:
        return " ".join(sorted(record.ids(query)))
    except TooCostly as error:
        assert [issue.code for issue in error.issues] == ["too-costly"]
        assert any(words in str(error) for words in ADVICE), (query, str(error))
        return "refused"


def test_lists_too_dense_to_be_named_are_walked_within_a_budget(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = {query: asked(record, query) for query in QUERIES}
    assert "refused" not in right.values()
    for name in ("FEW_TARGETS", "MANY_TARGETS", "FEW_SOURCES"):
        monkeypatch.setattr(chain, name, 1)
    monkeypatch.setattr(execute, "BATCHES", (2,))
    assert {query: asked(record, query) for query in QUERIES} == right
    monkeypatch.setattr(execute, "WALK_BUDGET", 3)
    found = {query: asked(record, query) for query in QUERIES}
    assert {found[query] for query in QUERIES if found[query] != right[query]} == {"refused"}


def test_a_search_that_takes_too_long_is_refused_with_advice(record: Record) -> None:
    record.store.timeout = -1
    assert {asked(record, query) for query in QUERIES} == {"refused"}
    with pytest.raises(TooCostly, match="narrow"):
        record.matches("Observation", "code=8302-2")
