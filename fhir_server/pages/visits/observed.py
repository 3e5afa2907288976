"""Observations as rows of a table: what was measured, its value with unit, flags, reference range, when; the latest.

FHIR R4 Observation (https://hl7.org/fhir/R4/observation.html).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from fhir_server.pages.visits.words import codes, concept, quantity, reference_range, value, when

Json = dict[str, Any]

LOINC = "http://loinc.org"
_NO_RESULT = frozenset({"entered-in-error", "cancelled", "registered"})
_PRESSURE = ((LOINC, "8480-6"), (LOINC, "8462-4"))
_CRITICAL = frozenset({"LL", "HH", "AA"})
_ABNORMAL = frozenset({"L", "H", "A", "LU", "HU", "POS", "DET", "R", "I", "NR", "WR"})
_WORDS = {
    "N": "Normal",
    "L": "Low",
    "H": "High",
    "LL": "Critically low",
    "HH": "Critically high",
    "A": "Abnormal",
    "AA": "Critically abnormal",
    "POS": "Positive",
    "NEG": "Negative",
}
_EARLY = {"preliminary": "Preliminary", "corrected": "Corrected", "amended": "Amended"}


@dataclass(frozen=True)
class Result:
    """``earlier`` others there are of the same code; ``key`` is that code."""

    key: tuple[str, str]
    test: str
    value: str
    flags: Sequence[tuple[str, str]]
    range: str
    at: str
    status: str
    note: str
    earlier: int = 0


def results(found: Iterable[Json], zone: tzinfo) -> list[Result]:
    """Those that have one, in the order given."""
    made = (_result(one, zone) for one in found if one.get("status") not in _NO_RESULT)
    return [one for one in made if one.value]


def latest(found: Iterable[Result]) -> list[Result]:
    """Of each code the first, which is the newest."""
    kept: dict[tuple[str, str], Result] = {}
    counts: dict[tuple[str, str], int] = {}
    for one in found:
        kept.setdefault(one.key, one)
        counts[one.key] = counts.get(one.key, -1) + 1
    return [replace(one, earlier=counts[key]) for key, one in kept.items()]


def _result(one: Json, zone: tzinfo) -> Result:
    code = one.get("code", {})
    text = concept(code)
    at = one.get("effectiveDateTime") or one.get("effectiveInstant") or one.get("effectivePeriod", {}).get("start", "")
    notes = "; ".join(note.get("text", "") for note in one.get("note", ()))
    ranges = (one, *one.get("component", ()))
    return Result(
        key=next(iter(codes(code)), ("", text)),
        test=text or "Unnamed",
        value=_value(one, zone),
        flags=[flag for part in ranges for flag in _flags(part.get("interpretation", ()))],
        range="; ".join(filter(None, (reference_range(part, zone) for part in ranges))),
        at=when(at, zone),
        status=_EARLY.get(one.get("status", ""), ""),
        note=notes,
    )


def _value(one: Json, zone: tzinfo) -> str:
    parts = one.get("component", ())
    measured = [part for part in parts if "valueQuantity" in part]
    pressure = {code: part["valueQuantity"] for part in measured for code in codes(part["code"])}
    if all(code in pressure for code in _PRESSURE):
        return f"{pressure[_PRESSURE[0]].get('value', '')}/{quantity(pressure[_PRESSURE[1]])}"
    own = value(one, zone) if not (parts and "dataAbsentReason" in one) else ""
    said = [f"{concept(part.get('code'))}: {value(part, zone)}" for part in parts if value(part, zone)]
    return "; ".join(filter(None, (own, *said)))


def _flags(found: Iterable[Json]) -> list[tuple[str, str]]:
    return [flag for one in found if (flag := _flag(one))[0]]


def _flag(found: Json) -> tuple[str, str]:
    code = next((code for _, code in codes(found)), "")
    level = "bad" if code in _CRITICAL else "warn" if code in _ABNORMAL else ""
    return _WORDS.get(code) or concept(found), level
