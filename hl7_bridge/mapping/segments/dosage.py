"""RXR, and the doses of RXO, RXE and RXG, to Dosage.

HL7 v2.5.1 sections 4.14.1 (RXO), 4.14.2 (RXR), 4.14.4 (RXE); official maps RXO[MedicationRequest],
RXR[MedicationRequest]. A least amount without a most is the dose (the official map makes it a range without end).
"""

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.coded import coded, concept
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.units import unit
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.rows import Row, SegmentMap
from hl7_bridge.mapping.segments.medication_timing import Times, amount_of, merged
from hl7_bridge.mapping.systems import is_local, system

Quantity = dict[str, Any]

PATIENT: Final = "PI"
"""Identifier (CE-1, of system HEARTH) of an instruction that is for the patient."""
OWN_CODES: Final = "HEARTH"

_UNKNOWN: Final = frozenset({"UNK", "UNKNOWN"})
"""What is sent for a route nobody stated, because a receiver must have one."""


def _route_rows(resource: str, dosage: str) -> SegmentMap:
    return SegmentMap(
        "RXR",
        resource,
        (
            Row(1, f"{dosage}.route"),
            Row(2, f"{dosage}.site"),
            Row(4, f"{dosage}.method"),
            Row(5, f"{dosage}.additionalInstruction"),
        ),
        official="RXR[MedicationRequest]",
    )


RXR: Final = {
    "MedicationRequest": _route_rows("MedicationRequest", "dosageInstruction"),
    "MedicationDispense": _route_rows("MedicationDispense", "dosageInstruction"),
    "MedicationAdministration": _route_rows("MedicationAdministration", "dosage"),
}

_ROUTE = coded("RouteOfAdministration")
_SITE = coded("BodyParts")
_METHOD = coded("AdministrationMethod")


def amount(text: str, units: Value, draft: Draft) -> Quantity | None:
    """A number with its unit; a unit of another code system than UCUM keeps its code."""
    found = number(text)
    return None if found is None else {"value": found, **measured(units, draft)}


def measured(units: Value, draft: Draft) -> Quantity:
    """The unit of CWE ``units``: UCUM where it is that, another system's code, or only its text."""
    found = unit(units, draft)
    name = units.text(3)
    if found and "code" not in found and name and not is_local(name) and units.text(1):
        uri = system(name, draft.scope)
        if uri and not name.upper().startswith(("ISO", "ANSI")):
            return {**found, "system": uri, "code": units.text(1).strip()}
    return found


class Dose(NamedTuple):
    """Which fields of a segment say how much: least, most, units; rate, its units, per which time; most per day."""

    least: int
    most: int
    units: int
    rate: int = 0
    rate_units: int = 0
    per: int = 0
    daily: int = 0


def dose_and_rate(segment: Segment, fields: Dose, draft: Draft) -> Resource | None:
    """``Dosage.doseAndRate`` of one segment."""
    found = _dose(segment, fields, draft)
    if fields.rate and segment.has(fields.rate):
        found.update(_rate(segment, fields, draft))
    return found or None


def _dose(segment: Segment, fields: Dose, draft: Draft) -> Resource:
    units = segment.first(fields.units)
    least = amount(segment.text(fields.least), units, draft)
    most = amount(segment.text(fields.most), units, draft)
    if least and most and least["value"] < most["value"]:
        return {"doseRange": {"low": least, "high": most}}
    if most and not least:
        return {"doseRange": {"high": most}}
    return {"doseQuantity": least} if least else {}


_PER = re.compile(r"([SMHDWL])(\d*)")
_PER_UNITS: Final = {"S": "s", "M": "min", "H": "h", "D": "d", "W": "wk", "L": "mo"}


