"""Pharmacy messages to orders, dispenses and administrations, and how these find each other."""

from pathlib import Path

import pytest

from hl7_bridge.er7 import parse
from hl7_bridge.errors import Malformed
from hl7_bridge.mapping.account import account
from hl7_bridge.mapping.messages import kind, map_message
from hl7_bridge.mapping.model import Key, Policy
from hl7_bridge.mapping.tests.pharmacy_messages import RXE, RXO, SENDER, entries, mapped, message, only
from hl7_bridge.site.model import Sender
from resources.validation import check

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/hl7v2"
ORDERED = (
    "OMP^O09^OMP_O09",
    "ORC|NW|P1^EHR||G1^EHR|||||20260102100000+0000|||9^House^G",
    RXO,
    "TQ1|1||TID",
    "RXR|PO",
)
ENCODED = ("RDE^O11^RDE_O11", "ORC|NW|P1^EHR|F1^PHA||||||20260102110000+0000", RXE, "TQ1|1||BID", "RXR|PO")
DISPENSED = (
    "RDS^O13^RDS_O13",
    "ORC|RE|P1^EHR|F1^PHA",
    "RXD|1|308182^Amoxicillin^RXNORM|20260103|21|cap||RX-1|1|shaken|5^Pill^Jo|G|||||||LOT7|20270101||||||||||||||R",
    "RXR|PO",
)
GIVEN = (
    "RAS^O17^RAS_O17",
    "ORC|RE|P1^EHR|F1^PHA|||||||||9^House^G",
    "RXA|0|1|20260103080000+0000|20260103080000+0000|308182^Amoxicillin^RXNORM|250|mg||^after food|7^Nurse^Joy"
    "|||||LOT7|20270101|||^fever|CP|A",
    "RXR|PO^oral^HL70162|LA",
)
PLANNED = (
    "RGV^O15^RGV_O15",
    "ORC|RE|P1^EHR|F1^PHA",
    "RXG|1|1||308182^Amoxicillin^RXNORM|250||mg",
    "TQ1|1||||||20260103080000+0000",
    "RXR|PO",
)
ORIGINAL = Key("urn:id:EHR", "P1")
OF_PHARMACY = Key("https://hearth.health/v2/encoded-order", "urn:id:PHA|F1")


@pytest.mark.parametrize("message_", [ORDERED, ENCODED, DISPENSED, GIVEN, PLANNED], ids=lambda each: str(each[0])[:7])
def test_every_resource_is_valid_and_every_field_has_a_fate(message_: tuple[str, ...]) -> None:
    parsed = parse(message(*message_))
    for entry in map_message(parsed, SENDER).entries:
        check(entry.resource)
    populated = sum(len(list(segment.populated())) for segment in parsed.segments)
    fates = [trace for trace in account(parsed, SENDER) if "." not in trace.place]
    assert len(fates) >= populated
    assert all(trace.target or trace.reason for trace in fates)


def test_an_original_order_goes_by_the_placers_number() -> None:
    entry = only(mapped(*ORDERED), "MedicationRequest")
    request = entry.resource
    assert (entry.keys, entry.policy) == ((ORIGINAL,), Policy.ORDER)
    assert (request["status"], request["intent"], request["authoredOn"]) == (
        "active",
        "original-order",
        "2026-01-02T10:00:00+00:00",
    )
    assert request["groupIdentifier"]["value"] == "G1"
    assert request["substitution"]["allowedCodeableConcept"]["coding"][0]["code"] == "G"
    assert request["dispenseRequest"]["numberOfRepeatsAllowed"] == 2
    (dosage,) = request["dosageInstruction"]
    assert dosage["text"] == "with water"
    assert dosage["timing"]["repeat"] == {"frequency": 3, "period": 1, "periodUnit": "d"}
    bounds = dosage["doseAndRate"][0]["doseRange"]
    assert (bounds["low"]["value"], bounds["high"]["value"], bounds["high"]["code"]) == (250, 500, "mg")


def test_a_form_makes_a_medication_of_its_own() -> None:
    found = mapped(*ORDERED)
    medication = only(found, "Medication")
    assert medication.resource["form"]["coding"][0]["code"] == "CAP"
    assert only(found, "MedicationRequest").resource["medicationReference"] == medication.reference


