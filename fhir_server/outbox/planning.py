"""Which letters an Appointment asks for, by what it says now and what was planned for it before: no clock, no database.

FHIR R4 Appointment.status and .start (https://hl7.org/fhir/R4/appointment.html); docs/reminders.md has the rules.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any, NamedTuple

from video.visit.moments import moment

Json = dict[str, Any]

_MINUTE = 60_000
_SOON = 10 * _MINUTE
"""A reminder that quiet hours put off comes so long before the visit, or in the evening before."""
_GONE = frozenset({"cancelled", "noshow", "entered-in-error"})
_LAST = 253_370_764_800_000
"""The year 9999, in no part of which every zone and every pair of quiet hours has a date."""


class Template(StrEnum):
    """What a letter says. KNOWN is none: the Appointment was there before there were letters."""

    BOOKED = "booked"
    MOVED = "moved"
    REMINDER = "reminder"
    CANCELLED = "cancelled"
    KNOWN = "known"


class Planned(NamedTuple):
    """A letter of before. ``open`` while it can be called back; ``reached`` when it was sent, or may have been."""

    template: Template
    start: int
    since: int
    open: bool
    reached: bool


class Wanted(NamedTuple):
    """A letter to be queued; ``due`` in ms since 1970 UTC, ``lead`` in minutes."""

    template: Template
    due: int
    start: int
    lead: int = 0


class Plan(NamedTuple):
    """``call_back`` the letters that are open, then queue ``letters``."""

    letters: tuple[Wanted, ...] = ()
    call_back: bool = False


class Rules(NamedTuple):
    """``reminders`` in minutes before a visit; ``quiet`` the minutes of the day in ``zone`` between which none is sent,
    None for no such hours."""

    reminders: Sequence[int]
    quiet: tuple[int, int] | None
    zone: tzinfo


def plan(appointment: Json | None, before: Sequence[Planned], now: int, rules: Rules, *, known: bool = False) -> Plan:
    """Of ``appointment`` (None: deleted). ``known``: the letters begin now, and it was there already."""
    told = told_of(before)
    last = told[-1] if told else None
    start = stands(appointment)
    if start is not None:
        return _standing(start, told, last, now, rules, known)
    if not is_gone(appointment) or last is None or last.template is Template.CANCELLED:
        return Plan()
    reached = any(one.reached for one in told) and last.start > now
    letters = (Wanted(Template.CANCELLED, now, last.start),) if reached else ()
    return Plan(letters, call_back=any(one.open for one in told))


def stands(appointment: Json | None) -> int | None:
    """When a booked Appointment begins; None for all others."""
    if appointment is None or appointment.get("status") != "booked":
        return None
    start = moment(appointment.get("start"))
    return start if start is None or start < _LAST else None


def told_of(before: Sequence[Planned]) -> list[Planned]:
    """What somebody was told, or will be, the last of it last: a visit that is another patient's now was cancelled for
    the one and booked for the other by one version."""
    found = (one for one in before if one.open or one.reached)
    return sorted(found, key=lambda one: (one.since, one.template is not Template.CANCELLED))


def is_gone(appointment: Json | None) -> bool:
    """Whether it will not take place."""
    return appointment is None or appointment.get("status") in _GONE


def _standing(start: int, told: Sequence[Planned], last: Planned | None, now: int, rules: Rules, known: bool) -> Plan:
    fresh = last is None or last.template is Template.CANCELLED
    if start <= now or (last is not None and not fresh and last.start == start):
        return Plan()
    reached = any(one.reached for one in told) and not fresh
    first = Template.KNOWN if known else Template.MOVED if reached else Template.BOOKED
    return Plan((Wanted(first, now, start), *reminders(start, now, rules)), call_back=any(one.open for one in told))


def reminders(start: int, now: int, rules: Rules) -> Iterable[Wanted]:
    """Those that are still ahead, each time once."""
    dues = {_due(start, lead, rules): lead for lead in sorted(rules.reminders, reverse=True)}
    return [Wanted(Template.REMINDER, due, start, lead) for due, lead in sorted(dues.items()) if now < due < start]


def _due(start: int, lead: int, rules: Rules) -> int:
    """When quiet hours are over, if that is well before the visit, else when they begin."""
    due = start - lead * _MINUTE
    if rules.quiet is None:
        return due
    low, high = _quiet_around(due, rules.quiet, rules.zone)
    if not low <= due < high:
        return due
    return high if high <= start - _SOON else low


def _quiet_around(due: int, quiet: tuple[int, int], zone: tzinfo) -> tuple[int, int]:
    """The quiet hours that ``due`` is in, or others."""
    at = datetime.fromtimestamp(due / 1000, zone)
    begin, end = quiet
    over_midnight = end <= begin
    minute = at.hour * 60 + at.minute
    first = at.date() - timedelta(days=1) if over_midnight and minute < end else at.date()
    last = first + timedelta(days=1) if over_midnight else first
    return tuple(  # type: ignore[return-value]
        round(datetime(day.year, day.month, day.day, minutes // 60, minutes % 60, tzinfo=zone).timestamp() * 1000)
        for day, minutes in ((first, begin), (last, end))
    )
