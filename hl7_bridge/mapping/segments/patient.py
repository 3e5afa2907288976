"""PID and PD1 to Patient.

HL7 v2.5.1 sections 3.4.2 (PID), 3.4.10 (PD1); official maps PID[Patient], PD1[Patient].
"""

from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.addresses import address, contact_for, contact_point
from hl7_bridge.mapping.datatypes.coded import boolean, code_of, coded, concept
from hl7_bridge.mapping.datatypes.identifiers import Identifier, identifier, key, licence, social_security
from hl7_bridge.mapping.datatypes.names import human_name
from hl7_bridge.mapping.datatypes.numbers import positive
from hl7_bridge.mapping.datatypes.texts import clean, string
from hl7_bridge.mapping.datatypes.times import date, date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import organization
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, apply, extension

_URL: Final = "http://hl7.org/fhir/StructureDefinition/patient-"
_NO_PERSON: Final = frozenset({"VN", "AN"})
"""Types of table 0203 that may stand in PID-3."""


def patient_identifier(value: Value, draft: Draft) -> Identifier | None:
    """CX of PID-3; one that names no authority is the sender's default authority's.

    The number of a visit or an account names no person, and one person's may be another's patient number with the same
    authority: it is kept without a system, so that nobody is found by it.
    """
    found = identifier(value, draft)
    if found and value.text(5).strip().upper() in _NO_PERSON:
        found.pop("system", None)
        return found
    if found and "system" not in found and draft.sender.authority:
        found["system"] = draft.sender.authority
    return found


def patient_keys(values: list[Value], draft: Draft) -> tuple[Key, ...]:
    """What a patient is found by: the identifiers of the authorities that the sender's profile names, best first."""
    found = [made for value in values if (each := patient_identifier(value, draft)) and (made := key(each))]
    trusted = draft.sender.patient_authorities
    if not trusted:
        return tuple(dict.fromkeys(found))
    return tuple(
        sorted({each for each in found if each.system in trusted}, key=lambda each: trusted.index(each.system))
    )


def _communication(value: Value, draft: Draft) -> Resource | None:
    language = concept(value, draft)
    return {"language": language} if language else None


def _alias(value: Value, draft: Draft) -> Resource | None:
    found = human_name(value, draft)
    return found and {"use": "nickname", **found}


def _maiden(value: Value, draft: Draft) -> str | None:
    parts = (value.text(5), value.text(2), value.text(3), value.text(1), value.text(4))
    return clean(" ".join(part.strip() for part in parts if part.strip()))


def _place_of_birth(value: Value, draft: Draft) -> Resource | None:
    text = string(value, draft)
    return {"text": text} if text else None


def _coded_part(part: str) -> Any:
    """Of a complex extension with the one part ``part``."""

    def found(value: Value, draft: Draft) -> list[Resource] | None:
        meant = concept(value, draft)
        return [{"url": part, "valueCodeableConcept": meant}] if meant else None

    return found


PID = SegmentMap(
    "PID",
    "Patient",
    (
        SET_ID,
        Row(2, "identifier[]", identifier),
        Row(3, "identifier[]", patient_identifier),
        Row(4, "identifier[]", identifier),
        Row(5, "name[]", human_name),
        Row(6, "extension[]", extension(_URL + "mothersMaidenName", "valueString", _maiden)),
        Row(7, "birthDate", date),
        Row(8, "gender", code_of("AdministrativeSex")),
        Row(9, "name[]", _alias),
        Row(10, "extension[]", extension("https://hearth.health/v2/race", "valueCodeableConcept", concept), OWN),
        Row(11, "address[]", address),
        Row(12, "address.district"),
        Row(13, "telecom[]", contact_for("home")),
        Row(14, "telecom[]", contact_for("work")),
        Row(15, "communication[]", _communication),
        Row(16, "maritalStatus", coded("MaritalStatus")),
        Row(17, "extension[]", extension(_URL + "religion", "valueCodeableConcept", coded("Religion"))),
        Row(18, "Account.identifier"),
        Row(19, "identifier[]", social_security),
        Row(20, "identifier[]", licence),
        Row(21, "RelatedPerson.identifier"),
        Row(
            22, "extension[]", extension("https://hearth.health/v2/ethnic-group", "valueCodeableConcept", concept), OWN
        ),
        Row(23, "extension[]", extension(_URL + "birthPlace", "valueAddress", _place_of_birth)),
        Row(24, "multipleBirthBoolean"),
        Row(25, "multipleBirthInteger"),
        Row(26, "extension[]", extension(_URL + "citizenship", "extension", _coded_part("code"))),
        Row(28, "extension[]", extension(_URL + "nationality", "extension", _coded_part("code"))),
        Row(29, "deceasedDateTime"),
        Row(30, "deceasedBoolean"),
        Row(35, "extension[]", extension(_URL + "animal", "extension", _coded_part("species"))),
        Row(36, "extension"),
        Row(39, "extension[]", extension(_URL + "citizenship", "extension", _coded_part("code"))),
        Row(40, "telecom[]", contact_point),
    ),
    official="PID[Patient]",
)


