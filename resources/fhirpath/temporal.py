"""Dates, date-times and times of known precision: reading, comparing, adding durations, boundaries.

FHIRPath N1, Date, DateTime, Time and date/time arithmetic (http://hl7.org/fhirpath/N1/#date, #datetime-arithmetic).
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from resources.fhirpath.errors import PathExecutionError

DATE, DATE_TIME, TIME = "Date", "DateTime", "Time"
_DAY = 86_400
# Offsets in use lie between -12:00 and +14:00, so a local time of unknown zone is a moment within these seconds of it.
_EARLIEST, _LATEST = -14 * 3600, 12 * 3600

_CLOCK = r"(?P<hour>\d{2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d+)?))?)?"
_MOMENT = re.compile(
    rf"(?P<year>\d{{4}})(?:-(?P<month>\d{{2}})(?:-(?P<day>\d{{2}}))?)?"
    rf"(?P<mark>T(?:{_CLOCK}(?P<zone>Z|[+-]\d{{2}}:\d{{2}})?)?)?"
)
_TIME = re.compile(_CLOCK)
_NAMES = ("year", "month", "day", "hour", "minute", "second")

Field = int | Decimal


@dataclass(frozen=True, slots=True)
class Temporal:
    """``fields`` are year, month, day, hour, minute, second (seconds a Decimal), as many as are known;
    those of a Time start at hour. ``zone`` is '', 'Z' or '+hh:mm' as written."""

    kind: str
    fields: tuple[Field, ...]
    zone: str = ""

    def __str__(self) -> str:
        if self.kind == TIME:
            return _clock(self.fields)
        text = "-".join(f"{part:0{4 if n == 0 else 2}d}" for n, part in enumerate(self.fields[:3]))
        clock = _clock(self.fields[3:])
        mark = "T" if clock else ""
        return f"{text}{mark}{clock}{self.zone}"

    @property
    def offset(self) -> int | None:
        """Seconds east of UTC, or None when no zone is known."""
        if not self.zone:
            return None
        if self.zone == "Z":
            return 0
        seconds = int(self.zone[1:3]) * 3600 + int(self.zone[4:6]) * 60
        return -seconds if self.zone[0] == "-" else seconds


def _clock(fields: tuple[Field, ...]) -> str:
    return ":".join(_two_digits(part) for part in fields)


def _two_digits(part: Field) -> str:
    if isinstance(part, int):
        return f"{part:02d}"
    return f"{part:f}" if part >= 10 else f"0{part:f}"


def parse_date(text: str) -> Temporal | None:
    """``2015``, ``2015-02`` or ``2015-02-04``, else None."""
    found = _parse_moment(text, DATE)
    return found if found and "T" not in text else None


def parse_date_time(text: str) -> Temporal | None:
    """A date, or a date with a time of any precision and perhaps a zone; else None."""
    return _parse_moment(text, DATE_TIME)


def parse_time(text: str) -> Temporal | None:
    """``14``, ``14:30`` or ``14:30:00.000``, else None."""
    match = _TIME.fullmatch(text)
    return _valid(Temporal(TIME, _fields(match, _NAMES[3:]))) if match else None


def parse_literal(text: str) -> Temporal | None:
    """A literal without its ``@``: ``T14:30`` is a Time, ``2015T`` and ``2015-02-04T14`` are DateTimes."""
    if text.startswith("T"):
        return parse_time(text[1:])
    return parse_date_time(text) if "T" in text else parse_date(text)


@lru_cache(maxsize=4096)
def _parse_moment(text: str, kind: str) -> Temporal | None:
    match = _MOMENT.fullmatch(text)
    if match is None or (match["hour"] and not match["day"]):
        return None
    return _valid(Temporal(kind, _fields(match, _NAMES), match["zone"] or ""))


def _fields(match: re.Match[str], names: tuple[str, ...]) -> tuple[Field, ...]:
    known = [name for name in names if match[name]]
    return tuple(Decimal(match[name]) if name == "second" else int(match[name]) for name in known)


def _valid(moment: Temporal) -> Temporal | None:
    clock = moment.fields if moment.kind == TIME else moment.fields[3:]
    if any(part >= top for part, top in zip(clock, (24, 60, 60), strict=False)):
        return None
    if moment.kind == TIME:
        return moment
    year, month, day = _calendar(moment.fields)
    return moment if year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1] else None


def _calendar(fields: tuple[Field, ...]) -> tuple[int, int, int]:
    """Year, month and day, the unknown ones being the first."""
    year, month, day = (*fields[:3], 1, 1)[:3]
    return int(year), int(month), int(day)


def now() -> Temporal:
    """The present moment in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    second = Decimal(moment.second * 1000 + moment.microsecond // 1000).scaleb(-3)
    return Temporal(DATE_TIME, (moment.year, moment.month, moment.day, moment.hour, moment.minute, second), "Z")


def today(moment: Temporal) -> Temporal:
    """The date of ``moment``."""
    return Temporal(DATE, moment.fields[:3])


# --- Comparing ----------------------------------------------------------------------------------------------------


def compare(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None when the precisions, or an unknown zone, leave it open.

    Raises PathExecutionError for a Time against a Date or DateTime.
    """
    if (left.kind == TIME) != (right.kind == TIME):
        raise PathExecutionError(f"a {left.kind} cannot be compared with a {right.kind}")
    if (left.offset is None) != (right.offset is None):
        return _compare_spans(_span(left), _span(right))
    return _compare_fields(_in_utc(left), _in_utc(right))


def _compare_fields(left: tuple[Field, ...], right: tuple[Field, ...]) -> int | None:
    for one, other in zip(left, right, strict=False):
        if one != other:
            return -1 if one < other else 1
    return 0 if len(left) == len(right) else None


def _compare_spans(left: tuple[Decimal, Decimal], right: tuple[Decimal, Decimal]) -> int | None:
    if left[1] <= right[0]:
        return -1
    return 1 if right[1] <= left[0] else None


def _in_utc(moment: Temporal) -> tuple[Field, ...]:
    offset = moment.offset
    return _shifted(moment.fields, -offset) if offset and len(moment.fields) > 3 else moment.fields


def _seconds(fields: tuple[Field, ...]) -> Decimal:
    """Seconds from 0001-01-01 to the start of what ``fields`` name."""
    hour, minute, second = (*fields[3:], 0, 0, 0)[:3]
    days = date(*_calendar(fields)).toordinal() - 1
    return days * _DAY + Decimal(hour) * 3600 + Decimal(minute) * 60 + second


def _from_seconds(seconds: Decimal, precision: int) -> tuple[Field, ...]:
    days, rest = divmod(seconds, _DAY)
    try:
        day = date.fromordinal(int(days) + 1)
    except (ValueError, OverflowError) as error:
        raise PathExecutionError("the date lies outside the years 1 to 9999") from error
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    return (day.year, day.month, day.day, int(hour), int(minute), second)[:precision]


def _shifted(fields: tuple[Field, ...], seconds: int | Decimal) -> tuple[Field, ...]:
    return _from_seconds(_seconds(fields) + seconds, len(fields))


def _span(moment: Temporal) -> tuple[Decimal, Decimal]:
    """The seconds [first, last) of UTC the moment may lie in."""
    first = _seconds(moment.fields)
    last = first + _LENGTHS[len(moment.fields)](moment.fields)
    offset = moment.offset
    return (first + _EARLIEST, last + _LATEST) if offset is None else (first - offset, last - offset)


_LENGTHS = {
    1: lambda fields: Decimal(366 * _DAY),
    2: lambda fields: Decimal(monthrange(int(fields[0]), int(fields[1]))[1] * _DAY),
    3: lambda fields: Decimal(_DAY),
    4: lambda fields: Decimal(3600),
    5: lambda fields: Decimal(60),
    6: lambda fields: Decimal((0, (1,), fields[5].as_tuple().exponent)),
}


def key(moment: Temporal) -> tuple[object, ...]:
    """Equal for moments that are equal, for sets; zone and trailing zeros of seconds do not matter."""
    return (moment.kind == TIME, bool(moment.zone), _in_utc(moment))


# --- Arithmetic ---------------------------------------------------------------------------------------------------

MONTHS = {"year": 12, "month": 1, "a": 12, "mo": 1}
SECONDS = {
    "week": Decimal(604_800), "day": Decimal(_DAY), "hour": Decimal(3600), "minute": Decimal(60),
    "second": Decimal(1), "millisecond": Decimal("0.001"), "wk": Decimal(604_800), "d": Decimal(_DAY),
    "h": Decimal(3600), "min": Decimal(60), "s": Decimal(1), "ms": Decimal("0.001"),
}  # fmt: skip
_FRACTIONS_COUNT = frozenset({"second", "millisecond", "s", "ms"})
_PRECISIONS = {1: 365 * _DAY, 2: 30 * _DAY, 3: _DAY, 4: 3600, 5: 60}


def add(moment: Temporal, amount: Decimal, unit: str) -> Temporal:
    """``moment`` moved by ``amount`` of ``unit`` (a key of MONTHS or SECONDS), of the same precision.

    Fractions of units above seconds are ignored, as the specification says. Raises PathExecutionError.
    """
    if abs(amount) > 10**13:
        raise PathExecutionError("the duration is too long")
    if unit not in _FRACTIONS_COUNT:
        amount = Decimal(int(amount))
    if moment.kind == TIME:
        return _add_to_time(moment, amount, unit)
    if unit in MONTHS:
        return _add_months(moment, int(amount) * MONTHS[unit])
    return _add_seconds(moment, amount * _length(unit))


def _length(unit: str) -> Decimal:
    if unit not in SECONDS:
        raise PathExecutionError(f"{unit!r} is no unit of time that can be added here")
    return SECONDS[unit]


def _add_to_time(moment: Temporal, amount: Decimal, unit: str) -> Temporal:
    whole = (1, 1, 2, *moment.fields)
    seconds = _seconds(whole) + amount * _length(unit)
    return Temporal(TIME, _from_seconds(seconds % _DAY, len(whole))[3:])


def _add_months(moment: Temporal, months: int) -> Temporal:
    year, month, day = _calendar(moment.fields)
    if len(moment.fields) == 1:
        months = int(Decimal(months) / 12) * 12
    index = year * 12 + month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:
        raise PathExecutionError("the date lies outside the years 1 to 9999")
    moved = (year, month + 1, min(day, monthrange(year, month + 1)[1]), *moment.fields[3:])
    return Temporal(moment.kind, moved[: len(moment.fields)], moment.zone)


def _add_seconds(moment: Temporal, seconds: Decimal) -> Temporal:
    precision = len(moment.fields)
    if precision < 6:
        # Only whole units of the known precision count: 2014-01-01 + 25 hours is the next day.
        unit = _PRECISIONS[precision]
        steps = int(seconds / unit)
        if precision < 3:
            return _add_months(moment, steps * (12 if precision == 1 else 1))
        seconds = Decimal(steps * unit)
    return Temporal(moment.kind, _shifted(moment.fields, seconds), moment.zone)


# --- Boundaries and precision -------------------------------------------------------------------------------------

_DIGITS = {DATE: (4, 6, 8), DATE_TIME: (4, 6, 8, 10, 12, 17), TIME: (2, 4, 9)}


def digits(moment: Temporal) -> int:
    """How many digits are known: 4 for a year, 8 for a day, 17 for milliseconds."""
    fields = moment.fields
    whole = (2 if moment.kind == TIME else 4) + 2 * (len(fields) - 1)
    second = fields[-1]
    return whole - int(second.as_tuple().exponent) if isinstance(second, Decimal) else whole


def boundary(moment: Temporal, precision: int | None, *, high: bool) -> Temporal | None:
    """The first or last moment ``moment`` may mean, to ``precision`` digits (None: the greatest of its kind).

    An unknown zone becomes +14:00 for the first and -12:00 for the last moment. None for an impossible precision.
    """
    steps = _DIGITS[DATE_TIME] if moment.kind == DATE and precision and precision > 8 else _DIGITS[moment.kind]
    wanted = steps[-1] if precision is None else precision
    if wanted not in steps:
        return None
    filled = _filled(moment, high)[: steps.index(wanted) + 1]
    kind = DATE_TIME if moment.kind == DATE and len(filled) > 3 else moment.kind
    if kind != DATE_TIME or len(filled) <= 3:
        return Temporal(kind, filled)
    return Temporal(kind, filled, moment.zone or ("-12:00" if high else "+14:00"))


def _filled(moment: Temporal, high: bool) -> tuple[Field, ...]:
    fields = list(moment.fields)
    if moment.kind != TIME:
        fields += [12 if high else 1] if len(fields) == 1 else []
        fields += [monthrange(int(fields[0]), int(fields[1]))[1] if high else 1] if len(fields) == 2 else []
    clock: tuple[Field, ...] = (23, 59, Decimal("59.999")) if high else (0, 0, Decimal("0.000"))
    known = len(fields) if moment.kind == TIME else len(fields) - 3
    fields += clock[known:]
    fields[-1] = _second_edge(Decimal(fields[-1]), high)
    return tuple(fields)


def _second_edge(second: Decimal, high: bool) -> Decimal:
    """The first or last millisecond of a second of known precision: 30.1 is 30.100 or 30.199."""
    step = Decimal(1).scaleb(int(second.as_tuple().exponent))
    millisecond = Decimal("0.001")
    return second + (step if high and step > millisecond else millisecond) - millisecond