def test_what_the_pharmacy_made_of_it_waits_for_the_order() -> None:
    entry = only(mapped(*ENCODED), "MedicationRequest")
    assert entry.keys == (OF_PHARMACY,)
    assert entry.pending == (ORIGINAL,)
    assert entry.resource["basedOn"][0]["identifier"] == {"system": "urn:id:EHR", "value": "P1"}
    assert entry.resource["intent"] == "filler-order"
    assert "priorPrescription" not in entry.resource


def test_another_drug_replaces_the_order_it_restates() -> None:
    other = RXE.replace("308182^Amoxicillin 250 MG", "1^Penicillin")
    original, encoded = entries(mapped(ENCODED[0], ENCODED[1], RXO, other), "MedicationRequest")
    assert (original.policy, original.keys) == (Policy.REGISTER, (ORIGINAL,))
    assert "status" not in original.defaults and "dosageInstruction" in original.defaults
    assert encoded.resource["basedOn"] == [original.reference]
    assert encoded.resource["priorPrescription"] == original.reference
    assert encoded.resource["medicationCodeableConcept"]["coding"][0]["code"] == "1"


@pytest.mark.parametrize(
    ("control", "status", "expected", "rank"),
    [
        ("NW", "", "active", 0),
        ("CA", "", "cancelled", 1),
        ("DC", "IP", "stopped", 1),
        ("HD", "", "on-hold", 0),
        ("SC", "CM", "completed", 1),
        ("RE", "HD", "on-hold", 0),
    ],
)
def test_order_control_and_status(control: str, status: str, expected: str, rank: int) -> None:
    entry = only(mapped(ORDERED[0], f"ORC|{control}|P1^EHR|||{status}", RXO), "MedicationRequest")
    assert (entry.resource["status"], entry.as_of.rank) == (expected, rank)


def test_a_refill_request_is_a_task_about_the_order() -> None:
    found = mapped("RDE^O25^RDE_O25", ENCODED[1].replace("NW", "RF"), RXE)
    task, request = only(found, "Task"), only(found, "MedicationRequest")
    assert task.resource["focus"] == request.reference
    assert (task.resource["status"], task.resource["code"]["coding"][0]["code"]) == ("requested", "approve")
    answered = mapped("RDE^O25^RDE_O25", ENCODED[1].replace("NW", "AF"), RXE)
    assert only(answered, "Task").keys == task.keys
    assert only(answered, "Task").resource["status"] == "accepted"


def test_a_dispense() -> None:
    found = mapped(*DISPENSED)
    entry = only(found, "MedicationDispense")
    dispense, drug = entry.resource, only(found, "Medication").resource
    assert (dispense["status"], dispense["whenHandedOver"], entry.policy) == ("completed", "2026-01-03", Policy.RESULT)
    assert (dispense["quantity"]["value"], dispense["substitution"]["wasSubstituted"]) == (21, True)
    assert (drug["batch"]["lotNumber"], drug["batch"]["expirationDate"]) == ("LOT7", "2027-01-01")
    assert dispense["type"]["coding"][0]["code"] == "RFC"
    assert entry.pending == (OF_PHARMACY, ORIGINAL)
    assert len(dispense["authorizingPrescription"]) == 2


def test_two_first_dispenses_of_one_order_are_two() -> None:
    later = [each.replace("20260103", "20260203") for each in DISPENSED]
    first, second = (only(mapped(*each), "MedicationDispense").keys for each in (DISPENSED, later))
    assert first != second


@pytest.mark.parametrize(("per", "over"), [("M30", 30), ("H", 1), ("S\u00b2", 0), ("M0", 0), ("M" + "9" * 5000, 0)])
def test_a_rate_is_per_a_whole_number(per: str, over: int) -> None:
    fields = GIVEN[2].split("|")
    fields[12] = per
    made = only(mapped(*GIVEN[:2], "|".join(fields), GIVEN[3]), "MedicationAdministration").resource
    rate = made["dosage"].get("rateRatio")
    assert (rate["denominator"]["value"] if rate else 0) == over


