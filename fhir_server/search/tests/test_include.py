"""_include and _revinclude, on both databases."""

import pytest

from fhir_server.search import include
from fhir_server.search.tests.record import Record, observation, patient
from fhir_server.store import Store
from resources.errors import TooCostly


@pytest.fixture
def record(store: Store) -> Record:
    made = Record(store)
    made.put(
        {"resourceType": "Organization", "id": "top", "name": "Top"},
        {"resourceType": "Organization", "id": "mid", "name": "Mid", "partOf": {"reference": "Organization/top"}},
        {"resourceType": "Organization", "id": "low", "name": "Low", "partOf": {"reference": "Organization/mid"}},
        patient("p1", "Smith", managingOrganization={"reference": "Organization/low"}),
        patient("p2", "Jones", link=[{"other": {"reference": "Patient/p1"}, "type": "seealso"}]),
        observation("a", "p1", "x", hasMember=[{"reference": "Observation/b"}, {"reference": "Observation/gone"}]),
        observation("b", "p1", "y", performer=[{"reference": "Organization/mid"}, {"reference": "Patient/p2"}]),
    )  # fmt: skip
    return made


FOUND = [
    ("Observation?code=x&_include=Observation:subject", "Patient/p1"),
    ("Observation?code=x,y&_include=Observation:patient", "Patient/p1"),
    ("Observation?code=x&_include=Observation:subject:Group", ""),
    ("Observation?code=y&_include=Observation:performer", "Organization/mid Patient/p2"),
    ("Observation?code=y&_include=Observation:performer:Patient", "Patient/p2"),
    ("Observation?code=y&_include=Observation:*", "Organization/mid Patient/p1 Patient/p2"),
    ("Observation?code=y&_include=*", "Organization/mid Patient/p1 Patient/p2"),
    ("Observation?code=x&_include=Observation:has-member", "Observation/b"),
    ("Observation?code=x,y&_include=Observation:has-member", ""),
    ("Observation?code=x&_include=Observation:subject&_include=Patient:organization", "Patient/p1"),
    ("Observation?code=x&_include=Observation:subject&_include:iterate=Patient:organization",
     "Patient/p1 Organization/low"),
    (
        "Patient?_id=p1&_include=Patient:organization&_include:iterate=Organization:partof",
        "Organization/low Organization/mid Organization/top",
    ),
    ("Organization?_id=low&_include=Organization:partof", "Organization/mid"),
    ("Patient?_id=p1&_revinclude=Observation:subject", "Observation/a Observation/b"),
    ("Patient?_id=p1&_revinclude=Observation:subject:Group", ""),
    ("Patient?_id=p1&_revinclude=Observation:*", "Observation/a Observation/b"),
    ("Patient?_id=p2&_revinclude=Observation:performer&_include=Patient:link", "Observation/b Patient/p1"),
    ("Organization?_id=top&_revinclude:iterate=Organization:partof", "Organization/mid Organization/low"),
    ("Organization?_id=low&_revinclude=Patient:organization&_revinclude:iterate=Observation:patient",
     "Patient/p1 Observation/a Observation/b"),
    ("Observation?code=none&_include=*", ""),
]  # fmt: skip


def test_what_is_included(record: Record) -> None:
    for query, references in FOUND:
        assert record.included(query) == set(references.split()), query


def test_every_resource_comes_once(record: Record) -> None:
    page = record.page("Observation?_include=*&_revinclude=Observation:has-member&_include:iterate=*")
    names = [hit.version.reference for hit in page.hits]
    assert len(names) == len(set(names))
    assert [hit.mode for hit in page.hits[:2]] == ["match", "match"]


def test_too_many_are_refused_not_cut(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(include, "MOST", 1)
    with pytest.raises(TooCostly):
        record.page("Patient?_id=p1&_revinclude=Observation:subject")
    with pytest.raises(TooCostly, match="lower _count"):
        record.page("Observation?code=y&_include=*")
