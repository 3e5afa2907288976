"""Charges over the whole server, on both databases: what is drafted, what waits, and that it is made once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.billing.charging import Charging
from fhir_server.billing.tariff import read_tariff
from fhir_server.billing.tests.conftest import House, lacking
from resources.errors import Forbidden
from resources.json_codec import decode_stored
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants

Json = dict[str, Any]

_HL7 = "http://terminology.hl7.org/CodeSystem"
_VIDEO = {"system": "http://www.ama-assn.org/go/cpt", "code": "95"}


def test_a_finished_visit_becomes_a_charge_and_the_draft_of_a_claim(house: House) -> None:
    coverage, visit = house.covered(), house.visit()
    condition = house.condition(visit)
    found = house.charge(visit)
    charge, claim = found["charge"], found["claim"]
    assert charge["status"] == "billable" and charge["context"] == {"reference": visit}
    assert charge["code"]["coding"] == [{"system": "urn:x-hearth:visit-charge", "code": "long"}]
    assert charge["performer"] == [{"actor": {"reference": house.doctor}}]
    assert charge["occurrencePeriod"] == {"start": "2026-11-20T09:00:00Z", "end": "2026-11-20T09:30:00Z"}
    assert "23.5" in charge["note"][0]["text"] and "by software" in charge["note"][0]["text"]
    assert (claim["status"], claim["use"], claim["type"]["coding"][0]["code"]) == ("draft", "claim", "professional")
    assert claim["patient"] == {"reference": house.patient} and claim["provider"] == {"reference": house.doctor}
    assert [row["coverage"]["reference"] for row in claim["insurance"]] == [coverage]
    assert [row["diagnosisReference"]["reference"] for row in claim["diagnosis"]] == [condition]
    [item] = claim["item"]
    assert item["productOrService"] == charge["code"] and item["encounter"] == [{"reference": visit}]
    assert item["modifier"][0]["coding"] == [_VIDEO] and item["diagnosisSequence"] == [1]
    assert claim["total"] == {"value": Decimal("45.50"), "currency": "EUR"}
    assert claim["supportingInfo"][0]["valueQuantity"]["value"] == Decimal("23.5")
    assert claim["supportingInfo"][1]["valueReference"] == {"reference": f"ChargeItem/{charge['id']}"}
    assert "place" in lacking(found)  # the record does not say where the patient was


def test_where_it_comes_from_is_said(house: House) -> None:
    house.covered()
    visit = house.visit()
    found = house.charge(visit)
    answer = house.client.send("GET", f"Provenance?target=ChargeItem/{found['charge']['id']}")
    [entry] = answer.json["entry"]
    made = entry["resource"]
    assert [row["reference"].split("/")[0] for row in made["target"]] == ["ChargeItem", "Claim"]
    assert made["agent"][0]["who"]["type"] == "Device" and "nobody" in made["activity"]["text"]
    assert made["entity"][0]["what"] == {"reference": visit}
    audited = house.client.send("GET", f"AuditEvent?entity=Claim/{found['claim']['id']}")
    assert audited.json["entry"]


def test_without_a_coverage_the_claim_waits_until_there_is_one(house: House) -> None:
    visit = house.visit()
    before = house.charge(visit)
    assert "claim" not in before and "Coverage" in lacking(before)
    house.covered()
    after = house.charge(visit)
    assert after["charge"] == before["charge"] and after["claim"]["status"] == "draft"
    assert house.count("Provenance", target=f"Claim/{after['claim']['id']}") == 1
    assert house.count("Provenance", target=f"ChargeItem/{after['charge']['id']}") == 1


def test_who_pays_themselves_comes_last(house: House) -> None:
    pay = {"coding": [{"system": f"{_HL7}/coverage-selfpay", "code": "pay"}]}
    own = house.covered(type=pay, order=1)
    house.covered(status="cancelled")
    house.covered(period={"end": "2025-12"})
    late, early = house.covered(order=3), house.covered(order=2, period={"start": "2026-11-20"})
    claim = house.charge(house.visit())["claim"]
    assert [row["coverage"]["reference"] for row in claim["insurance"]] == [early, late, own]
    assert [row["focal"] for row in claim["insurance"]] == [True, False, False]


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ({"type": [{"coding": [{"system": f"{_HL7}/v3-RoleCode", "code": "PTRES"}]}]}, "10"),
        ({"name": "School"}, "02"),
    ],
)  # fmt: skip
def test_place_of_service_is_what_the_record_says(house: House, location: Json, place: str) -> None:
    house.covered()
    where = house.made("Location", **location)
    [item] = house.charge(house.visit(location=[{"location": {"reference": where}}]))["claim"]["item"]
    assert item["locationCodeableConcept"]["coding"][0]["code"] == place


def test_by_telephone_the_modifier_is_another(house: House) -> None:
    house.covered()
    kind = [{"coding": [{"system": "http://snomed.info/sct", "code": "185317003"}]}]
    [item] = house.charge(house.visit(type=kind))["claim"]["item"]
    assert item["modifier"][0]["coding"][0]["code"] == "93"


def test_in_person_there_is_no_modifier(house: House) -> None:
    house.covered()
    here = {"system": f"{_HL7}/v3-ActCode", "code": "AMB"}
    [item] = house.charge(house.visit(**{"class": here}))["claim"]["item"]
    assert "modifier" not in item and "locationCodeableConcept" not in item


def test_what_is_refuted_is_no_diagnosis(house: House) -> None:
    house.covered()
    visit = house.visit()
    wrong = {"coding": [{"system": f"{_HL7}/condition-ver-status", "code": "refuted"}]}
    house.condition(visit, verificationStatus=wrong)
    found = house.charge(visit)
    assert "diagnosis" not in found["claim"] and "No diagnosis" in lacking(found)


def test_what_it_was_made_of_says_how_confidential_it_is(house: House) -> None:
    """Who may not see a restricted Condition does not read of it in a claim."""
    house.covered()
    visit = house.visit()
    label = {"system": f"{_HL7}/v3-Confidentiality", "code": "R"}
    house.condition(visit, meta={"security": [label]})
    found = house.charge(visit)
    assert found["claim"]["meta"]["security"] == [label] and "security" not in found["charge"]["meta"]
    other = house.charge(house.visit(meta={"security": [label, {"system": "urn:example", "code": "x"}]}))
    assert other["charge"]["meta"]["security"] == [label] == other["claim"]["meta"]["security"]


def test_an_account_and_an_organization_are_taken_up(house: House) -> None:
    house.covered()
    account = house.made("Account", status="active", subject=[{"reference": house.patient}])
    clinic = house.made("Organization", name="Clinic")
    found = house.charge(house.visit(serviceProvider={"reference": clinic}))
    assert found["charge"]["account"] == [{"reference": account}]
    assert found["claim"]["provider"] == {"reference": clinic} == found["charge"]["performingOrganization"]


def test_without_anybody_who_charges_there_is_no_claim(house: House) -> None:
    house.covered()
    found = house.charge(house.visit(participant=None))
    assert "claim" not in found and "serviceProvider" in lacking(found)


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ({"status": "in-progress"}, "in-progress"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "entered-in-error"}, "in error"),
        ({"subject": None}, "no patient"),
        ({"length": None, "period": {"start": "2026-11-20"}}, "how long"),
        ({"length": {"value": 3, "unit": "sheep"}, "period": None}, "how long"),
        ({"length": {"value": -5, "unit": "min"}}, "length is -5"),
        ({"length": {"value": 10**30, "unit": "min"}}, "length is 1"),
    ],
)
def test_what_cannot_be_charged_is_said(house: House, elements: Json, said: str) -> None:
    visit = house.visit(**elements)
    assert said in house.charge(visit, 422)["refused"]
    assert house.count("ChargeItem", context=visit) == 0


def test_a_diagnosis_of_another_patient_is_none_of_this_visit(house: House) -> None:
    house.covered()
    theirs = house.made("Condition", subject={"reference": house.made("Patient")}, code={"text": "Theirs"})
    visit = house.visit(diagnosis=[{"condition": {"reference": theirs}}], reasonReference=[{"reference": theirs}])
    house.condition(visit, subject={"reference": house.made("Patient")})
    assert "diagnosis" not in house.charge(visit)["claim"]


def test_papers_that_others_have_changed_are_no_failure(house: House) -> None:
    visit = house.visit()
    charge = {name: value for name, value in house.charge(visit)["charge"].items() if name != "quantity"}
    assert house.client.send("PUT", f"ChargeItem/{charge['id']}", charge).status == 200
    house.covered()
    claim = house.charge(visit)["claim"]
    assert "quantity" not in claim["item"][0] and claim["total"]["value"] == Decimal("45.5")
    bare = {name: value for name, value in claim.items() if name not in ("item", "total")}
    assert house.client.send("PUT", f"Claim/{claim['id']}", bare).status == 200
    assert "No price" in lacking(house.charge(visit))


def test_a_period_tells_the_minutes_when_there_is_no_length(house: House) -> None:
    house.covered()
    charge = house.charge(house.visit(length=None))["charge"]
    assert charge["note"][0]["text"].startswith("30 minutes")


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["charge", "cover", "two"]), min_size=1, max_size=6))
def test_it_is_made_once_however_often_it_is_asked_for(house: House, steps: list[str]) -> None:
    """Also when a Coverage comes in between, and when two ask at one time."""
    alone = House.__new__(House)
    alone.client, alone.doctor = house.client, house.doctor
    alone.patient = house.made("Patient")
    visit, seen = alone.visit(), list[Json]()
    for step in [*steps, "cover", "charge"]:
        if step == "cover":
            alone.covered()
        else:
            with ThreadPoolExecutor(2) as pool:
                seen += pool.map(alone.charge, [visit] * (2 if step == "two" else 1))
    assert len({found["charge"]["meta"]["versionId"] + found["charge"]["id"] for found in seen}) == 1
    claims = [found["claim"] for found in seen if "claim" in found]
    assert claims and all(claim == claims[0] for claim in claims)
    assert alone.count("ChargeItem", context=visit) == 1 and alone.count("Claim", patient=alone.patient) == 1
    targets = (f"ChargeItem/{seen[0]['charge']['id']}", f"Claim/{claims[0]['id']}")
    assert [alone.count("Provenance", target=target) for target in targets] == [1, 1]


def test_who_may_not_write_charges_makes_none(process: Any, house: House) -> None:
    visit = house.visit()
    charging = Charging(read_tariff(process.settings.tariff_file), lambda: 0)
    encounter = decode_stored(process.repository(Caller("x", grants=WHOLE_RECORD)).read(*visit.split("/")).doc)
    reads = Grant("*", "rs")
    for letters in (reads, Grant("ChargeItem", "crus")):
        with pytest.raises(Forbidden):
            charging.charged(process.repository(Caller("Practitioner/1", grants=Grants((reads, letters)))), encounter)
    own = Grants((Grant("*", "cruds", compartment=("Patient", house.patient.split("/")[1])),))
    with pytest.raises(Forbidden, match="compartment"):
        charging.charged(process.repository(Caller("Practitioner/1", grants=own)), encounter)
    assert house.count("ChargeItem", context=visit) == 0


def test_a_patient_does_not_charge(process: Any, house: House) -> None:
    """Whatever they are granted."""
    visit = house.visit()
    house.client.application._caller_of = lambda request: Caller(house.patient, grants=WHOLE_RECORD)
    assert house.client.send("POST", f"{visit}/$charge").status == 403
