"""Timing as repeat patterns: how often, on which days, at which events, and whether only as needed.

HL7 v2.5.1 section 2A.66 (RPT), table 0335; read back by ``hl7_bridge.mapping.segments.medication_timing``.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from hl7_bridge.er7.serializer import Field, Repetition
from hl7_bridge.outbound.datatypes import Json, cwe

_UNITS = {"s": "S", "min": "M", "h": "H", "d": "D", "wk": "W", "mo": "L"}
"""Units of time to the interval codes of RI and RPT."""
_DAILY = {1: "QD", 2: "BID", 3: "TID", 4: "QID"}
"""Times a day to the codes of table 0335."""
_DAYS = {day: str(number) for number, day in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), 1)}
_AS_NEEDED = ("PRN", "given as needed", "HL70335")


def patterns(timing: Json, needed: bool | Json = False) -> list[Repetition]:
    """RPT, one for each thing that a Timing says; ``needed`` is asNeeded[x]."""
    repeat: Mapping[str, Any] = timing.get("repeat", {})
    found: list[Repetition] = []
    if "code" in timing:
        found.append((cwe(timing["code"]),))
    how_often = rhythm(repeat)
    if how_often and found != [how_often]:
        found.append(how_often)
    found += [("", "DW", _DAYS[day], _DAYS[day]) for day in repeat.get("dayOfWeek", ()) if day in _DAYS]
    away = str(repeat["offset"]) if "offset" in repeat else ""
    events = repeat.get("when", ())
    found += [("", "", "", "", "", "", "", event, away, "min" if away else "") for event in events]
    if needed:
        found.append((_as_needed(needed),))
    return found


def rhythm(repeat: Json) -> Repetition:
    """``TID``, ``Q6H``, or words where no code says it."""
    period, unit, frequency = repeat.get("period"), repeat.get("periodUnit", ""), repeat.get("frequency", 1)
    if period is None or not unit:
        return ""
    if (period, unit) == (1, "d"):
        return (_DAILY.get(frequency, f"{frequency}ID"),)
    if frequency == 1 and unit in _UNITS and Decimal(str(period)) == int(period):
        return (f"Q{int(period)}{_UNITS[unit]}",)
    return (("", f"{frequency} times in {period} {unit}"),)


def _as_needed(needed: bool | Json) -> tuple[str, ...]:
    """PRN, with what for as its alternate code and its text."""
    if isinstance(needed, bool):
        return _AS_NEEDED
    said = cwe({"coding": needed["coding"]}) if "coding" in needed else ("", "", "")
    code, display, system = (*said, "", "")[:3]
    return (*_AS_NEEDED, code, display, system, "", "", needed.get("text", ""))


def duration(found: Json | None) -> Field:
    """CQ of a Duration."""
    if not found or "value" not in found:
        return ""
    code = found.get("code", "")
    return (str(found["value"]), (code or found.get("unit", ""), found.get("unit", ""), "UCUM" if code else ""))
