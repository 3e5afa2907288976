"""Dates and times as closed-open intervals of microseconds since 1970 UTC.

FHIR R4 Search, date (https://hl7.org/fhir/R4/search.html#date): a partial date is the whole of its year, month, day,
minute or second; a time without a zone is UTC; a Period without an end is open there.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

BEGINNING = -(2**62)
END = 2**62
SECOND = 1_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHAPE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)

Interval = tuple[int, int]


@lru_cache(maxsize=8192)
def interval(text: str) -> Interval:
    """[lo, hi) of a date, dateTime or instant of any precision. Raises ValueError when it is none."""
    fits = _SHAPE.fullmatch(text)
    if fits is None:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, zone = fits.groups()
    seconds = min(int(second or 0), 59)  # a leap second counts as the one before
    start = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), seconds, tzinfo=_zone(zone)
    )
    lo = _micros(start)
    if fraction:
        lo += int(fraction[:6].ljust(6, "0"))
        return lo, lo + 10 ** max(6 - len(fraction), 0)
    if hour:
        return lo, lo + (SECOND if second else 60 * SECOND)
    return lo, _after(start, month, day)


def _after(start: datetime, month: str | None, day: str | None) -> int:
    """The microsecond that ends the year, month or day that begins at ``start``."""
    try:
        if day:
            return _micros(start + timedelta(days=1))
        if month and start.month < 12:
            return _micros(start.replace(month=start.month + 1))
        return _micros(start.replace(year=start.year + 1, month=1))
    except (OverflowError, ValueError):  # the year 9999 ends with the calendar
        return END


def _zone(text: str | None) -> timezone:
    if not text or text == "Z":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-offset if text[0] == "-" else offset)


def _micros(moment: datetime) -> int:
    span = moment - _EPOCH
    return (span.days * 86_400 + span.seconds) * SECOND + span.microseconds


def whole_second(limits: Interval) -> bool:
    """True for the interval of a date that gives its second and no fraction."""
    return limits[1] - limits[0] == SECOND


def period(value: Mapping[str, Any]) -> Interval | None:
    """[lo, hi) of a Period, open where a side is missing; None when both are, or when it ends before it begins."""
    start, end = value.get("start"), value.get("end")
    lo = interval(start)[0] if start else BEGINNING
    hi = interval(end)[1] if end else END
    return (lo, hi) if (start or end) and lo < hi else None


def timing(value: Mapping[str, Any]) -> Interval | None:
    """The outer limits of a Timing: of its events and of the period that bounds its repetition; None without either."""
    found = list(_timing_parts(value))
    return (min(lo for lo, _ in found), max(hi for _, hi in found)) if found else None


def _timing_parts(value: Mapping[str, Any]) -> Iterator[Interval]:
    yield from (interval(event) for event in value.get("event", ()) if event)
    bounds = period(value.get("repeat", {}).get("boundsPeriod", {}))
    if bounds:
        yield bounds
