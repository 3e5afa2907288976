"""Orders from the chart: a laboratory test or a prescription, which leave as HL7 v2 where a route asks for them.

FHIR R4 ServiceRequest, MedicationRequest. Nothing is sent from here: the record has the order, and routes do the rest.
"""

from collections.abc import Mapping
from typing import Any

from fhir_server.pages.chart.found import Found, find
from fhir_server.pages.chart.observed import LOINC
from fhir_server.pages.chart.section import Item, Section
from fhir_server.pages.chart.words import concept, when
from fhir_server.pages.visits.vitals import ENTRIES, Around
from resources.repository import Repository

Json = dict[str, Any]

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
TESTS: tuple[tuple[str, str], ...] = (
    ("58410-2", "Complete blood count"),
    ("24323-8", "Comprehensive metabolic panel"),
    ("24331-1", "Lipid panel"),
    ("4548-4", "Hemoglobin A1c"),
    ("3016-3", "Thyrotropin (TSH)"),
    ("1988-5", "C-reactive protein"),
    ("24356-8", "Urinalysis"),
    ("2157-6", "Creatine kinase"),
)
"""LOINC and what a clinician reads."""
MEDICINES: tuple[tuple[str, str], ...] = (
    ("861007", "metformin hydrochloride 500 MG Oral Tablet"),
    ("314076", "lisinopril 10 MG Oral Tablet"),
    ("197361", "amlodipine 5 MG Oral Tablet"),
    ("308182", "amoxicillin 250 MG Oral Capsule"),
    ("313782", "acetaminophen 325 MG Oral Tablet"),
    ("310965", "ibuprofen 200 MG Oral Tablet"),
    ("617310", "atorvastatin 20 MG Oral Tablet"),
    ("745679", "albuterol 0.09 MG/ACTUAT Inhaler"),
)
"""RxNorm and its name. Any other is ordered by name alone."""
LONGEST = 300
_OVER = frozenset({"completed", "revoked", "cancelled", "stopped", "entered-in-error"})
_STATUS = {"active": "sent or to be sent", "on-hold": "on hold", "revoked": "withdrawn"}


def faults(typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by field; the key '' when nothing was asked for at all."""
    if typed.get("do") == "test":
        known = {code for code, _ in TESTS}
        return {} if typed.get("test") in known else {"test": "Choose a test."}
    wrong = {} if typed.get("medicine") else {"medicine": "Which medicine?"}
    return wrong | ({} if typed.get("dose") else {"dose": "How is it taken?"})


def order(typed: Mapping[str, str], around: Around) -> Json:
    """The resource of what was typed, which has no faults."""
    made: Json = {
        "identifier": [{"system": ENTRIES, "value": around.key}],
        "status": "active",
        "intent": "order",
        "priority": "urgent" if typed.get("urgent") else "routine",
        "subject": {"reference": around.patient},
        "encounter": {"reference": around.encounter},
        "authoredOn": around.at,
    }
    made |= {"requester": {"reference": around.performer}} if around.performer else {}
    made |= {"note": [{"text": typed["remark"]}]} if typed.get("remark") else {}
    return made | (_test(typed) if typed.get("do") == "test" else _prescription(typed))


def _test(typed: Mapping[str, str]) -> Json:
    [text] = [text for code, text in TESTS if code == typed["test"]]
    laboratory = {"system": "http://snomed.info/sct", "code": "108252007", "display": "Laboratory procedure"}
    return {
        "resourceType": "ServiceRequest",
        "category": [{"coding": [laboratory]}],
        "code": {"coding": [{"system": LOINC, "code": typed["test"], "display": text}], "text": text},
    }


def _prescription(typed: Mapping[str, str]) -> Json:
    text = typed["medicine"]
    codings = [{"system": RXNORM, "code": code, "display": name} for code, name in MEDICINES if name == text]
    return {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": {"coding": codings, "text": text} if codings else {"text": text},
        "dosageInstruction": [{"text": typed["dose"]}],
    }


def differs(made: Json, kept: Json) -> bool:
    """Whether something else was ordered by the form that was sent before; whoever fills an order may add notes."""
    return any(made.get(name) != kept.get(name) for name in ("code", "medicationCodeableConcept", "dosageInstruction"))


def ordered(repository: Repository, patient: str, zone: Any) -> Section:
    """The orders of tests: those whose results are awaited, and behind a fold those that are over."""
    found: Found = find(repository, "ServiceRequest", ("patient", patient), ("_sort", "-authored"), most=100)
    items = {
        over: [_item(one, zone) for one in found.matches if (one.get("status") in _OVER) is over]
        for over in (False, True)
    }
    return Section("orders", "Ordered tests", items[False], items[True], "done or withdrawn", found.more, found.refused)


def _item(one: Json, zone: Any) -> Item:
    at = when(one.get("authoredOn", ""), zone)
    status = one.get("status", "")
    facts = [part for part in (f"ordered {at}" if at else "", _STATUS.get(status, status.replace("-", " "))) if part]
    tags = [("Urgent", "warn")] if one.get("priority") in ("urgent", "stat", "asap") else []
    return Item(concept(one.get("code")) or "Unnamed", facts, tags)
