"""Date parameters: dates, instants, periods and timings.

FHIR R4 Search, date (https://hl7.org/fhir/R4/search.html#date). The clinical date of a type goes to the order key where
it is one whole second, all else to ranges.
"""

from collections.abc import Callable, Mapping
from functools import partial
from time import time_ns
from types import MappingProxyType
from typing import Any

from resources.search_param.bounds import Asked, Bounds, bounds, split_prefix
from resources.search_param.clinical import clinical
from resources.search_param.escapes import plain
from resources.search_param.intervals import BEGINNING, END, SECOND, Interval, interval, period, timing, whole_second
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.sink import Dated, Factory, Indexer, Sink
from resources.search_param.terms import Clinical, Key, Or, Range, RangeEntry, Term

FORM = "date"


# --- Index --------------------------------------------------------------------------------------------------------


def _moment(type: str, branch: str) -> Indexer:
    key = Key(type, branch, FORM, "")

    def index(value: str, out: Sink) -> None:
        out.ranges.append(RangeEntry(key, *interval(value)))

    return index


def _limits(read: Callable[[Mapping[str, Any]], Interval | None]) -> Factory:
    def factory(type: str, branch: str) -> Indexer:
        key = Key(type, branch, FORM, "")

        def index(value: Mapping[str, Any], out: Sink) -> None:
            limits = read(value)
            if limits:
                out.ranges.append(RangeEntry(key, *limits))

        return index

    return factory


def _clinical_moment(type: str, branch: str) -> Indexer:
    key = Key(type, branch, FORM, "")

    def index(value: str, out: Sink) -> None:
        limits = interval(value)
        out.dates.append(Dated(RangeEntry(key, *limits), whole_second(limits)))

    return index


def _clinical_limits(read: Callable[[Mapping[str, Any]], Interval | None], type: str, branch: str) -> Indexer:
    key = Key(type, branch, FORM, "")

    def index(value: Mapping[str, Any], out: Sink) -> None:
        limits = read(value)
        if limits:
            out.dates.append(Dated(RangeEntry(key, *limits), False))

    return index


LEAVES: Mapping[str, Factory] = MappingProxyType(
    {"date": _moment, "dateTime": _moment, "instant": _moment, "Period": _limits(period), "Timing": _limits(timing)}
)

CLINICAL_LEAVES: Mapping[str, Factory] = MappingProxyType(
    {
        "date": _clinical_moment, "dateTime": _clinical_moment, "instant": _clinical_moment,
        "Period": partial(_clinical_limits, period), "Timing": partial(_clinical_limits, timing),
    }
)  # fmt: skip
"""What LEAVES is, for the clinical parameter of a type."""


def order(out: Sink) -> tuple[int | None, bool]:
    """(instant, precise) that orders the resource; dates that the order key cannot hold alone become ranges."""
    dates = out.dates
    if not dates:
        return None, False
    if len(dates) == 1 and dates[0].precise:
        return dates[0].entry.lo, True
    out.ranges += [dated.entry for dated in dates]
    known = [dated.entry.lo if dated.entry.lo > BEGINNING else dated.entry.hi for dated in dates]
    return min(known), False


# --- Query --------------------------------------------------------------------------------------------------------


def term(parameter: Parameter, modifier: str, value: str) -> Term:
    """Resources whose date stands to ``value`` as its prefix says."""
    return meeting(parameter, conditions(parameter, value))


def meeting(parameter: Parameter, wanted: tuple[Bounds, ...]) -> Term:
    """Resources whose date meets one of the conditions."""
    terms: list[Term] = [
        Range(Key(parameter.type, branch.text, FORM, ""), *found) for branch in parameter.branches for found in wanted
    ]
    if parameter.code == clinical(parameter.type):
        terms += [Clinical(parameter.type, lo, hi) for lo, hi in _windows(wanted)]
    return Or(tuple(terms))


def _windows(wanted: tuple[Bounds, ...]) -> list[Interval]:
    """The windows of precise dates, those that touch joined: each costs a walk of the order key."""
    joined: list[Interval] = []
    for lo, hi in sorted(precise_window(found) for found in wanted):
        if joined and lo <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(hi, joined[-1][1]))
        elif lo < hi:
            joined.append((lo, hi))
    return joined


def conditions(parameter: Parameter, value: str) -> tuple[Bounds, ...]:
    """The conditions on intervals that a date with a prefix stands for."""
    prefix, text = split_prefix(plain(value))
    return bounds(prefix, _near(*_read(parameter, text, value)))


def asked(parameter: Parameter, value: str) -> Interval:
    """The period that a date without prefix stands for."""
    return _read(parameter, plain(value), value)


def _read(parameter: Parameter, text: str, value: str) -> Interval:
    try:
        return interval(text.replace(" ", "+"))  # an unescaped + of a time zone arrives as a space
    except ValueError:
        parameter.refuse(
            value, "a date such as 2024, 2024-05, 2024-05-31 or 2024-05-31T12:30:00Z, after a prefix such as ge"
        )


def _near(lo: int, hi: int) -> Asked:
    """Approximately means within a tenth of the time between now and the date."""
    now = time_ns() // 1000
    gap = max(lo - now, now - hi, 0) // 10
    return Asked(lo, hi, lo, hi, max(lo - gap, BEGINNING), min(hi + gap, END))


def precise_window(found: Bounds) -> Interval:
    """Where a precise date, an interval of one second, must start to meet a condition."""
    return max(found.lo_from, found.hi_from - SECOND), min(found.lo_to, found.hi_to - SECOND)


KIND = Kind(LEAVES, frozenset(), term)
