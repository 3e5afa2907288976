"""TQ1, and the older TQ of ORC-7, RXE-1 and RXG-3, to the timing of a Dosage.

HL7 v2.5.1 sections 4.5.4 (TQ1), 2A.66 (RPT), 2A.81 (TQ), table 0335; official maps TQ1[MedicationRequest],
TQ[MedicationRequest], RPT[Timing]; rhythms of codes, PRN and words are ours.
"""

import re
from decimal import Decimal
from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.coded import concept
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import between, time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, ignored
from hl7_bridge.mapping.segments.timing import pattern


def _rows(resource: str, dosage: str) -> SegmentMap:
    timing = f"{dosage}.timing"
    return SegmentMap(
        "TQ1",
        resource,
        (
            SET_ID,
            Row(2, f"{dosage}.doseAndRate.doseQuantity"),
            Row(3, timing),
            Row(4, f"{timing}.repeat.timeOfDay", origin=OWN),
            Row(5, f"{timing}.repeat.offset"),
            Row(6, f"{timing}.repeat.boundsDuration"),
            Row(7, f"{timing}.repeat.boundsPeriod.start"),
            Row(8, f"{timing}.repeat.boundsPeriod.end"),
            Row(9, "priority"),
            Row(10, f"{dosage}.additionalInstruction.text"),
            Row(11, f"{dosage}.text"),
            ignored(12, "How the timings of one order go together is said by their order and their times."),
            Row(13, f"{timing}.repeat.duration"),
            Row(14, f"{timing}.repeat.count"),
        ),
        official="TQ1[MedicationRequest]",
    )


TQ1: Final = {
    "MedicationRequest": _rows("MedicationRequest", "dosageInstruction"),
    "MedicationDispense": _rows("MedicationDispense", "dosageInstruction"),
}

_UNITS: Final = {
    "S": "s", "SEC": "s", "M": "min", "MIN": "min", "MINUTE": "min", "MINUTES": "min", "H": "h", "HR": "h",
    "HRS": "h", "HOUR": "h", "HOURS": "h", "D": "d", "DAY": "d", "DAYS": "d", "W": "wk", "WK": "wk", "WEEK": "wk",
    "WEEKS": "wk", "MO": "mo", "L": "mo", "MONTH": "mo", "MONTHS": "mo", "A": "a", "Y": "a", "YEAR": "a",
}  # fmt: skip
"""Units of time as feeds write them, to those of Timing."""

_MINUTES: Final = {"s": Decimal(1) / 60, "min": Decimal(1), "h": Decimal(60), "d": Decimal(1440)}
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIMES_A_DAY: Final = re.compile(r"(\d{1,2})ID")
_WEEKDAY: Final = re.compile(r"Q(\d+)J([1-7]+)")
_WORDS: Final = re.compile(r"(\d+) times? in (\d+(?:\.\d+)?) (s|min|h|d|wk|mo|a)")
_DURATION: Final = re.compile(r"([SMHDWL])(\d+)")
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
        period, unit = number(value.text(5)), _UNITS.get(value.text(6).upper())
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
        minutes = _MINUTES.get(_UNITS.get(value.text(10).upper(), "min"))
        if away is not None and away > 0 and minutes and code not in _WITHOUT_OFFSET:
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
_WITHOUT_OFFSET: Final = frozenset({"C", "CM", "CD", "CV"})
"""With meals there is nothing to be away from (tim-9)."""


class Times:
    """One timing of an order: ``timing`` for the Dosage and what else its segment says."""

    def __init__(self) -> None:
        self.timing: Resource | None = None
        self.as_needed: bool | Resource = False
        self.priority: str | None = None
        self.condition: str | None = None
        self.text: str | None = None
        self.amount: Value | None = None


def from_tq1(tq1: Segment, resource: str, draft: Draft) -> Times:
    """What one TQ1 says of ``resource`` (its type)."""
    if draft.trace is not None and resource in TQ1:
        draft.trace.uses(TQ1[resource], tq1)
    found = Times()
    rpt = Pattern()
    for value in tq1.all(3):
        rpt.take(value, draft)
    at = [each for value in tq1.all(4) if (each := time(value, draft))]
    if at:
        rpt.repeat["timeOfDay"] = at
    _offset(tq1, rpt.repeat)
    draft.place = "TQ1-7"
    _bounds(tq1, rpt.repeat, draft)
    _counts(tq1, rpt.repeat)
    found.timing, found.as_needed = _timing(rpt), rpt.as_needed
    found.priority = _priority(priority_code(tq1), draft) if tq1.has(9) else None
    found.condition = clean(tq1.first(10).whole) if tq1.has(10) else None
    found.text = clean(tq1.first(11).whole) if tq1.has(11) else None
    found.amount = tq1.first(2) if tq1[2] else None
    return found


def priority_code(tq1: Segment) -> str:
    """TQ1-9; FHIR's own code where the sender gives that beside it."""
    return tq1.text(9, 4) if tq1.text(9, 6) == _REQUEST_PRIORITY else tq1.text(9)