def _rate(segment: Segment, fields: Dose, draft: Draft) -> Resource:
    """A rate per a time that is said beside it is a Ratio; one whose unit says it is a Quantity."""
    found = amount(segment.text(fields.rate), segment.first(fields.rate_units), draft)
    if found is None:
        return {}
    per = _PER.fullmatch(segment.text(fields.per).strip().upper()) if fields.per and segment.has(fields.per) else None
    if per is None or "/" in str(found.get("code", found.get("unit", ""))):
        return {"rateQuantity": found}
    code = _PER_UNITS[per[1]]
    time = {"value": int(per[2] or 1), "unit": code, "system": "http://unitsofmeasure.org", "code": code}
    return {"rateRatio": {"numerator": found, "denominator": time}}


def most_per_day(segment: Segment, field: int, draft: Draft) -> Resource | None:
    """Total daily dose (CQ)."""
    value = segment.first(field)
    found = amount(value.text(1), value.part(2), draft)
    if found is None:
        return None
    day = {"value": 1, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
    return {"numerator": found, "denominator": day}


def instructions(values: Sequence[Value], dosage: Resource) -> None:
    """Administration instructions: those for the patient apart, the others as the text."""
    said: list[str] = []
    for value in values:
        words = clean(value.text(9) or value.text(2) or value.text(1))
        if words and value.text(1) == PATIENT and value.text(3) == OWN_CODES:
            dosage["patientInstruction"] = words
        elif words:
            said.append(words)
    if said:
        dosage["text"] = "\n".join(said)


def route(rxr: Segment, resource: str, draft: Draft) -> Resource:
    """Route, site, method and routing instruction of one RXR, as elements of a Dosage."""
    if draft.trace is not None:
        draft.trace.uses(RXR[resource], rxr)
    found: Resource = {}
    for number_, name, read in ((1, "route", _ROUTE), (2, "site", _SITE), (4, "method", _METHOD)):
        if rxr.has(number_):
            draft.place = f"RXR-{number_}"
            made = read(rxr.first(number_), draft)
            if made and not (name == "route" and rxr.text(1).upper() in _UNKNOWN):
                found[name] = made
    routing = concept(rxr.first(5), draft) if rxr.has(5) else None
    if routing:
        found["additionalInstruction"] = [routing]
    return found


def dosages(base: Resource, times: Sequence[Times], routes: Sequence[Resource], draft: Draft) -> list[Resource]:
    """One Dosage for each timing or route, whichever are more; what there is one of holds for all."""
    made = []
    for at, (time, way) in enumerate(zip_longest(times or (), routes or ())):
        dosage = _with_route(base if not at else _further(base), way or (routes[-1] if len(routes) == 1 else {}))
        timed = time or (times[-1] if len(times) == 1 else None)
        if timed is not None:
            _dosed(dosage, timed, len(times) > 1 and any(each.amount for each in times), draft)
            merged(dosage, timed)
        made.append(dosage)
    made = [each for each in made or [dict(base)] if each]
    if len(made) > 1:
        made = [{"sequence": number_, **each} for number_, each in enumerate(made, 1)]
    return made


def _further(base: Resource) -> Resource:
    """What a second timing shares with the first: the dose, not the words."""
    return {name: value for name, value in base.items() if name in ("doseAndRate", "maxDosePerPeriod")}


def _with_route(base: Resource, way: Resource) -> Resource:
    dosage = {**base, **way}
    if "additionalInstruction" in way:
        dosage["additionalInstruction"] = [*way["additionalInstruction"]]
    return dosage


def _dosed(dosage: Resource, times: Times, several: bool, draft: Draft) -> None:
    """TQ1-2 is the dose where the order states none, or where ``several`` timings each have theirs."""
    if "doseAndRate" in dosage and not several:
        return
    told = amount_of(times)
    found = amount(told[0], told[1], draft) if told else None
    if found:
        rest = {name: each for name, each in _first(dosage).items() if not name.startswith("dose")}
        dosage["doseAndRate"] = [{**rest, "doseQuantity": found}]
    elif several:
        dosage.pop("doseAndRate", None)


def _first(dosage: Resource) -> Resource:
    found: Resource = dosage.get("doseAndRate", [{}])[0]
    return found
