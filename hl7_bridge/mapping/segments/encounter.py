"""PV1 and PV2 to Encounter, and the EpisodeOfCare it may be part of.

HL7 v2.5.1 sections 3.4.3 (PV1), 3.4.4 (PV2); official maps PV1[Encounter], PV2[Encounter], MSH[Encounter].
"""

from html import escape
from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.coded import coded, coding_of, concept
from hl7_bridge.mapping.datatypes.identifiers import TYPES, identifier, key
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import between, date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.locations import location
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Read, Row, SegmentMap, apply, extension, listed

_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_PLANNED_START: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedStartDate"
_PLANNED_END: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedEndDate"
_ARRIVAL: Final = "http://hl7.org/fhir/StructureDefinition/encounter-modeOfArrival"
_VISIT_NUMBER: Final = {"coding": [{"system": TYPES, "code": "VN"}], "text": "visit number"}


def participant(code: str, text: str, shown: str = "display") -> Read:
    """A function that makes an XCN a participant of that type."""

    def found(value: Value, draft: Draft) -> Resource | None:
        who = practitioner(value, draft)
        if who is None:
            return None
        kind: Resource = {"coding": [{"system": _PARTICIPATION, "code": code}]}
        if shown == "display":
            kind["coding"][0]["display"] = text
        else:
            kind["text"] = text
        return {"type": [kind], "individual": who}

    return found


def at_location(status: str) -> Read:
    """A function that makes a PL a location of the encounter."""

    def found(value: Value, draft: Draft) -> Resource | None:
        where = location(value, draft)
        return {"location": where, "status": status} if where else None

    return found


def visit(value: Value, draft: Draft) -> Resource | None:
    """CX of a visit number; one that names no authority is the sender's own."""
    found = identifier(value, draft)
    if found and "system" not in found:
        found["system"] = draft.own("visit")
    return found


def _visit_number(value: Value, draft: Draft) -> Resource | None:
    found = visit(value, draft)
    return found and {**found, "type": _VISIT_NUMBER}


def _discharged_to(value: Value, draft: Draft) -> Resource | None:
    code = concept(value.part(1), draft) if value.raw_part(1) else None
    if not code:
        return None
    text = code.get("text") or code["coding"][0].get("display") or code["coding"][0]["code"]
    identity = Key(draft.own("discharge-location"), str(text))
    resource = {
        "resourceType": "Location",
        "identifier": [{"system": identity.system, "value": identity.value}],
        "name": text,
        "type": [code],
    }
    return draft.mention(resource, (identity,))


PV1 = SegmentMap(
    "PV1",
    "Encounter",
    (
        SET_ID,
        Row(2, "class", coding_of("PatientClass[EncounterClass]")),
        Row(3, "location[]", at_location("active")),
        Row(4, "type[]", coded("AdmissionType")),
        Row(5, "hospitalization.preAdmissionIdentifier", identifier),
        Row(6, "location[]", at_location("completed")),
        Row(7, "participant[]", participant("ATND", "attender")),
        Row(8, "participant[]", participant("REF", "referrer", "text")),
        Row(9, "participant[]", participant("CON", "consultant", "text")),
        Row(10, "serviceType", coded("HospitalService")),
        Row(11, "location[]", at_location("active")),
        Row(13, "hospitalization.reAdmission", coded("ReadmissionIndicator")),
        Row(14, "hospitalization.admitSource", concept),
        Row(15, "hospitalization.specialArrangement[]", coded("AmbulatoryStatus")),
        Row(16, "hospitalization.specialCourtesy[]", concept),
        Row(17, "participant[]", participant("ADM", "admitter", "text")),
        Row(19, "identifier[]", _visit_number),
        Row(36, "hospitalization.dischargeDisposition", concept),
        Row(37, "hospitalization.destination", _discharged_to),
        Row(38, "hospitalization.dietPreference[]", concept),
        Row(40, "Location.operationalStatus"),
        Row(42, "location[]", at_location("reserved")),
        Row(43, "location[]", at_location("completed"), OWN),
        Row(44, "period.start"),
        Row(45, "period.end"),
        Row(50, "identifier[]", visit),
        Row(52, "participant[]", participant("PART", "Participation", "text")),
        Row(53, "EpisodeOfCare.extension"),
        Row(54, "EpisodeOfCare.identifier"),
    ),
    official="PV1[Encounter]",
)


def _narrative(value: Value, draft: Draft) -> Resource | None:
    text = clean(value.whole)
    if not text:
        return None
    return {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(text)}</div>'}