def test_an_administration() -> None:
    entry = only(mapped(*GIVEN), "MedicationAdministration")
    given = entry.resource
    assert (given["status"], given["effectiveDateTime"]) == ("completed", "2026-01-03T08:00:00+00:00")
    assert given["dosage"]["dose"]["value"] == 250
    assert given["dosage"]["route"]["coding"][0]["code"] == "SWALLOW" or given["dosage"]["route"]["coding"]
    assert [each["function"]["coding"][0]["code"] for each in given["performer"]] == ["AP", "OP"]
    assert given["request"]["identifier"]["value"] == OF_PHARMACY.value
    assert given["reasonCode"] == [{"text": "fever"}]


@pytest.mark.parametrize(
    ("completion", "action", "status", "why"),
    [
        ("CP", "A", "completed", 0),
        ("PA", "U", "completed", 1),
        ("NA", "A", "not-done", 1),
        ("RE", "A", "not-done", 1),
        ("", "A", "completed", 0),
        ("CP", "D", "entered-in-error", 0),
    ],
)
def test_completion_and_action(completion: str, action: str, status: str, why: int) -> None:
    rxa = GIVEN[2].replace("|CP|A", f"|{completion}|{action}")
    entry = only(mapped(GIVEN[0], GIVEN[1], rxa, GIVEN[3]), "MedicationAdministration")
    assert (entry.resource["status"], len(entry.resource.get("statusReason", []))) == (status, why)
    assert entry.keys == only(mapped(*GIVEN), "MedicationAdministration").keys


def test_a_planned_give_is_one_instance_of_the_order_or_a_task() -> None:
    entry = only(mapped(*PLANNED), "MedicationRequest")
    assert entry.resource["intent"] == "instance-order"
    assert entry.resource["basedOn"][0]["identifier"]["value"] == "P1"
    wants_tasks = Sender("pharmacy", authority="urn:oid:1.2.3", planned_gives="Task")
    task = only(mapped(*PLANNED, sender=wants_tasks), "Task")
    assert task.keys == entry.keys
    assert task.resource["executionPeriod"]["start"] == "2026-01-03T08:00:00+00:00"
    check(task.resource)


def test_components_are_ingredients() -> None:
    parts = ("RXC|B|1^Saline^L|1000|mL^mL^UCUM", "RXC|A|2^Potassium^L|20|mmol^mmol^UCUM||||1000|mL^mL^UCUM")
    (base, added) = only(mapped(*ENCODED, *parts), "Medication").resource["ingredient"]
    assert (base["isActive"], added["isActive"]) == (False, True)
    assert (added["strength"]["numerator"]["code"], added["strength"]["denominator"]["value"]) == ("mmol", 1000)


def test_a_number_of_several_drugs_is_each_drugs_with_its_code() -> None:
    one = ("ORC|NW|P1^EHR", RXO, "ORC|NW|P1^EHR", RXO.replace("308182", "5"))
    first, second = entries(mapped("OMP^O09^OMP_O09", *one), "MedicationRequest")
    assert first.keys != second.keys
    assert first.keys[0].system == second.keys[0].system == "https://hearth.health/v2/original-order"


def test_an_order_without_orc_is_the_messages_own() -> None:
    assert only(mapped("RDE^O11^RDE_O11", RXE, "RXR|PO"), "MedicationRequest").resource["status"] == "unknown"


def _samples() -> list[Path]:
    kinds = ("OMP", "RDE", "RDS", "RAS", "RGV", "ORM")
    found = [each for each in sorted(SAMPLES.rglob("*")) if each.is_file() and each.suffix in (".hl7", ".txt")]
    return [each for each in found if any(f"{kind_}^" in each.read_text("latin-1") for kind_ in kinds)]


def test_all_samples_are_mapped_and_valid() -> None:
    if not SAMPLES.exists():
        pytest.skip("no sample data")
    seen = 0
    for path in _samples():
        parsed = parse(path.read_bytes())
        if kind(parsed)[:3] not in ("OMP", "RDE", "RDS", "RAS", "RGV", "ORM"):
            continue
        seen += 1
        places = {trace.place for trace in account(parsed, SENDER)}
        assert len(places) >= sum(len(list(segment.populated())) for segment in parsed.segments)
        try:
            found = map_message(parsed, SENDER)
        except Malformed:
            assert parsed.first("PID") is None
            continue
        assert found.is_mapped
        for entry in found.entries:
            check(entry.resource)
    assert seen > 40
