"""Tests of audit records."""

from fhir_server.audit.record import ACTION_OF, Action, Interaction, Outcome, event, per_patient
from resources.repository import Caller

CALLER = Caller("Practitioner/1", "app", tenant=3, purpose="TREAT", address="10.0.0.1", request_id="r1")


def test_event_takes_the_caller_and_the_action_of_the_interaction():
    record = event(CALLER, Interaction.VREAD, patient="Patient/1", entity="Observation/1/_history/2")
    assert (record.action, record.outcome, record.tenant) == (Action.READ, Outcome.SUCCESS, 3)
    assert (record.who, record.client, record.address) == ("Practitioner/1", "app", "10.0.0.1")
    assert (record.purpose, record.request) == ("TREAT", "r1")
    assert record.recorded > 1_600_000_000_000_000


def test_every_interaction_has_an_action():
    assert set(ACTION_OF) == set(Interaction)


def test_one_record_for_each_patient_shown():
    record = event(CALLER, Interaction.SEARCH_TYPE, entity="Observation", detail="code=1")
    shown = per_patient(record, ["Patient/2", "Patient/1", "Patient/2"])
    assert [r.patient for r in shown] == ["Patient/2", "Patient/1"]
    assert {r.detail for r in shown} == {"code=1"}
    assert per_patient(record, []) == [record]
