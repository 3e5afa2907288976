"""FHIR data types in words: names, codes, quantities, moments, ages.

FHIR R4 data types (https://hl7.org/fhir/R4/datatypes.html). Whatever comes is shown as it is; nothing is guessed.
"""

import re
from collections.abc import Iterable
from datetime import MAXYEAR, MINYEAR, date, datetime, tzinfo
from typing import Any

Json = dict[str, Any]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAME_USES = ("official", "usual", "")
TO = "\N{EN DASH}"
"""Between the two ends of a range."""
_VALUES = (
    "Quantity",
    "CodeableConcept",
    "String",
    "Boolean",
    "Integer",
    "Range",
    "Ratio",
    "Time",
    "DateTime",
    "Period",
)


def name(resource: Json | None) -> str:
    """Of a Patient, Practitioner or whoever has names; '' when there is none."""
    names = (resource or {}).get("name") or []
    if isinstance(names, str):
        return names
    uses = {one.get("use", ""): one for one in reversed(names)}
    one = next((uses[use] for use in _NAME_USES if use in uses), names[0] if names else {})
    parts = (*one.get("prefix", ()), *one.get("given", ()), one.get("family", ""), *one.get("suffix", ()))
    return str(one.get("text") or " ".join(filter(None, parts)))


def concept(found: Json | None) -> str:
    """A CodeableConcept: its text, else a display, else a code."""
    if not found:
        return ""
    codings = found.get("coding", ())
    shown = next((one["display"] for one in codings if one.get("display")), "")
    return str(found.get("text") or shown or next((one["code"] for one in codings if one.get("code")), ""))


def concepts(found: Iterable[Json]) -> str:
    return ", ".join(filter(None, map(concept, found)))


def codes(found: Json | None) -> list[tuple[str, str]]:
    """(system, code) of a CodeableConcept."""
    return [(one.get("system", ""), one["code"]) for one in (found or {}).get("coding", ()) if one.get("code")]


_SIGNS = {
    "[degF]": "°F",
    "Cel": "°C",
    "mm[Hg]": "mmHg",
    "cm[H2O]": "cmH2O",
    "[lb_av]": "lb",
    "[in_i]": "in",
    "[ft_i]": "ft",
}
_POWER = re.compile(r"\b10[*^](-?\d+)")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def unit_of(found: Json) -> str:
    """The unit of a Quantity as people write it where it says its UCUM code: 10*3/uL is 10³/uL. Micro stays u, since a
    µ is taken for an m."""
    unit = str(found.get("unit") or found.get("code", ""))
    raised = _POWER.sub(lambda power: "10" + power[1].translate(_RAISED), _SIGNS.get(unit, unit))
    return raised.replace("[iU]", "IU")


def quantity(found: Json) -> str:
    """As it was written: 71.50 stays 71.50."""
    unit = unit_of(found)
    number = f"{found.get('comparator', '')}{found.get('value', '')}"
    return f"{number}{'' if unit == '%' else ' '}{unit}".strip()


def value(found: Json, zone: tzinfo) -> str:
    """What an Observation or one of its components says; '' when it has no value."""
    for type in _VALUES:
        if (key := f"value{type}") in found:
            return str(_VALUE_WORDS.get(type, lambda it, zone: it)(found[key], zone))
    if "valueSampledData" in found:
        return "a curve, not shown here"
    if absent := concept(found.get("dataAbsentReason")):
        return f"no value: {absent}"
    return ""


def _range(found: Json, zone: tzinfo) -> str:
    low, high = found.get("low"), found.get("high")
    if low and high:
        same = low.get("unit") == high.get("unit")
        return f"{low.get('value', '')}{TO}{quantity(high)}" if same else f"{quantity(low)}{TO}{quantity(high)}"
    return f"≥ {quantity(low)}" if low else f"≤ {quantity(high)}" if high else ""


def _ratio(found: Json, zone: tzinfo) -> str:
    return " : ".join(quantity(found[side]) for side in ("numerator", "denominator") if side in found)


def _period(found: Json, zone: tzinfo) -> str:
    return f" {TO} ".join(when(found.get(end, ""), zone) or "…" for end in ("start", "end"))


_VALUE_WORDS: dict[str, Any] = {
    "Quantity": lambda found, zone: quantity(found),
    "CodeableConcept": lambda found, zone: concept(found),
    "Boolean": lambda found, zone: "yes" if found else "no",
    "Range": _range,
    "Ratio": _ratio,
    "Period": _period,
    "DateTime": lambda found, zone: when(found, zone),
}


def reference_range(found: Json, zone: tzinfo) -> str:
    """Observation.referenceRange in one line."""
    return "; ".join(filter(None, (one.get("text") or _range(one, zone) for one in found.get("referenceRange", ()))))


def when(text: str, zone: tzinfo) -> str:
    """A date or dateTime as precise as it is; times in ``zone``."""
    if "T" in text:
        at = moment(text)
        return f"{day(at.astimezone(zone).date())}, {at.astimezone(zone):%H:%M}" if at else text
    parts = text.split("-")
    if len(parts) == 3:
        try:
            return day(date.fromisoformat(text))
        except ValueError:
            return text
    return f"{_MONTHS[int(parts[1]) - 1]} {parts[0]}" if len(parts) == 2 and parts[1].isdigit() else text


def day(found: date) -> str:
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def moment(text: str) -> datetime | None:
    """Of a dateTime with a time and a zone, in a year that every zone has a clock for."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo and MINYEAR < found.year < MAXYEAR else None


def age(born: str, today: date) -> str:
    """In years, of small children in months, of newborns in days; '' when that is not known."""
    parts = [int(part) for part in born.split("-") if part.isdigit()]
    if not parts or len(parts) < 3:
        return f"about {today.year - parts[0]} years" if parts else ""
    try:
        birth = date(parts[0], parts[1], parts[2])
    except ValueError:
        return ""
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    if months < 0:
        return ""
    if months < 1:
        return _some((today - birth).days, "day")
    return _some(months, "month") if months < 24 else _some(months // 12, "year")


def _some(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
