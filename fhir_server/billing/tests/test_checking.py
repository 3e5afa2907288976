"""Checking: what a biller changes, what is refused, and that two windows do not overwrite each other."""

from decimal import Decimal
from typing import Any

import pytest

from fhir_server.billing.checking import Edit, Hand, Seen, not_billable, save
from fhir_server.billing.tariff import read_tariff
from fhir_server.billing.tests.conftest import House
from resources.errors import BusinessRule, Invalid, PreconditionFailed
from resources.repository import WHOLE_RECORD, Caller, Repository

Json = dict[str, Any]

HAND = Hand("", 1_795_000_000_000)


class Draft:
    """A draft of a claim with a diagnosis, and who works on it."""

    def __init__(self, process: Any, house: House) -> None:
        self.house, self.tariff = house, read_tariff(process.settings.tariff_file)
        self.repository: Repository = process.repository(Caller(house.doctor, grants=WHOLE_RECORD))
        house.covered()
        self.visit = house.visit()
        self.conditions = [house.condition(self.visit), house.condition(self.visit)]
        self.papers = house.charge(self.visit)
        self.seen = Seen(self.visit.split("/")[1], 1, 1)

    def edit(self, **given: Any) -> Edit:
        usual = {"code": "short", "modifier": "93", "place": "10", "conditions": tuple(self.conditions[::-1])}
        return Edit(**(usual | given))

    def got(self, name: str) -> Json:
        one = self.papers[name]
        found: Json = self.house.client.send("GET", f"{one['resourceType']}/{one['id']}").json
        return found


@pytest.fixture
def draft(process: Any, house: House) -> Draft:
    return Draft(process, house)


def test_edited_and_checked(draft: Draft) -> None:
    save(draft.repository, draft.tariff, draft.seen, draft.edit(), HAND)
    claim, charge = draft.got("claim"), draft.got("charge")
    [item] = claim["item"]
    assert claim["status"] == "draft" and charge["code"] == item["productOrService"]
    assert item["productOrService"]["coding"][0]["code"] == "short"
    assert item["modifier"][0]["coding"][0]["code"] == "93"
    assert item["locationCodeableConcept"]["coding"][0]["code"] == "10"
    assert [row["diagnosisReference"]["reference"] for row in claim["diagnosis"]] == draft.conditions[::-1]
    assert claim["total"] == item["net"] == {"value": Decimal(20), "currency": "EUR"}
    seen = Seen(draft.seen.encounter, int(charge["meta"]["versionId"]), int(claim["meta"]["versionId"]))
    bare = draft.edit(modifier="", place="", conditions=())
    save(draft.repository, draft.tariff, seen, bare, Hand(draft.house.doctor, HAND.at), check=True)
    claim = draft.got("claim")
    assert claim["status"] == "active" and "diagnosis" not in claim and "modifier" not in claim["item"][0]
    found = draft.house.client.send("GET", f"Provenance?target=Claim/{claim['id']}&agent={draft.house.doctor}").json
    [said] = [entry["resource"] for entry in found["entry"] if entry["resource"]["activity"]["text"] == "Checked."]
    assert said["agent"][0]["type"]["coding"][0]["code"] == "verifier"


def test_another_window_is_not_overwritten(draft: Draft) -> None:
    save(draft.repository, draft.tariff, draft.seen, draft.edit(), HAND)
    with pytest.raises(PreconditionFailed):
        save(draft.repository, draft.tariff, draft.seen, draft.edit(code="long"), HAND, check=True)
    with pytest.raises(PreconditionFailed):
        not_billable(draft.repository, draft.seen, "twice", HAND)
    assert draft.got("charge")["status"] == "billable" and draft.got("claim")["status"] == "draft"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"code": "other"}, "no code"),
        ({"place": "99"}, "place"),
        ({"modifier": "XX"}, "modifier"),
        ({"conditions": ("Condition/none",)}, "Condition"),
        ({"conditions": ("Patient/1",)}, "Condition"),
    ],
)
def test_what_cannot_be_chosen_is_refused(draft: Draft, given: Json, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        save(draft.repository, draft.tariff, draft.seen, draft.edit(**given), HAND)
    assert draft.got("claim")["meta"]["versionId"] == "1"


def test_a_diagnosis_is_of_the_patient_and_there_once(draft: Draft) -> None:
    stranger = draft.house.made("Patient")
    other = draft.house.made("Condition", subject={"reference": stranger})
    for conditions in ((other,), (draft.conditions[0],) * 2):
        with pytest.raises(Invalid, match="of the patient"):
            save(draft.repository, draft.tariff, draft.seen, draft.edit(conditions=conditions), HAND)


def test_a_restricted_diagnosis_makes_the_claim_restricted(draft: Draft) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}
    secret = draft.house.condition(draft.visit, meta={"security": [label]})
    save(draft.repository, draft.tariff, draft.seen, draft.edit(conditions=(secret,)), HAND)
    assert draft.got("claim")["meta"]["security"] == [label]


def test_not_billed_for_a_reason(draft: Draft) -> None:
    with pytest.raises(Invalid, match="why"):
        not_billable(draft.repository, draft.seen, "  ", HAND)
    not_billable(draft.repository, draft.seen, "Part of the operation", HAND)
    charge, claim = draft.got("charge"), draft.got("claim")
    assert (charge["status"], claim["status"]) == ("not-billable", "cancelled")
    assert charge["note"][-1]["text"] == "Not billed: Part of the operation"
    again = draft.house.charge(draft.visit)
    assert again["charge"] == charge and again["claim"] == claim and "outcome" not in again
    seen = Seen(draft.seen.encounter, 2, 2)
    with pytest.raises(BusinessRule, match="cancelled"):
        save(draft.repository, draft.tariff, seen, draft.edit(), HAND, check=True)
    with pytest.raises(BusinessRule, match="already"):
        not_billable(draft.repository, seen, "again", HAND)


def test_no_claim_is_left_behind_by_who_saw_none(draft: Draft) -> None:
    with pytest.raises(PreconditionFailed):
        not_billable(draft.repository, Seen(draft.seen.encounter, 1, 0), "Part of the operation", HAND)
    assert draft.got("charge")["status"] == "billable"


def test_nothing_is_checked_of_a_charge_that_is_not_billed(draft: Draft) -> None:
    charge = draft.got("charge")
    draft.house.client.send("PUT", f"ChargeItem/{charge['id']}", charge | {"status": "aborted"})
    with pytest.raises(BusinessRule, match="aborted"):
        save(draft.repository, draft.tariff, draft.seen, draft.edit(code="long"), HAND, check=True)
    assert draft.got("claim")["status"] == "draft"


def test_what_is_checked_stays(draft: Draft) -> None:
    save(draft.repository, draft.tariff, draft.seen, draft.edit(code="long"), HAND, check=True)
    seen = Seen(draft.seen.encounter, 1, 2)
    for change in (lambda: save(draft.repository, draft.tariff, seen, draft.edit(code="long"), HAND),
                   lambda: not_billable(draft.repository, seen, "no", HAND)):  # fmt: skip
        with pytest.raises(BusinessRule, match="checked already"):
            change()
