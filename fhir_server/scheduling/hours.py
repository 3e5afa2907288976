"""Opening hours: the minutes of some days at which a role, a service or a place is there.

FHIR R4 PractitionerRole.availableTime and .notAvailable, HealthcareService likewise, Location.hoursOfOperation.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from fhir_server.scheduling.spans import Span, between, union, without

Json = dict[str, Any]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Location has its own names for the same.
_TIMES = ("availableTime", "hoursOfOperation")
_FROM, _UNTIL = ("availableStartTime", "openingTime"), ("availableEndTime", "closingTime")


def has_hours(resource: Json) -> bool:
    """Whether ``resource`` says anything of when it is there."""
    return any(resource.get(name) for name in _TIMES)


def open_hours(resource: Json, zone: tzinfo, window: Span) -> list[Span]:
    """When ``resource`` is there in ``window``; its times of day are of ``zone``, clock changes included."""
    rows = [row for name in _TIMES for row in resource.get(name, ())]
    opened = (_hours(row, day, zone) for day in _days(window, zone) for row in rows if _is_of(row, day))
    # An absence in words alone closes nothing: nobody could say when.
    away = (row["during"] for row in resource.get("notAvailable", ()) if row.get("during"))
    closed = (between(during.get("start", ""), during.get("end", ""), zone) for during in away)
    low, high = window
    clipped = ((max(low, lo), min(high, hi)) for lo, hi in opened)
    return without(union(clipped), closed)


def _days(window: Span, zone: tzinfo) -> Iterator[date]:
    """Those on which something in ``window`` may have begun."""
    day, last = (datetime.fromtimestamp(at * 60, UTC).astimezone(zone).date() for at in window)
    day -= timedelta(days=1)
    while day <= last:
        yield day
        day += timedelta(days=1)


def _is_of(row: Json, day: date) -> bool:
    return not row.get("daysOfWeek") or _DAYS[day.weekday()] in row["daysOfWeek"]


def _hours(row: Json, day: date, zone: tzinfo) -> Span:
    begin = "" if row.get("allDay") else _first(row, _FROM)
    end = "" if row.get("allDay") else _first(row, _UNTIL)
    lo = _minute(day, begin, zone)
    following = day + timedelta(days=1)
    hi = _minute(day if end else following, end, zone)
    return (lo, hi) if lo < hi else (lo, _minute(following, end, zone))


def _first(row: Json, names: Iterable[str]) -> str:
    return next((row[name] for name in names if row.get(name)), "")


def _minute(day: date, text: str, zone: tzinfo) -> int:
    """Of the time ``text``, '' for midnight; a leap second is of its minute."""
    at = time.fromisoformat(text[:5]) if text else time.min
    return int(datetime.combine(day, at, zone).timestamp()) // 60
