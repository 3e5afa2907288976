"""Dates as ranges, and the nine prefixes as R4's table has them.

FHIR R4 Search, prefixes (https://hl7.org/fhir/R4/search.html#prefix): each compares the range of the target with the
range of what was asked.
"""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Any

Range = tuple[float, float]
"""From, and up to but not including; microseconds since 1970, or numbers."""
EVER = float("inf")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str) -> Range:
    """The range of a date of any precision; without a zone it is UTC."""
    date, _, clock = text.partition("T")
    year, month, day = (int(part) for part in [*date.split("-"), "1", "1"][:3])
    if not clock:
        return _whole(datetime(year, month, day, tzinfo=UTC), date.count("-"))
    clock, offset = _split_zone(clock)
    hour, minute, seconds = [*clock.split(":"), "", ""][:3]
    whole, _, fraction = seconds.partition(".")
    start = datetime(year, month, day, int(hour), int(minute), min(int(whole or 0), 59), tzinfo=UTC) - offset
    begin = _micros(start)
    if fraction:
        micros = int(fraction[:6].ljust(6, "0"))
        return begin + micros, begin + micros + 10 ** max(0, 6 - len(fraction))
    return begin, begin + (1_000_000 if whole else 60_000_000)


def _whole(start: datetime, dashes: int) -> Range:
    months = monthrange(start.year, start.month)[1]
    length = (366 if monthrange(start.year, 2)[1] == 29 else 365, months, 1)[dashes]
    return _micros(start), _micros(start) + length * 86_400_000_000


def _split_zone(clock: str) -> tuple[str, timedelta]:
    if clock.endswith("Z"):
        return clock[:-1], timedelta()
    at = max(clock.rfind("+"), clock.rfind("-"))
    if at < 0:
        return clock, timedelta()
    hours, minutes = clock[at + 1 :].split(":")
    return clock[:at], (1 if clock[at] == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes))


def _micros(at: datetime) -> float:
    return (at - _EPOCH) // timedelta(microseconds=1)


def ranges(type: str, value: Any) -> list[Range]:
    """Of one value of a date parameter; none for what is no date."""
    if type == "Period":
        lo = moment(value["start"])[0] if value.get("start") else -EVER
        hi = moment(value["end"])[1] if value.get("end") else EVER
        return [(lo, hi)] if lo < hi and (value.get("start") or value.get("end")) else []
    if type == "Timing":
        parts = [moment(event) for event in value.get("event", ())]
        parts += ranges("Period", value.get("repeat", {}).get("boundsPeriod", {}))
        return [(min(lo for lo, _ in parts), max(hi for _, hi in parts))] if parts else []
    return [moment(value)] if type in ("date", "dateTime", "instant") and isinstance(value, str) else []


def compared(prefix: str, target: Range, asked: Range) -> bool:
    """The table of prefixes, of ranges."""
    (low, high), (lo, hi) = target, asked
    contained = lo <= low and high <= hi
    match prefix:
        case "eq":
            return contained
        case "ne":
            return not contained
        case "gt":
            return high > hi
        case "lt":
            return low < lo
        case "ge":
            return high > hi or contained
        case "le":
            return low < lo or contained
        case "sa":
            return low >= hi
        case "eb":
            return high <= lo
        case _:
            return low < hi and lo < high