def _congregation(value: Value, draft: Draft) -> str | None:
    return clean(value.text(1) or value.text(10))


PD1 = SegmentMap(
    "PD1",
    "Patient",
    (
        Row(3, "generalPractitioner[]", organization),
        Row(4, "generalPractitioner[]", practitioner),
        Row(6, "extension[]", extension(_URL + "disability", "valueCodeableConcept", concept)),
        Row(
            14,
            "extension[]",
            extension(_URL + "congregation", "valueString", _congregation),
        ),
    ),
    official="PD1[Patient]",
)


def patient(pid: Segment, pd1: Segment | None, policy: Policy, draft: Draft) -> Entry:
    """The Patient of ``pid``; its keys may be none, which is for the identity rules to judge."""
    resource: Resource = {"resourceType": "Patient"}
    nulls = apply(PID, pid, resource, draft)
    if pd1 is not None:
        nulls |= apply(PD1, pd1, resource, draft)
    _birth(pid, resource, draft)
    _death(pid, resource, draft, nulls)
    _county(pid, resource)
    _breed(pid, resource, draft)
    _each_once(resource)
    keys = patient_keys(pid.all(3), draft)
    entry = draft.add(resource, policy, keys, *([pid] if pd1 is None else [pid, pd1]))
    if draft.sender.nulls_delete:
        entry.nulls = frozenset(nulls - {"identifier"})
    draft.patient = entry
    return entry


def _birth(pid: Segment, resource: Resource, draft: Draft) -> None:
    at = date_time(pid.first(7), draft) if len(pid[7]) > 8 else None
    if at and len(at) > 10 and "birthDate" in resource:
        resource["_birthDate"] = {"extension": [{"url": _URL + "birthTime", "valueDateTime": at}]}
    order, several = positive(pid.first(25), draft), boolean(pid.first(24), draft)
    if order is not None:
        resource["multipleBirthInteger"] = order
    elif several is not None:
        resource["multipleBirthBoolean"] = several


def _death(pid: Segment, resource: Resource, draft: Draft, nulls: set[str]) -> None:
    at, dead = date_time(pid.first(29), draft), boolean(pid.first(30), draft)
    if at:
        resource["deceasedDateTime"] = at
    elif dead is not None:
        resource["deceasedBoolean"] = dead
    elif pid.is_null(29):
        nulls.add("deceasedDateTime")


def _county(pid: Segment, resource: Resource) -> None:
    county = clean(pid.text(12))
    if not county:
        return
    places = resource.setdefault("address", [])
    if len(places) == 1 and places[0].get("district") in (None, county):
        places[0]["district"] = county
    else:
        places.append({"district": county})


def _breed(pid: Segment, resource: Resource, draft: Draft) -> None:
    breed = concept(pid.first(36), draft) if pid.has(36) else None
    if not breed:
        return
    url = _URL + "animal"
    animal = next((each for each in resource.get("extension", ()) if each["url"] == url), None)
    if animal is not None:
        animal["extension"].append({"url": "breed", "valueCodeableConcept": breed})


def _each_once(resource: Resource) -> None:
    """PID-2, 3, 4 and 19 often say the same identifier again."""
    identifiers = resource.get("identifier", [])
    named = {(each.get("system"), each["value"]): each for each in reversed(identifiers)}
    known = {value for system, value in named if system}
    found = [each for (system, value), each in reversed(named.items()) if system or value not in known]
    if found:
        resource["identifier"] = found
