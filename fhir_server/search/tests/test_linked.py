"""What belongs to a patient by what it is linked to: from the patient's side, and candidate by candidate."""

from typing import Any

import pytest

from fhir_server.search import resolve
from fhir_server.search.tests.record import Record, observation, patient
from fhir_server.store import Store
from resources.repository import Caller, Grant, Grants

P1 = ("Patient", "p1")
ANN = Caller("Patient/p1", grants=Grants((Grant("*", "rs", compartment=P1, confidential=True),)))


@pytest.fixture
def linked(store: Store) -> Record:
    def binary(id: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": "Binary", "id": id, "contentType": "text/plain", **more}

    def document(id: str, of: str, url: str) -> dict[str, Any]:
        return {
            "resourceType": "DocumentReference", "id": id, "status": "current",
            "subject": {"reference": f"Patient/{of}"}, "content": [{"attachment": {"url": url}}],
        }  # fmt: skip

    def provenance(id: str, *targets: str) -> dict[str, Any]:
        return {"resourceType": "Provenance", "id": id, "target": [{"reference": target} for target in targets]}

    def task(id: str, of: str) -> dict[str, Any]:
        return {"resourceType": "Task", "id": id, "for": {"reference": f"Patient/{of}"}}

    def slot(id: str, of: str) -> dict[str, Any]:
        return {"resourceType": "Slot", "id": id, "schedule": {"reference": of}, "start": "2026-11-22T09:00:00Z"}

    made = Record(store)
    made.put(
        patient("p1", "Smith"), patient("p2", "Jones"), observation("a1", "p1", "x"), observation("b1", "p2", "x"),
        {"resourceType": "Organization", "id": "o1", "name": "Clinic"},
        {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "House"}]},
        binary("b0"), binary("b1", securityContext={"reference": "Patient/p1"}),
        binary("b2", securityContext={"reference": "Patient/p2"}), binary("b3"), binary("b4"),
        binary("b5", securityContext={"reference": "Observation/a1"}),
        document("doc1", "p1", "Binary/b3"), document("doc2", "p2", "Binary/b4"),
        provenance("v1", "Patient/p1"), provenance("v2", "Observation/a1"), provenance("v3", "Observation/b1"),
        provenance("v4", "Organization/o1"),
        {"resourceType": "Device", "id": "dev1", "patient": {"reference": "Patient/p1"}},
        {"resourceType": "Device", "id": "dev2", "patient": {"reference": "Patient/p2"}},
        {"resourceType": "Device", "id": "dev3"},
        task("t1", "p1"), task("t2", "p2"),
        {"resourceType": "Schedule", "id": "s1", "actor": [{"reference": "Practitioner/d1"}]},
        {"resourceType": "Schedule", "id": "s2", "actor": [{"reference": "Patient/p2"}]},
        {"resourceType": "Schedule", "id": "s3", "actor": [{"reference": "Patient/p1"}]},
        slot("sl0", "Schedule/s0"), slot("sl1", "Schedule/s1"), slot("sl2", "Schedule/s2"), slot("sl3", "Schedule/s3"),
        {"resourceType": "List", "id": "li1", "subject": {"reference": "Patient/p1"}},
        {"resourceType": "List", "id": "li2", "subject": {"reference": "Patient/p2"}},
    )  # fmt: skip
    return made


@pytest.mark.parametrize("few", [0, 50])
def test_types_that_belong_by_link(linked: Record, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "FEW_CANDIDATES", few)
    found = {
        type: " ".join(sorted(linked.ids(f"{type}?", ANN)))
        for type in ("Binary", "Provenance", "Device", "Task", "Schedule", "Slot", "List")
    }
    assert found == {
        "Binary": "b1 b3 b5", "Provenance": "v1 v2", "Device": "dev1", "Task": "t1", "Schedule": "s1 s3",
        "Slot": "sl1 sl3", "List": "li1",
    }  # fmt: skip
    assert linked.ids("Provenance?target=Observation/a1", ANN) == ["v2"]
    assert linked.ids("Provenance?target=Observation/b1", ANN) == []
    assert linked.ids("Binary?_id=b0,b1,b2,b4", ANN) == ["b1"]
    assert linked.page("Provenance?_summary=count", ANN).total == 2
    assert linked.included("Observation?_revinclude=Provenance:target", ANN) == {"Provenance/v2"}
    assert linked.included("Patient?_revinclude=Provenance:target", ANN) == {"Provenance/v1"}
    assert sorted(linked.ids("?_type=Binary,Task,Schedule,Group", ANN)) == ["b1", "b3", "b5", "s1", "s3", "t1"]


def test_a_slot_shows_as_its_schedule_does(linked: Record) -> None:
    for query in ("Slot?start=ge2026", "Slot?_id=sl0,sl1,sl2,sl3", "Slot?schedule.actor:missing=false"):
        assert sorted(linked.ids(query, ANN)) == ["sl1", "sl3"], query
    assert linked.ids("Slot?schedule=Schedule/s2", ANN) == []
    assert linked.page("Slot?_summary=count", ANN).total == 2
    assert linked.included("Schedule?_revinclude=Slot:schedule", ANN) == {"Slot/sl1", "Slot/sl3"}
    only = Caller("x", grants=Grants((Grant("Slot", "rs", compartment=P1),)))
    assert sorted(linked.ids("Slot?", only)) == ["sl1", "sl3"]
    assert sorted(linked.ids("Slot?")) == ["sl0", "sl1", "sl2", "sl3"]


def test_what_is_linked_to_a_type_that_is_not_granted_stays_hidden(linked: Record) -> None:
    only = Caller("x", grants=Grants(Grant(type, "rs", compartment=P1) for type in ("Provenance", "Binary")))
    assert linked.ids("Provenance?", only) == ["v1"]
    assert linked.ids("Binary?", only) == ["b1"]
