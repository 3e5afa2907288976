"""The short table of what a clinician enters during a visit, checked, and the Observations that come of it.

FHIR R4 vital signs profiles (https://hl7.org/fhir/R4/observation-vitalsigns.html), LOINC, UCUM.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from fhir_server.pages.chart.observed import LOINC

Json = dict[str, Any]

UCUM = "http://unitsofmeasure.org"
ENTRIES = "urn:x-hearth:entry"
"""Identifier system of what was entered here: the form's key and what was typed, so that nothing is stored twice."""
_VITAL = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "vital-signs",
            "display": "Vital Signs",
        }
    ]
}
_NUMBER = re.compile(r"[0-9]{1,4}([.,][0-9]{1,2})?")


@dataclass(frozen=True)
class Unit:
    """``code`` is UCUM; ``low`` and ``high`` are what a living person can have at all: beyond them it is a slip."""

    code: str
    shown: str
    low: str
    high: str


@dataclass(frozen=True)
class Row:
    """One line of the table; the first unit is taken when none is chosen."""

    name: str
    label: str
    codings: tuple[tuple[str, str], ...]
    units: tuple[Unit, ...]
    whole: bool = False


SYSTOLIC = Row(
    "systolic", "Systolic", (("8480-6", "Systolic blood pressure"),), (Unit("mm[Hg]", "mmHg", "30", "350"),), True
)
DIASTOLIC = Row(
    "diastolic", "Diastolic", (("8462-4", "Diastolic blood pressure"),), (Unit("mm[Hg]", "mmHg", "10", "250"),), True
)
PRESSURE = ("85354-9", "Blood pressure panel with all children optional")
ROWS = (
    Row("heart-rate", "Heart rate", (("8867-4", "Heart rate"),), (Unit("/min", "beats/min", "10", "350"),), True),
    Row(
        "temperature",
        "Temperature",
        (("8310-5", "Body temperature"),),
        (Unit("Cel", "°C", "20", "46"), Unit("[degF]", "°F", "68", "115")),
    ),
    Row(
        "spo2",
        "Oxygen saturation",
        (
            ("2708-6", "Oxygen saturation in Arterial blood"),
            ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        ),
        (Unit("%", "%", "20", "100"),),
    ),
    Row(
        "respiration",
        "Respiratory rate",
        (("9279-1", "Respiratory rate"),),
        (Unit("/min", "breaths/min", "2", "120"),),
        True,
    ),
    Row(
        "weight",
        "Weight",
        (("29463-7", "Body weight"),),
        (Unit("kg", "kg", "0.2", "650"), Unit("[lb_av]", "lb", "0.5", "1430")),
    ),
    Row(
        "height",
        "Height",
        (("8302-2", "Body height"),),
        (Unit("cm", "cm", "15", "275"), Unit("[in_i]", "in", "6", "108")),
    ),
    Row(
        "pain",
        "Pain, 0 to 10",
        (("72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported"),),
        (Unit("{score}", "of 10", "0", "10"),),
        True,
    ),
)
ALL = (SYSTOLIC, DIASTOLIC, *ROWS)
_BY_NAME = {row.name: row for row in ALL}


@dataclass(frozen=True)
class Around:
    """What all Observations of one form share: references, and when it was (FHIR dateTime). ``key`` is the form's."""

    patient: str
    encounter: str
    performer: str
    at: str
    key: str


def faults(typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by row; under '' when nothing was typed at all."""
    found = {row.name: text for row in ALL if (text := _fault(row, typed))}
    both = [bool(typed.get(row.name)) for row in (SYSTOLIC, DIASTOLIC)]
    if any(both) and not all(both):
        missing = (SYSTOLIC, DIASTOLIC)[both.index(False)]
        found[missing.name] = "Blood pressure needs both values."
    elif all(both) and not {"systolic", "diastolic"} & found.keys() and _pressure_is_upside_down(typed):
        found["diastolic"] = "The diastolic value must be below the systolic one."
    if not any(typed.get(row.name) for row in ALL):
        found[""] = "Nothing was entered."
    return found


def _pressure_is_upside_down(typed: Mapping[str, str]) -> bool:
    return _number(typed["diastolic"]) >= _number(typed["systolic"])


def _fault(row: Row, typed: Mapping[str, str]) -> str:
    text = typed.get(row.name, "")
    if not text:
        return ""
    unit = _unit(row, typed)
    if not _NUMBER.fullmatch(text):
        return f"{row.label} is a number, such as {unit.low}."
    if row.whole and not text.isdigit():
        return f"{row.label} is a whole number."
    if not Decimal(unit.low) <= _number(text) <= Decimal(unit.high):
        return f"{row.label} is between {unit.low} and {unit.high} {unit.shown}. Please check."
    return ""


def _unit(row: Row, typed: Mapping[str, str]) -> Unit:
    chosen = typed.get(f"{row.name}-unit", "")
    return next((unit for unit in row.units if unit.code == chosen), row.units[0])


def _number(text: str) -> Decimal:
    """As it was typed: 36,60 is 36.60."""
    return Decimal(text.replace(",", "."))


def observations(typed: Mapping[str, str], around: Around) -> list[Json]:
    """The resources of what was typed, which has no faults."""
    made = [_single(row, typed, around) for row in ROWS if typed.get(row.name)]
    return [_pressure(typed, around), *made] if typed.get(SYSTOLIC.name) else made


def _pressure(typed: Mapping[str, str], around: Around) -> Json:
    parts = [{"code": _code(row.codings), "valueQuantity": _quantity(row, typed)} for row in (SYSTOLIC, DIASTOLIC)]
    said = " ".join(typed[row.name] for row in (SYSTOLIC, DIASTOLIC))
    return _observation((PRESSURE,), said, around) | {"component": parts}


def _single(row: Row, typed: Mapping[str, str], around: Around) -> Json:
    said = f"{typed[row.name]} {_unit(row, typed).code}"
    return _observation(row.codings, said, around) | {"valueQuantity": _quantity(row, typed)}


def _observation(codings: Iterable[tuple[str, str]], said: str, around: Around) -> Json:
    code = _code(codings)
    digest = blake2b(f"{code['coding'][0]['code']} {said}".encode(), digest_size=8).hexdigest()
    made: Json = {
        "resourceType": "Observation",
        "identifier": [{"system": ENTRIES, "value": f"{around.key}.{digest}"}],
        "status": "final",
        "category": [_VITAL],
        "code": code,
        "subject": {"reference": around.patient},
        "encounter": {"reference": around.encounter},
        "effectiveDateTime": around.at,
    }
    return made | ({"performer": [{"reference": around.performer}]} if around.performer else {})


def _code(codings: Iterable[tuple[str, str]]) -> Json:
    return {"coding": [{"system": LOINC, "code": code, "display": display} for code, display in codings]}


def _quantity(row: Row, typed: Mapping[str, str]) -> Json:
    unit = _unit(row, typed)
    return {"value": _number(typed[row.name]), "unit": unit.shown, "system": UCUM, "code": unit.code}
