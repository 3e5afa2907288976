"""OBR (with ORC) and its OBX to DiagnosticReport.

HL7 v2.5.1 sections 7.4.1 (OBR), 7.4.2 (OBX); official map OBR[DiagnosticReport]; identity is ours.
"""

from collections.abc import Iterable
from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.attachments import encapsulated, pointer
from hl7_bridge.mapping.datatypes.coded import coded, concept
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import between, instant, millis
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import named_with_role
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.orders import Order, Result
from hl7_bridge.mapping.rows import OWN, SET_ID, Read, Row, SegmentMap, apply
from hl7_bridge.mapping.segments.notes import lines
from hl7_bridge.mapping.segments.observation import status as observation_status
from hl7_bridge.mapping.segments.observation_value import DOCUMENTS
from hl7_bridge.mapping.segments.service_request import Numbers, service

SYSTEM: Final = "https://hearth.health/v2/report"

RANKS: Final = {
    "registered": 0,
    "unknown": 0,
    "partial": 1,
    "preliminary": 1,
    "final": 2,
    "cancelled": 2,
    "amended": 3,
    "corrected": 3,
    "appended": 3,
    "entered-in-error": 3,
}

_CATEGORIES: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
_LABORATORY: Final = frozenset("BG BLB CG CH CP HM IMM LAB MB MCB MYC SP SR TX VR".split())  # noqa: SIM905
_IMAGING: Final = frozenset({"RAD", "CT", "US", "NMR", "NMS", "RUS", "XRC", "VUS", "OUS", "CUS", "RX"})


def _interpreter(value: Value, draft: Draft) -> Resource | None:
    return named_with_role(value, draft, "interpreter")


_REASON: Final = "http://hl7.org/fhir/StructureDefinition/event-statusReason"
_FUNCTION: Final = "http://hl7.org/fhir/StructureDefinition/event-performerFunction"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"


def _performer(function: str) -> Read:
    """A function that makes an NDL a performer whose function is said beside the reference."""

    def found(value: Value, draft: Draft) -> Resource | None:
        who = named_with_role(value, draft, "technician" if function == "SPRF" else "transcriber")
        code = {"coding": [{"system": _PARTICIPATION, "code": function}]}
        return who and {"extension": [{"url": _FUNCTION, "valueCodeableConcept": code}], **who}

    return found


OBR = SegmentMap(
    "OBR",
    "DiagnosticReport",
    (
        SET_ID,
        Row(2, "identifier"),
        Row(3, "identifier"),
        Row(4, "code", concept),
        Row(7, "effectiveDateTime"),
        Row(8, "effectivePeriod.end"),
        Row(22, "issued", instant),
        Row(24, "category[]", coded("DiagnosticServiceSectionID")),
        Row(25, "status"),
        Row(26, "Observation.derivedFrom", origin=OWN),
        Row(32, "resultsInterpreter[]", _interpreter),
        Row(33, "resultsInterpreter[]", _interpreter, OWN),
        Row(34, "performer[]", _performer("SPRF")),
        Row(35, "performer[]", _performer("TRANS")),
    ),
    official="OBR[DiagnosticReport]",
)


def report_name(order: Order, number: Numbers) -> str:
    """The identity of the report: its order's and the service."""
    return f"{number.name}|{service(order)}"


def diagnostic_report(order: Order, number: Numbers, draft: Draft) -> Entry:
    """The DiagnosticReport of one OBR, without its results yet."""
    obr = order.obr
    assert obr is not None
    resource: Resource = {"resourceType": "DiagnosticReport"}
    if number.identifiers:
        resource["identifier"] = [*number.identifiers]
    apply(OBR, obr, resource, draft)
    resource["status"] = status(obr, _results(order), draft)
    resource.setdefault("code", {"text": "unknown"})
    resource["subject"] = draft.subject
    if draft.encounter is not None:
        resource["encounter"] = draft.encounter.reference
    _effective(obr, resource, draft)
    reason = concept(order.orc.first(16), draft) if order.orc is not None and order.orc.has(16) else None
    if reason:
        resource["extension"] = [{"url": _REASON, "valueCodeableConcept": reason}]
    said = lines(order.notes)
    if said:
        resource["conclusion"] = said
    derived = Key(SYSTEM, report_name(order, number))
    resource.setdefault("identifier", []).append({"system": derived.system, "value": derived.value})
    time = millis(obr.text(22), draft)
    segments = [each for each in (order.orc, obr) if each is not None]
    return draft.add(resource, Policy.RESULT, (derived,), *segments, rank=RANKS[resource["status"]], time=time)


def _results(order: Order) -> list[Result]:
    return order.results or [each for material in order.materials for each in material.results]


def status(obr: Segment, results: Iterable[Result], draft: Draft) -> str:
    """OBR-25, corrected when a result of a final report is; without it, what the results say together."""
    said = {each.obx[11]: each.obx for each in results if each.obx.has(11)}
    codes = [observation_status(obx, draft) for obx in said.values()]
    code = obr.text(25)
    if not code:
        return _together(codes)
    draft.place = "OBR-25"
    found = draft.translate(table("ResultStatus[Non-Queries]"), code)
    if found is None or found.code not in RANKS:
        return "unknown"
    return "corrected" if found.code == "final" and "corrected" in codes else found.code


def _together(codes: list[str]) -> str:
    if not codes:
        return "unknown"
    if set(codes) <= {"final", "corrected", "amended", "cancelled", "entered-in-error"}:
        return "corrected" if "corrected" in codes else "final" if "final" in codes else codes[0]
    return "preliminary" if {"preliminary", "final", "corrected", "amended"} & set(codes) else "registered"


def _effective(obr: Segment, resource: Resource, draft: Draft) -> None:
    lasting = between(obr.text(7), obr.text(8), draft) if obr.has(7) or obr.has(8) else None
    if lasting and "end" in lasting:
        resource["effectivePeriod"] = lasting
    elif lasting:
        resource["effectiveDateTime"] = lasting["start"]


def category(obr: Segment) -> Resource:
    """What an Observation of this report is for searches: laboratory or imaging; empty when OBR-24 does not say."""
    code = obr.text(24)
    meant = "laboratory" if code in _LABORATORY else "imaging" if code in _IMAGING else ""
    return {"category": [{"coding": [{"system": _CATEGORIES, "code": meant}]}]} if meant else {}


def is_document(result: Result) -> bool:
    """Whether the OBX holds a document rather than a value."""
    return result.obx.text(2) in DOCUMENTS


DOCUMENT = SegmentMap(
    "OBX",
    "DiagnosticReport",
    (
        SET_ID,
        Row(2, "presentedForm"),
        Row(3, "presentedForm.title"),
        Row(5, "presentedForm"),
        Row(11, "status"),
    ),
    official="ED[Attachment]",
)


def documents(results: Iterable[Result], report: Entry, draft: Draft) -> None:
    """ED and RP as presentedForm, each with the name of what it shows."""
    for result in results:
        obx = result.obx
        draft.place = "OBX-5"
        if draft.trace is not None:
            draft.trace.uses(DOCUMENT, obx)
        read = encapsulated if obx.text(2) == "ED" else pointer
        for value in obx.all(5):
            made = read(value, draft)
            if made is None:
                continue
            title = clean(obx.text(3, 2) or obx.text(3))
            if title:
                made["title"] = title
            report.resource.setdefault("presentedForm", []).append(made)
            report.sources = (*report.sources, obx.index)