def _offset(tq1: Segment, repeat: Resource) -> None:
    """TQ1-5: how long before or after the event."""
    away = number(tq1.text(5)) if tq1.has(5) else None
    unit = _MINUTES.get(_UNITS.get(tq1.text(5, 2).upper(), "")) if away else None
    if away and away > 0 and unit and "offset" not in repeat and _has_offset(repeat):
        repeat["offset"] = round(away * unit)


def _has_offset(repeat: Resource) -> bool:
    return bool(repeat.get("when")) and not _WITHOUT_OFFSET & set(repeat["when"])


def _bounds(tq1: Segment, repeat: Resource, draft: Draft) -> None:
    lasting = between(tq1.text(7), tq1.text(8), draft) if tq1.has(7) or tq1.has(8) else None
    duration = _length(tq1.first(6)) if tq1.has(6) and not lasting else None
    if lasting:
        repeat["boundsPeriod"] = lasting
    elif duration:
        repeat["boundsDuration"] = duration


def _counts(tq1: Segment, repeat: Resource) -> None:
    long = _length(tq1.first(13)) if tq1.has(13) else None
    if long:
        repeat["duration"], repeat["durationUnit"] = long["value"], long["code"]
    _total(tq1.text(14), repeat)


def _total(text: str, repeat: Resource) -> None:
    total = number(text) if text else None
    if total is not None and 0 < total < 2**31 and total == int(total):
        repeat["count"] = int(total)


def _length(value: Value) -> Resource | None:
    """CQ of a time as a Duration; None when its unit is no unit of time."""
    amount = number(value.text(1))
    unit = _UNITS.get(value.text(2).upper()) or _UNITS.get(value.text(2, 2).upper())
    if amount is None or amount < 0 or not unit:
        return None
    return {
        "value": amount,
        "unit": value.text(2, 2) or value.text(2),
        "system": "http://unitsofmeasure.org",
        "code": unit,
    }


def _timing(rpt: Pattern) -> Resource | None:
    made: Resource = {}
    if rpt.repeat:
        made["repeat"] = _sound(rpt.repeat)
    if rpt.code:
        made["code"] = rpt.code
    return {name: value for name, value in made.items() if value} or None


def _sound(repeat: Resource) -> Resource:
    """``timeOfDay`` and ``when`` exclude each other (tim-10): what is more exact stays."""
    if "timeOfDay" in repeat:
        return {name: value for name, value in repeat.items() if name not in ("when", "offset")}
    return repeat


def _priority(code: str, draft: Draft) -> str | None:
    if not code:
        return None
    codes = table("ExtendedPriorityCodes").codes
    found = codes.get(code.upper()) or codes.get(code[0].upper())
    return found.code if found is not None and found.code in _PRIORITIES else None


_REQUEST_PRIORITY: Final = "http://hl7.org/fhir/request-priority"
_PRIORITIES: Final = frozenset({"routine", "urgent", "asap", "stat"})


def from_tq(value: Value, draft: Draft) -> Times:
    """What one TQ says."""
    found = Times()
    rpt = Pattern()
    interval = value.part(2)
    if interval:
        rpt.text(clean(interval.text(1)) or "")
        at = [each for text in interval.text(2).split(",") if (each := time(_as_value(text, interval), draft))]
        if at:
            rpt.repeat["timeOfDay"] = at
    lasting = between(value.text(4), value.text(5), draft) if value.text(4) or value.text(5) else None
    length = _DURATION.fullmatch(value.text(3).strip().upper())
    if lasting:
        rpt.repeat["boundsPeriod"] = lasting
    elif length:
        unit = _UNITS[length[1]]
        rpt.repeat["boundsDuration"] = {
            "value": int(length[2]), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit
        }  # fmt: skip
    _total(value.text(12), rpt.repeat)
    found.timing, found.as_needed = _timing(rpt), rpt.as_needed
    found.priority = _priority(value.text(6), draft)
    found.condition, found.text = clean(value.text(7)), clean(value.text(8))
    found.amount = value.part(1) if value.text(1) else None
    return found


def _as_value(text: str, like: Value) -> Value:
    return Value(text.strip(), like.delimiters, "")


def amount_of(times: Times) -> tuple[str, Value] | None:
    """The number and the unit of TQ1-2 (a CQ)."""
    return (times.amount.text(1), times.amount.part(2)) if times.amount else None


def merged(dosage: dict[str, Any], times: Times) -> None:
    """Put what ``times`` says into ``dosage``."""
    if times.timing:
        dosage["timing"] = times.timing
    if times.as_needed is True:
        dosage["asNeededBoolean"] = True
    elif times.as_needed:
        dosage["asNeededCodeableConcept"] = times.as_needed
    if times.condition:
        dosage.setdefault("additionalInstruction", []).append({"text": times.condition})
    if times.text:
        dosage["text"] = "\n".join(filter(None, (dosage.get("text"), times.text)))