def _days(value: Value, draft: Draft) -> Resource | None:
    amount = number(value.text())
    return (
        None
        if amount is None
        else {"value": amount, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
    )


def _arrival(value: Value, draft: Draft) -> Resource | None:
    found = coded("ModeOfArrivalCode")(value, draft)
    return found["coding"][0] if found and found.get("coding") else None


def _protected(value: Value, draft: Draft) -> Resource | None:
    code = " ".join(value.text(1).split())
    if code == "Y":
        return {
            "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
            "code": "R",
            "display": "restricted",
        }
    return None if code in ("", "N") else {"code": code}


PV2 = SegmentMap(
    "PV2",
    "Encounter",
    (
        Row(1, "location[]", at_location("planned")),
        Row(3, "reasonCode[]", concept),
        Row(8, "extension[]", extension(_PLANNED_START, "valueDateTime", date_time)),
        Row(9, "extension[]", extension(_PLANNED_END, "valueDateTime", date_time)),
        Row(11, "length", _days),
        Row(12, "text", _narrative),
        Row(13, "participant[]", participant("REF", "referrer", "text")),
        Row(22, "meta.security", listed(_protected)),
        Row(25, "priority", coded("EncounterPriority")),
        Row(38, "extension[]", extension(_ARRIVAL, "valueCoding", _arrival)),
    ),
    official="PV2[Encounter]",
)


def encounter(pv1: Segment, pv2: Segment | None, policy: Policy, draft: Draft) -> Entry:
    """The Encounter of ``pv1``; its keys may be none (see ``mapping.identity``)."""
    resource: Resource = {"resourceType": "Encounter"}
    nulls = apply(PV1, pv1, resource, draft)
    if pv2 is not None:
        nulls |= apply(PV2, pv2, resource, draft)
    resource["status"] = status(pv1, draft)
    defaults = {"status"} if _is_silent_on_status(pv1, draft) else set()
    if "class" not in resource:
        resource["class"] = {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK"}
        defaults.add("class")
    resource["subject"] = draft.subject
    lasting = between(pv1.text(44), pv1.text(45), draft) if pv1.has(44) or pv1.has(45) else None
    if lasting:
        resource["period"] = lasting
    if pv1.text(2) == "P":
        for each in resource.get("location", ())[:1]:
            each["status"] = "planned"
    _episode(pv1, resource, policy, draft)
    keys = tuple(made for each in resource.get("identifier", ()) if (made := key(each)))
    entry = draft.add(resource, policy, keys, *([pv1] if pv2 is None else [pv1, pv2]))
    if draft.sender.nulls_delete:
        entry.nulls = frozenset(nulls - {"identifier", "class", "status"})
    entry.defaults = frozenset(defaults)
    draft.encounter = entry
    return entry


_UPDATES: Final = frozenset({"A08", "A31", "A28", "A60", "A05", "A14"})


def _is_silent_on_status(pv1: Segment, draft: Draft) -> bool:
    """An update of demographics must not open again an encounter that is over."""
    moves = draft.message.type == "ADT" and draft.message.event not in _UPDATES
    return not moves and not pv1.has(45)


_ENDED: Final = frozenset({"A03"})
_CANCELLED: Final = frozenset({"A11", "A27", "A38"})


def status(pv1: Segment, draft: Draft) -> str:
    """Where the encounter stands: cancelled or finished by its event, finished by a discharge time, else by class."""
    event = draft.message.event if draft.message.type == "ADT" else ""
    rows = table("Event[EncounterStatus]")
    # A cancelled discharge takes back the discharge time that some senders repeat.
    if event in _CANCELLED or event in _ENDED or event == "A13":
        return rows.codes[event].code
    if pv1.has(45) and date_time(pv1.first(45), draft):
        return "finished"
    by_class = table("PatientClass[EncounterStatus]").codes.get(pv1.text(2))
    if by_class is not None and by_class.code == "planned":
        return "planned"
    by_event = rows.codes.get(event)
    return by_event.code if by_event is not None else by_class.code if by_class is not None else "unknown"


def _episode(pv1: Segment, resource: Resource, policy: Policy, draft: Draft) -> None:
    number = visit(pv1.first(54), draft) if pv1.has(54) else None
    known = key(number)
    if number is None or known is None:
        return
    episode: dict[str, Any] = {
        "resourceType": "EpisodeOfCare",
        "identifier": [number],
        "status": "active",
        "patient": draft.subject,
    }
    text = clean(pv1.first(53).whole)
    if text:
        url = "http://hl7.org/fhir/StructureDefinition/resource-instance-description"
        episode["extension"] = [{"url": url, "valueString": text}]
    made = draft.add(episode, policy, (known,), pv1)
    resource["episodeOfCare"] = [made.reference]
