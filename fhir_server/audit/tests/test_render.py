"""Tests of audit rows as AuditEvent resources."""

import json
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.audit.chain import Chain
from fhir_server.audit.record import ACTION_OF, AuditRecord, Interaction, Outcome, event
from fhir_server.audit.render import audit_event, event_id, place, subtype_coding, type_coding, version
from resources.repository import Caller
from resources.validation import check

BASE = "https://fhir.example.org/fhir"
CALLER = Caller("Practitioner/1", "growth-chart", purpose="TREAT", address="10.0.0.7", request_id="req-1")


def row(interaction, caller=CALLER, **fields):
    return Chain(b"k" * 32).extend([event(caller, interaction, **fields)])[0]


def agents(resource):
    return {agent["type"]["coding"][0]["code"]: agent for agent in resource["agent"]}


def test_a_patient_read():
    found = audit_event(row(Interaction.VREAD, patient="Patient/1", entity="Observation/2/_history/3"), BASE)
    check(found)
    assert found["meta"]["profile"] == [
        "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead"
    ]
    assert (found["type"]["code"], found["subtype"][0]["code"], found["action"]) == ("rest", "vread", "R")
    assert found["outcome"] == "0" and "outcomeDesc" not in found
    client, server, user = (agents(found)[code] for code in ("110152", "110153", "IRCP"))
    assert client["who"]["identifier"]["value"] == "growth-chart"
    assert client["network"] == {"address": "10.0.0.7", "type": "2"}
    assert server["network"] == {"address": BASE, "type": "5"}
    assert user["who"] == {"reference": "Practitioner/1"} and user["requestor"] is True
    assert user["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    whats = [entity["what"] for entity in found["entity"]]
    assert whats[0] == {"identifier": {"value": "req-1"}}
    assert whats[1:] == [{"reference": "Patient/1"}, {"reference": "Observation/2/_history/3"}]


def test_a_search_carries_its_query():
    found = audit_event(row(Interaction.SEARCH_TYPE, entity="Observation", detail="code=1-2&date=ge2020"), BASE)
    check(found)
    assert found["meta"]["profile"][0].endswith("BasicAudit.Query")
    assert b64decode(found["entity"][-1]["query"]) == b"Observation?code=1-2&date=ge2020"
    assert agents(found)["110153"]["who"]["identifier"]["value"] == "growth-chart"


def test_writes_name_their_author():
    for interaction, profile in (
        (Interaction.CREATE, "PatientCreate"),
        (Interaction.UPDATE, "PatientUpdate"),
        (Interaction.DELETE, "PatientDelete"),
    ):
        found = audit_event(row(interaction, patient="Patient/1", entity="Patient/1/_history/1"), BASE)
        check(found)
        assert found["meta"]["profile"][0].endswith("BasicAudit." + profile)
        assert agents(found)["AUT"]["requestor"] is True


def test_a_refusal_claims_no_profile_and_says_why():
    found = audit_event(row(Interaction.READ, entity="Patient/1", detail="forbidden", outcome=Outcome.MINOR), BASE)
    check(found)
    assert (found["outcome"], found["outcomeDesc"]) == ("4", "forbidden")
    assert "profile" not in found["meta"]


def test_an_unknown_address_claims_no_profile():
    found = audit_event(row(Interaction.READ, Caller("open"), entity="Patient/1"), BASE)
    check(found)
    assert "profile" not in found["meta"]
    assert found["agent"][2]["name"] == "open"


@pytest.mark.parametrize("interaction", list(Interaction))
def test_every_interaction_renders_valid(interaction):
    found = audit_event(row(interaction, patient="Patient/1", entity="Patient/1", detail="x"), BASE)
    check(found)
    assert found["type"] == type_coding(interaction) and found["subtype"] == [subtype_coding(interaction)]


known = st.sampled_from(["Patient/1", "Observation/1/_history/2", "Nothing/1", "10.0.0.1", "TREAT", ""])
texts = st.one_of(st.text(max_size=12), known)


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        AuditRecord,
        st.integers(0, 4 * 10**15),
        st.just(0),
        st.just(ACTION_OF[Interaction.READ]),
        st.sampled_from(Interaction),
        st.sampled_from(Outcome),
        *[texts] * 8,
    )
)
def test_whatever_was_recorded_renders_valid(record):
    check(json.loads(version(Chain(b"k" * 32).extend([record])[0], BASE).doc))


def test_the_version_of_a_row():
    made = row(Interaction.READ, entity="Patient/1")
    found = version(made, BASE)
    assert (found.type, found.version, found.updated) == ("AuditEvent", 1, made.recorded // 1000)
    assert place(found.id) == (made.chain, made.n)
    assert json.loads(found.doc)["id"] == found.id


@pytest.mark.parametrize(
    "id", ["", "1", "0000000000000001-0", "8000000000000000-1", "000000000000000g-1", "0000000000000001-1x"]
)
def test_foreign_ids_have_no_place(id):
    assert place(id) is None


@given(st.integers(0, 2**63 - 1), st.integers(1, 10**17))
def test_ids_lead_back(chain, n):
    assert place(event_id(chain, n)) == (chain, n)
    assert len(event_id(chain, n)) <= 64
