"""What the record says of a finished visit: minutes, modality, where the patient was, who was there.

FHIR R4 Encounter.length, .period, .class, .location (https://hl7.org/fhir/R4/encounter.html); UCUM units of time.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from fhir_server.billing.tariff import AT_HOME, ELSEWHERE, Modality, Tariff
from fhir_server.visits.people import patient_of
from resources.errors import BusinessRule
from video.visit.moments import moment
from video.visit.virtual_service import services

Json = dict[str, Any]
Look = Callable[[str], Json | None]

_MINUTES = {"min": Decimal(1), "h": Decimal(60), "s": Decimal(1) / 60, "d": Decimal(1440)}
_HUNDREDTH = Decimal("0.01")
_LONGEST = 366 * 86_400
"""No visit is longer, in whichever unit."""
_TELEPHONE = {("http://snomed.info/sct", "185317003")}
_HOMES = {("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "PTRES")}
_HOUSE = {("http://terminology.hl7.org/CodeSystem/location-physical-type", "ho")}
_UNFINISHED = {
    "cancelled": "The Encounter was cancelled; there is nothing to charge.",
    "entered-in-error": "The Encounter was entered in error; there is nothing to charge.",
}
_INDIVIDUALS = ("Practitioner/", "PractitionerRole/")


def refuse_unfinished(encounter: Json) -> None:
    """Raise BusinessRule for a visit that cannot be charged."""
    status = encounter.get("status", "")
    if status != "finished":
        usual = f"The Encounter is {status}; it is charged when it is finished."
        raise BusinessRule(_UNFINISHED.get(status, usual), expression="Encounter.status")
    if not patient_of(encounter):
        raise BusinessRule("The Encounter names no patient of this server.", expression="Encounter.subject")


def minutes_of(encounter: Json) -> Decimal:
    """Of a video visit those of two-way media, less the time away. Raises BusinessRule when nothing says how long."""
    length = encounter.get("length", {})
    factor = _MINUTES.get(length.get("code") or length.get("unit", ""))
    if factor is not None and "value" in length:
        value = Decimal(str(length["value"]))
        if not 0 <= value <= _LONGEST:
            raise BusinessRule(
                f"The Encounter's length is {value}; expected 0 to {_LONGEST}.", expression="Encounter.length"
            )
        return (value * factor).quantize(_HUNDREDTH)
    ends = [moment(encounter.get("period", {}).get(end)) for end in ("start", "end")]
    if ends[0] is None or ends[1] is None or ends[1] < ends[0]:
        raise BusinessRule(
            "Nothing says how long the visit was: it has neither a length nor a period with two times.",
            expression="Encounter.length",
        )
    return (Decimal(ends[1] - ends[0]) / 60_000).quantize(_HUNDREDTH)


def modality_of(encounter: Json) -> Modality:
    """By video where it is virtual, unless its type says telephone."""
    if any(_TELEPHONE & set(_codes(one)) for one in encounter.get("type", ())):
        return "audio"
    return "video" if encounter.get("class", {}).get("code") == "VR" or services(encounter) else "in-person"


def place_of(encounter: Json, tariff: Tariff, look: Look) -> str:
    """Place of service of a visit over a distance, by where the record says that the patient was; '' when nothing says
    it, and of visits in person."""
    if modality_of(encounter) == "in-person":
        return ""
    found = [look(row.get("location", {}).get("reference", "")) for row in encounter.get("location", ())]
    known = [location for location in found if location]
    if not known:
        return tariff.place_unsaid
    code = AT_HOME if any(map(_is_home, known)) else ELSEWHERE
    return code if code in tariff.places else ""


def _is_home(location: Json) -> bool:
    kinds = {code for one in location.get("type", ()) for code in _codes(one)}
    return bool(kinds & _HOMES or set(_codes(location.get("physicalType", {}))) & _HOUSE)


def practitioners_of(encounter: Json) -> list[str]:
    """References of those who were in the visit, each once."""
    found = (row.get("individual", {}).get("reference", "") for row in encounter.get("participant", ()))
    return list(dict.fromkeys(who for who in found if who.startswith(_INDIVIDUALS)))


def provider_of(encounter: Json) -> str:
    """Who charges: the organization of the visit, else its first practitioner; ''."""
    organization: str = encounter.get("serviceProvider", {}).get("reference", "")
    return organization or next(iter(practitioners_of(encounter)), "")


def stated_diagnoses(encounter: Json) -> list[str]:
    """References of the Conditions that the visit itself names, by their rank."""
    rows = sorted(encounter.get("diagnosis", ()), key=lambda row: row.get("rank", 1 << 31))
    named = [row.get("condition", {}).get("reference", "") for row in rows]
    named += [one.get("reference", "") for one in encounter.get("reasonReference", ())]
    return [one for one in dict.fromkeys(named) if one.startswith("Condition/")]


def _codes(concept: Json) -> Iterable[tuple[str, str]]:
    return ((one.get("system", ""), one.get("code", "")) for one in concept.get("coding", ()))
