"""Chains and _has, from either end: what they find, and that it does not depend on where they start."""

import pytest

from fhir_server.search import chain
from fhir_server.search.tests.record import Record, observation, patient, two_charts
from fhir_server.store import Store


@pytest.fixture
def record(store: Store) -> Record:
    return two_charts(store)


FOUND = [
    ("Patient?organization.name=clin", "p1"),
    ("Patient?general-practitioner.name=house", "p2"),
    ("Patient?general-practitioner:Practitioner.name=nobody", ""),
    ("Patient?_has:Observation:patient:code=8302-2", "p1"),
    ("Patient?_has:Observation:patient:code=29463-7&gender=female", ""),
    ("Patient?_has:Observation:patient:subject.name=smy", "p2"),
    ("Organization?_has:Patient:organization:_has:Observation:patient:code=8302-2", "o1"),
    ("Observation?subject.organization.name=clin&value-quantity=lt1", "a0"),
    ("Observation?encounter.date=2020-01", "c0"),
    ("Observation?encounter.patient:Patient.organization:Organization.name=clin", "c0"),
    ("Observation?patient._has:Encounter:patient:status=finished&code=718-7", "c0"),
    ("Observation?subject._has:Encounter:patient:date=2020&value-quantity=lt1", "a0"),
    ("Patient?_has:Observation:patient:encounter._has:Observation:encounter:code=718-7", "p1"),
    ("Patient?_has:Observation:patient:encounter.patient._has:Observation:subject:code=8302-2", "p1"),
    ("Patient?_has:Observation:patient:encounter:missing=false", "p1"),
    ("Patient?_has:Observation:patient:code:not=8302-2&gender=male", "p2"),
    ("Patient?organization.name:exact=Clinic", "p1"),
    ("Patient?organization.name:exact=clinic", ""),
    ("Patient?organization.name:contains=lini", "p1"),
    ("Observation?patient.organization:missing=true&value-quantity=lt1", "b0"),
    ("Observation?patient.organization:identifier=urn:x|1", ""),
    ("Observation?patient.gender:not=male&code=718-7", "c0"),
]


def test_what_is_found(record: Record) -> None:
    assert {query: " ".join(sorted(record.ids(query))) for query, _ in FOUND} == dict(FOUND)


@pytest.mark.parametrize("limits", [{"FEW_SOURCES": 0}, {"FEW_TARGETS": 0}])
def test_chains_from_either_end_agree(record: Record, limits: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit in limits.items():
        monkeypatch.setattr(chain, name, limit)
    test_what_is_found(record)
    assert record.page("Patient?_has:Observation:patient:code=8302-2&_total=accurate").total == 1
    assert record.ids("Patient?_has:Observation:patient:code=8302-2,29463-7&_sort=-family") == ["p2", "p1"]


def test_chains_with_more_targets_than_can_be_named(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    by_targets = chain._by_targets
    monkeypatch.setattr(
        chain,
        "_by_targets",
        lambda resolver, term: None if term.target == "Patient" else by_targets(resolver, term),
    )
    test_what_is_found(record)
    assert record.walk("Observation?subject.name=smi&_count=2") == ["c0", "a5", "a4", "a3", "a2", "a1", "a0"]


def test_reverse_chains_by_the_subject_column(store: Store) -> None:
    record = Record(store)
    versioned, of_group, other = (observation(f"o{n}", "p1", "c1", "2020") for n in range(3))
    versioned["subject"] = {"reference": "Patient/p0/_history/1"}
    of_group["subject"] = {"reference": "Group/p2"}
    other["subject"] = {"reference": "http://elsewhere.org/fhir/Patient/p3"}
    record.put(*(patient(p, p) for p in ("p0", "p1", "p2", "p3")), versioned, of_group, other)
    assert record.ids("Patient?_has:Observation:patient:code=c1") == ["p0"]
    assert record.ids("Patient?_has:Observation:subject:code=c1&family=p0") == ["p0"]
    assert record.ids("Patient?_has:Observation:subject:code=c2") == []
    assert record.page("Patient?_has:Observation:subject:code=c1&_total=accurate").total == 1
