"""Times: DT, TM, TS, DTM and DR at the precision they were given, with the offset that holds for them.

HL7 v2.5.1 sections 2A.21 (DT), 2A.22 (DTM), 2A.20 (DR), 2A.75 (TM), 2A.77 (TS).
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.reading import Reading

_DTM = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?P<fraction>\.\d+)?)?)?)?)?)?(?P<offset>[+-]\d{4})?"
)
_TM = re.compile(r"(\d\d)(?:(\d\d)(?:(\d\d)(\.\d+)?)?)?(?:[+-]\d{4})?")
_DEGREES: Final = {"Y": 4, "L": 6, "D": 8, "H": 10, "M": 12, "S": 14}
"""TS-2 of versions before 2.3: how many digits of TS-1 count."""


def date_time(value: Value, reading: Reading) -> str | None:
    """A FHIR dateTime; None when the text is no time."""
    text = value.text()
    cut = _DEGREES.get(value.text(2)) if len(value) > 1 else None
    return date_time_of(text[:cut] if cut else text, reading)


def date_time_of(text: str, reading: Reading) -> str | None:
    """As ``date_time``, of a text such as ``202306011530-0400``."""
    known = reading.times.get(text)
    if known is None:
        known = reading.times[text] = _date_time(text.strip(), reading.zone) or ""
    return known or None


def _date_time(text: str, zone: tzinfo) -> str | None:
    found = _DTM.fullmatch(text)
    if not found or found["year"] == "0000":
        return None
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    if not hour:
        return _date(year, month, day)
    try:
        at = datetime(int(year), int(month), int(day), int(hour), int(minute or 0), min(int(second or 0), 59))
        shown = _offset(offset) if offset else at.replace(tzinfo=zone).strftime("%z")
    except ValueError:
        return None
    if not shown:
        return None
    shown = "Z" if shown[:5] == "+0000" and not offset else f"{shown[:3]}:{shown[3:5]}"
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction or ''}{shown}" if at.year >= 1000 else None


def _offset(text: str) -> str:
    """``+0530`` when it is an offset that exists; '' otherwise."""
    return text if int(text[1:3]) <= 14 and int(text[3:5]) <= 59 else ""


def _date(year: str, month: str | None, day: str | None) -> str | None:
    try:
        datetime(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return "-".join(part for part in (year, month, day) if part)


def date(value: Value, reading: Reading) -> str | None:
    """A FHIR date: what stands before the hour."""
    found = date_time(value, reading)
    return found[:10] if found else None


def instant(value: Value, reading: Reading) -> str | None:
    """A FHIR instant; a time that is known to the day or less precisely begins then."""
    found = date_time(value, reading)
    if found is None or len(found) > 10:
        return found
    text = value.text()
    return date_time_of((text + "0101"[len(text) - 4 :] if len(text) < 8 else text[:8]) + "000000", reading)


def time(value: Value, reading: Reading) -> str | None:
    """A FHIR time; seconds are 00 when they were not given."""
    found = _TM.fullmatch(value.text().strip())
    if not found or int(found[1]) > 23 or int(found[2] or 0) > 59 or int(found[3] or 0) > 59:
        return None
    return f"{found[1]}:{found[2] or '00'}:{found[3] or '00'}{found[4] or ''}"


def period(value: Value, reading: Reading) -> dict[str, Any] | None:
    """DR as a Period."""
    return between(value.text(1), value.text(2), reading)


def between(start: str, end: str, reading: Reading) -> dict[str, Any] | None:
    """A Period of two texts, either of which may be empty; an end before its start is left out."""
    first = date_time_of(start, reading) if start else None
    last = date_time_of(end, reading) if end else None
    if first and last and not _ordered(first, last):
        reading.warn(f"{reading.place}: the period ends before it starts; its end is not taken.")
        last = None
    found = {name: at for name, at in (("start", first), ("end", last)) if at}
    return found or None


def _ordered(first: str, last: str) -> bool:
    """By the instant when both are that precise, else by what both state."""
    if len(first) > 10 and len(last) > 10:
        return datetime.fromisoformat(_short(first)) <= datetime.fromisoformat(_short(last))
    common = min(len(first), len(last), 10)
    return first[:common] <= last[:common]


def _short(text: str) -> str:
    """``text`` with at most six digits of fraction, which is what Python reads."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def millis(text: str, reading: Reading) -> int | None:
    """Milliseconds since 1970 UTC of an HL7 time, at the beginning of what it states; None when it is no time."""
    found = date_time_of(text, reading) if text else None
    if not found:
        return None
    if len(found) <= 10:
        parts = [int(part) for part in found.split("-")] + [1, 1]
        try:
            at = datetime(parts[0], parts[1], parts[2], tzinfo=reading.zone)
        except ValueError:
            return None
    else:
        at = datetime.fromisoformat(_short(found))
    return int((at - _EPOCH) / _MILLISECOND)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
