"""_include and _revinclude, on both databases."""

import pytest

from fhir_server.search import include
from fhir_server.search.tests.record import Record, observation, patient
from fhir_server.store import Store
from resources.errors import BadSearch, TooCostly
from resources.repository import Caller, Grant, Grants


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


def test_what_refers_to_a_page_is_one_statement_a_round(record: Record) -> None:
    said: list[str] = []
    if record.store.dialect == "sqlite":
        record.session.connected().set_trace_callback(said.append)  # type: ignore[attr-defined]
    alone = len(said)
    record.ids("Patient?_id=p1,p2")
    one = len(said) - alone
    record.ids("Patient?_id=p1,p2&_revinclude=*&_include=*&_revinclude=Observation:performer")
    assert len(said) - alone - one in (0, one + 2)
    assert record.included("Patient?_id=p1,p2&_revinclude=*") == {"Observation/a", "Observation/b"}


def test_iteration_that_leads_too_far_is_refused_not_cut(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(include, "ROUNDS", 2)
    with pytest.raises(TooCostly, match="further than 2 steps"):
        record.included("Organization?_id=low&_include:iterate=Organization:partof")


def test_what_looks_on_too_many_lists_is_refused(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(include, "LISTS", 20)
    with pytest.raises(TooCostly, match="name types"):
        record.included("Patient?_revinclude=*")
    assert record.included("Patient?_revinclude=Observation:patient") == {"Observation/a", "Observation/b"}


def test_only_what_the_caller_reads_is_included(record: Record) -> None:
    record.put(patient("p3", "Other"), observation("z", "p3", "z", hasMember=[{"reference": "Observation/a"}]))
    every = "Patient?_id=p1&_revinclude:iterate=*&_include:iterate=*"
    open = {"Observation/a", "Observation/b", "Patient/p2"}  # who links to a patient is in the compartment
    closed = {"Observation/z", "Patient/p3", "Organization/low", "Organization/mid", "Organization/top"}
    assert record.included(every) == open | closed
    of = ("Patient", "p1")
    caller = Caller("p1", grants=Grants(Grant(type, "rs", compartment=of) for type in ("Patient", "Observation")))
    assert record.included(every, caller) == open
    staff = Caller("staff", grants=Grants([Grant("Patient", "rs"), Grant("Observation", "rs", compartment=of)]))
    assert record.included(every, staff) == open


@pytest.mark.parametrize("value", ["*:subject", "Observation:subject:Practitioner", "Observation:code", "Nope:subject"])
def test_an_include_that_finds_nothing_ever_is_refused(record: Record, value: str) -> None:
    with pytest.raises(BadSearch):
        record.ids(f"Observation?_include={value}")


def test_what_belongs_to_a_patient_by_link_is_included_of_that_patient_alone(record: Record) -> None:
    record.put(patient("p3", "Other"), observation("z", "p3", "z"))
    for name, of in (
        ("ours", ["Observation/a"]),
        ("theirs", ["Observation/z"]),
        ("both", ["Observation/a", "Patient/p3"]),
    ):
        record.put({"resourceType": "Provenance", "id": name, "recorded": "2020-01-01T00:00:00Z", "agent": [],
                    "target": [{"reference": each} for each in of]})  # fmt: skip
    caller = Caller("p1", grants=Grants([Grant("*", "rs", compartment=("Patient", "p1"))]))
    for query in ("_revinclude=Provenance:target", "_revinclude=*", "_revinclude=*&_include:iterate=*"):
        found = record.included(f"Observation?_id=a&{query}", caller)
        assert {"Provenance/ours", "Provenance/both"} <= found
        assert not found & {"Provenance/theirs", "Patient/p3", "Observation/z"}
