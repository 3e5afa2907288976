"""The worklist: codes that no table knows, and the form that answers one.

FHIR R4 ConceptMap (https://hl7.org/fhir/R4/conceptmap.html) is what the answers come to.
"""

import re
from typing import Any

from flask import Response, request

from fhir_server.pages.hl7.desk import Desk
from fhir_server.pages.rendering import grouped
from hl7_bridge.site.answers import coding
from hl7_bridge.site.model import Coding
from hl7_bridge.worklist import Again
from resources.errors import FhirError, Unavailable

SHOWN = 200
_SYSTEM = re.compile(r"(urn:[a-z0-9-]+:|https?://)\S+")
SYSTEMS = (
    ("http://loinc.org", "LOINC"),
    ("http://snomed.info/sct", "SNOMED CT"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "RxNorm"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "ICD-10-CM"),
    ("http://hl7.org/fhir/sid/cvx", "CVX"),
    ("http://hl7.org/fhir/sid/ndc", "NDC"),
    ("http://unitsofmeasure.org", "UCUM"),
    ("http://terminology.hl7.org/CodeSystem/v3-ActCode", "HL7 v3 ActCode"),
)
"""Offered while a system is typed; any other will do."""


def codes(desk: Desk, *, error: str = "", notice: str = "", typed: dict[str, str] | None = None) -> Response:
    """GET /hl7/codes"""
    sender, answered = request.values.get("sender", "")[:200], request.values.get("answered", "") == "1"
    items = desk.console.journal.worklist(sender, answered=answered)
    known = sorted({item.sender for item in items} | ({sender} if sender else set()))
    told: dict[str, Any] = {"notice": notice} if notice else {}
    return desk.page(
        "codes.html",
        400 if error else 200,
        tab="codes",
        heading="Unmapped codes",
        items=[(item, coding(item) if item.answer else None) for item in items[:SHOWN]],
        more=len(items) - SHOWN,
        senders=known,
        sender=sender,
        answered=answered,
        systems=SYSTEMS,
        typed=typed or {},
        error=error,
        **told,
    )


def answer(desk: Desk) -> Response:
    """POST /hl7/codes"""
    typed = {
        name: request.form.get(name, "").strip()[:1000]
        for name in ("of", "source", "code", "system", "target", "display")
    }
    fault = _fault(typed)
    if fault:
        return codes(desk, error=fault, typed=typed)
    meant = Coding(typed["system"], typed["target"], typed["display"])
    try:
        again = desk.console.answer(desk.visitor, typed["of"], typed["source"], typed["code"], meant)
    except Unavailable:
        raise
    except FhirError as refused:
        return codes(desk, error=refused.issues[0].text, typed=typed)
    return codes(desk, notice=f"The answer for {typed['code']} is kept. {_told(again)}")


def _told(again: Again) -> str:
    words = "message is" if again.now == 1 else "messages are"
    more = f" {grouped(again.later)} more follow." if again.later else ""
    return f"{grouped(again.now)} {words} read again.{more}"


def _fault(typed: dict[str, str]) -> str:
    if not typed["target"]:
        return f"Say which code {typed['code']} means."
    if not _SYSTEM.fullmatch(typed["system"]):
        return "The code system is a URI, such as http://loinc.org or urn:oid:1.2.3."
    return ""
