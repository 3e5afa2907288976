"""The demonstration as a visitor sees it: everything answers, and orders come back as results."""

import httpx
import pytest

from deploy.demo.house import Ports
from deploy.tests.conftest import Demo, Record

pytestmark = pytest.mark.slow


def test_every_link_opens_a_page(demo: Demo) -> None:
    links = [word.rstrip(",;.") for word in demo.said.split() if word.startswith("http")]
    assert len(links) >= 7
    for link in links:
        answer = httpx.get(link.partition("#")[0], follow_redirects=True)
        assert answer.status_code == 200, (link, answer.status_code)


def test_a_visit_is_booked(record: Record) -> None:
    [appointment] = record.found("Appointment", patient="ada")
    assert appointment["status"] == "booked" and appointment["extension"]


def test_the_link_comes_to_the_patients_telephone(ports: Ports, record: Record) -> None:
    [told] = record.found("Communication", recipient="Patient/ada", identifier="urn:x-hearth:outbox|")
    assert told["status"] == "completed" and "Okafor" not in str(told)
    page = httpx.get(f"http://127.0.0.1:{ports.phones}/").text
    assert "+1 555 0111" in page and f"http://127.0.0.1:{ports.video}/visit#invitation=" in page
    assert "Okafor" not in page and "Bergmann" not in page


def test_an_order_comes_back_as_results(record: Record) -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": "58410-2", "display": "CBC panel"}]}
    order = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": code,
        "subject": {"reference": "Patient/ben"},
        "requester": {"reference": "Practitioner/bergmann"},
    }
    placed = record.create(order)
    [report] = record.found("DiagnosticReport", **{"based-on": f"ServiceRequest/{placed['id']}"})
    assert report["status"] == "final" and len(report["result"]) == 3


def test_a_prescription_is_dispensed(record: Record) -> None:
    code = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "860975", "display": "metformin 500 MG"}
    prescribed = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [code]},
        "subject": {"reference": "Patient/ben"},
        "requester": {"reference": "Practitioner/bergmann"},
        "dosageInstruction": [{"text": "1 tablet twice a day"}],
    }
    placed = record.create(prescribed)
    [handed] = record.found("MedicationDispense", prescription=f"MedicationRequest/{placed['id']}")
    assert handed["status"] == "completed"
