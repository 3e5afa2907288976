"""Observations as rows of a table: what was measured, its value with unit, flags, reference range, when; the latest.

FHIR R4 Observation (https://hl7.org/fhir/R4/observation.html).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from fhir_server.pages.chart.words import codes, concept, quantity, reference_range, value, when
from video.visit.quality import MEASURES

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


Key = tuple[str, str]
"""A code with its system, or '' and a text."""


@dataclass(frozen=True)
class Result:
    """``key`` is its code."""

    key: Key
    test: str
    value: str
    flags: Sequence[tuple[str, str]]
    range: str
    at: str
    status: str
    note: str


def results(found: Iterable[Json], zone: tzinfo) -> list[Result]:
    """Those that have one, in the order given."""
    made = (_result(one, zone) for one in found if is_result(one))
    return [one for one in made if one.value]


def latest(found: Iterable[Result]) -> list[Result]:
    """Of each code the first, which is the newest."""
    kept: dict[Key, Result] = {}
    for one in found:
        kept.setdefault(one.key, one)
    return list(kept.values())


def is_result(one: Json) -> bool:
    """Whether it says anything of the patient: not what was cancelled, entered in error or only announced, nor how the
    connection of a visit was."""
    return one.get("status") not in _NO_RESULT and key_of(one)[0] != MEASURES


def key_of(one: Json) -> Key:
    return next(iter(codes(one.get("code"))), ("", concept(one.get("code"))))


def measured_at(one: Json) -> str:
    """When it was, as it is written; ''."""
    start = one.get("effectivePeriod", {}).get("start", "")
    return str(one.get("effectiveDateTime") or one.get("effectiveInstant") or start)


def flags(one: Json) -> list[tuple[str, str]]:
    """What its interpretations say, its own and those of its components: words and a level (bad, warn or '')."""
    return [flag for part in (one, *one.get("component", ())) for flag in _flags(part.get("interpretation", ()))]


def abnormal(part: Json) -> bool:
    """Whether its own interpretation says so."""
    return any(level for _, level in _flags(part.get("interpretation", ())))


def _result(one: Json, zone: tzinfo) -> Result:
    text = concept(one.get("code"))
    notes = "; ".join(note.get("text", "") for note in one.get("note", ()))
    ranges = (one, *one.get("component", ()))
    return Result(
        key=key_of(one),
        test=text or "Unnamed",
        value=_value(one, zone),
        flags=flags(one),
        range="; ".join(filter(None, (reference_range(part, zone) for part in ranges))),
        at=when(measured_at(one), zone),
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
    # A laboratory's own code may stand before the one that everybody knows.
    told = [code for _, code in codes(found)]
    code = next((code for some in (_CRITICAL, _ABNORMAL, told) for code in told if code in some), "")
    level = "bad" if code in _CRITICAL else "warn" if code in _ABNORMAL else ""
    return _WORDS.get(code) or concept(found), level
