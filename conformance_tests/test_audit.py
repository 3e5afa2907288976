"""The audit trail as FHIR AuditEvents."""

from collections.abc import Callable

import pytest

from conformance_tests.client import SYSTEM, Client, Json, eventually, reference, resources_of
from conformance_tests.examples import entry, observation, patient

requirement = pytest.mark.requirement


def events(fhir: Client, **query: str) -> Callable[[], list[Json]]:
    return lambda: resources_of(fhir.search("AuditEvent", query))


def entities(event: Json) -> str:
    return str([each.get("what", {}).get("reference", "") for each in event.get("entity", ())])


@requirement("auditevent.html")
@pytest.mark.parametrize(("action", "interaction"), [("C", "create"), ("U", "update"), ("D", "delete"), ("R", "read")])
def test_each_interaction_leaves_an_event(fhir: Client, tag: str, action: str, interaction: str) -> None:
    made = fhir.create(patient(tag))
    if action == "U":
        fhir.put(reference(made), made)
    if action == "D":
        fhir.delete(reference(made))
    if action == "R":
        fhir.get(reference(made))
    [event] = eventually(events(fhir, patient=reference(made), action=action))
    assert event["action"] == action
    assert event["outcome"] == "0"
    assert any(code["code"] == interaction for code in event["subtype"])
    assert reference(made) in entities(event)
    assert event["agent"] and event["source"]["observer"] and event["recorded"]
    assert fhir.get(reference(event)).json()["id"] == event["id"]


@requirement("auditevent.html")
def test_a_search_is_an_event_of_each_patient_it_showed(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.create(observation(reference(made), tag))
    fhir.found("Observation", {"identifier": f"{SYSTEM}|{tag}"})
    [event] = eventually(events(fhir, patient=reference(made), action="E"))
    assert any(code["code"].startswith("search") for code in event["subtype"])


@requirement("auditevent.html")
def test_what_touches_a_patients_record_is_found_by_the_patient(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    weight = fhir.create(observation(reference(made), tag))
    found = eventually(events(fhir, patient=reference(made), action="C"), 2)
    assert any(reference(weight) in entities(event) for event in found)
    by_entity = eventually(events(fhir, entity=reference(weight)))
    assert all(reference(weight) in entities(event) for event in by_entity)


@requirement("auditevent.html")
def test_a_transaction_leaves_an_event_of_each_write(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    writes = [entry("POST", "Observation", observation(reference(made), f"{tag}-{n}")) for n in range(3)]
    fhir.bundle("transaction", *writes)
    assert len(eventually(events(fhir, patient=reference(made), action="C"), 4)) == 4


@requirement("auditevent.html")
def test_a_refusal_is_an_event(fhir: Client, tag: str) -> None:
    fhir.refused("GET", f"Patient/{tag}", expect=404)
    [event] = eventually(events(fhir, entity=f"Patient/{tag}"))
    assert event["outcome"] != "0"


@requirement("auditevent.html")
def test_a_failed_transaction_leaves_no_event_of_a_write(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    good, bad = observation(reference(made)), observation(reference(made), status="none")
    body = {"resourceType": "Bundle", "type": "transaction"}
    body |= {"entry": [entry("POST", "Observation", good), entry("POST", "Observation", bad)]}
    fhir.refused("POST", "", body, expect=400)
    assert len(eventually(events(fhir, patient=reference(made), action="C"))) == 1


@requirement("auditevent.html#search")
def test_search_by_date_and_newest_first(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.put(reference(made), made)
    found = eventually(events(fhir, patient=reference(made)), 2)
    moments = [event["recorded"] for event in found]
    assert moments == sorted(moments, reverse=True)
    assert events(fhir, patient=reference(made), date="gt2999")() == []
    assert len(events(fhir, patient=reference(made), date="ge2020")()) >= 2
    page = fhir.search("AuditEvent", {"patient": reference(made), "_count": "1"})
    assert len(resources_of(page)) == 1


@requirement("auditevent.html")
def test_an_event_is_valid(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    fhir.get(reference(made))
    for event in eventually(events(fhir, patient=reference(made)), 2):
        outcome = fhir.post("AuditEvent/$validate", event).json()
        assert {issue["severity"] for issue in outcome["issue"]} == {"information"}, outcome


@requirement("security.html#audit")
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_nobody_writes_or_changes_an_event(fhir: Client, tag: str, method: str) -> None:
    made = fhir.create(patient(tag))
    [event] = eventually(events(fhir, patient=reference(made), action="C"))
    path = "AuditEvent" if method == "POST" else reference(event)
    answer = fhir.request(method, path, None if method == "DELETE" else event, expect=405)
    assert "GET" in answer.headers["allow"]
    assert fhir.get(reference(event)).json() == event


@requirement("security.html#audit")
def test_a_transaction_cannot_write_an_event_either(fhir: Client, tag: str) -> None:
    made = fhir.create(patient(tag))
    [event] = eventually(events(fhir, patient=reference(made), action="C"))
    for forged in (
        entry("PUT", reference(event), event),
        entry("DELETE", reference(event)),
        entry("POST", "AuditEvent", event),
    ):
        body = {"resourceType": "Bundle", "type": "transaction", "entry": [forged]}
        fhir.refused("POST", "", body, expect=(400, 403, 405, 422))
    fhir.get(reference(event))
