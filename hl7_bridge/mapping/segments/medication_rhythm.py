"""Repeat patterns of pharmacy orders to the rhythm of a Timing: codes, words, PRN, and what they are relative to.

HL7 v2.5.1 section 2A.66 (RPT), table 0335; official map RPT[Timing]; rhythms of codes, PRN and words are ours.
"""

import re
from decimal import Decimal
from typing import Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.coded import concept
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.segments.timing import pattern

UNITS: Final = {
    "S": "s", "SEC": "s", "M": "min", "MIN": "min", "MINUTE": "min", "MINUTES": "min", "H": "h", "HR": "h",
    "HRS": "h", "HOUR": "h", "HOURS": "h", "D": "d", "DAY": "d", "DAYS": "d", "W": "wk", "WK": "wk", "WEEK": "wk",
    "WEEKS": "wk", "MO": "mo", "L": "mo", "MONTH": "mo", "MONTHS": "mo", "A": "a", "Y": "a", "YEAR": "a",
}  # fmt: skip
"""Units of time as feeds write them, to those of Timing."""

MINUTES: Final = {"s": Decimal(1) / 60, "min": Decimal(1), "h": Decimal(60), "d": Decimal(1440)}
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIMES_A_DAY: Final = re.compile(r"(\d{1,2})ID")
_WEEKDAY: Final = re.compile(r"Q(\d+)J([1-7]+)")
_WORDS: Final = re.compile(r"(\d+) times? in (\d+(?:\.\d+)?) (s|min|h|d|wk|mo|a)")
_WORD_CODES: Final[dict[str, Resource]] = {
    "ONCE": {"count": 1},
    "DAILY": {"frequency": 1, "period": 1, "periodUnit": "d"},
    "TWICE A DAY": {"frequency": 2, "period": 1, "periodUnit": "d"},
    "THREE TIMES A DAY": {"frequency": 3, "period": 1, "periodUnit": "d"},
    "FOUR TIMES A DAY": {"frequency": 4, "period": 1, "periodUnit": "d"},
}


def rhythm(code: str) -> Resource:
    """``Timing.repeat`` of a repeat pattern; empty for one that means no rhythm."""
    code = " ".join(code.split())
    known = pattern(code)
    if known:
        return dict(known)
    upper = code.upper()
    daily = _TIMES_A_DAY.fullmatch(upper)
    if daily and int(daily[1]):
        return {"frequency": int(daily[1]), "period": 1, "periodUnit": "d"}
    weekly = _WEEKDAY.fullmatch(upper)
    if weekly and int(weekly[1]):
        days = [_DAYS[int(each) - 1] for each in dict.fromkeys(weekly[2])]
        return {"dayOfWeek": days, "frequency": 1, "period": int(weekly[1]), "periodUnit": "wk"}
    words = _WORDS.fullmatch(code)
    if words and int(words[1]) and Decimal(words[2]):
        return {"frequency": int(words[1]), "period": Decimal(words[2]), "periodUnit": words[3]}
    return dict(_WORD_CODES.get(upper, {}))


class Pattern:
    """What repeat patterns come to: ``repeat``, ``code``, and whether, or for what, as needed."""

    def __init__(self) -> None:
        self.repeat: Resource = {}
        self.code: Resource | None = None
        self.as_needed: bool | Resource = False

    def take(self, value: Value, draft: Draft) -> None:
        """One RPT."""
        coded = value.part(1)
        said = concept(coded, draft) if coded else None
        code = value.text(1, 1) or value.text(1, 2) or value.text(1, 9)
        if code.upper().startswith("PRN"):
            self._need(said)
            code, said = code[3:].strip(), None
        if code:
            self._name(code, said)
        self._range(value)
        self._event(value, draft)

    def text(self, words: str) -> None:
        """The interval of a TQ, or what stands for a pattern in words."""
        upper = words.upper()
        if upper == "PRN" or upper.startswith("PRN ") or upper.endswith(" PRN"):
            self.as_needed = self.as_needed or True
            words = words[3:] if upper.startswith("PRN") else words[:-3]
        if words.strip():
            self._name(words.strip(), None)

    def _need(self, said: Resource | None) -> None:
        why = dict(said or {})
        others = [each for each in why.pop("coding", []) if not each.get("code", "").upper().startswith("PRN")]
        if others:
            why["coding"] = others
        self.as_needed = why or self.as_needed or True

    def _name(self, code: str, said: Resource | None) -> None:
        found = rhythm(code)
        self.repeat.update({name: each for name, each in found.items() if name not in self.repeat})
        if self.code is None:
            self.code = said if said and said != {"coding": [{"code": code}]} else _known(code)

    def _range(self, value: Value) -> None:
        first, last = number(value.text(3)), number(value.text(4))
        if value.text(2) == "DW" and first and 1 <= first <= 7:
            end = last if last and first <= last <= 7 else first
            days = self.repeat.setdefault("dayOfWeek", [])
            days += [day for day in _DAYS[int(first) - 1 : int(end)] if day not in days]
        period, unit = number(value.text(5)), UNITS.get(value.text(6).upper())
        if period and period > 0 and unit:
            self.repeat["period"], self.repeat["periodUnit"] = period, unit
            self.repeat.setdefault("frequency", 1)

    def _event(self, value: Value, draft: Draft) -> None:
        event = value.text(8)
        if not event:
            return
        draft.place = "RPT-8"
        found = table("EventRelatedPeriod").codes.get(event.upper())
        code = found.code if found else event.upper() if event.upper() in _EVENTS else ""
        if not code:
            draft.translate(table("EventRelatedPeriod"), event)
            return
        when = self.repeat.setdefault("when", [])
        if code not in when:
            when.append(code)
        away = number(value.text(9))
        minutes = MINUTES.get(UNITS.get(value.text(10).upper(), "min"))
        if away is not None and away > 0 and minutes and code not in WITHOUT_OFFSET:
            self.repeat["offset"] = round(away * minutes)


def _known(code: str) -> Resource:
    """A pattern of table 0335 as the concept that the official map has for it, and as it was written."""
    found = table("RepeatPattern").codes.get(code.upper())
    if found is None:
        return {"text": code}
    return {"coding": [{"system": found.system, "code": found.code}], "text": code}


_EVENTS: Final = frozenset(
    "MORN MORN.early MORN.late NOON AFT EVE NIGHT PHS HS WAKE C CM CD CV AC ACM ACD ACV PC PCM PCD PCV".split()  # noqa: SIM905
)
WITHOUT_OFFSET: Final = frozenset({"C", "CM", "CD", "CV"})
"""With meals there is nothing to be away from (tim-9)."""
