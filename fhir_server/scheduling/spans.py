"""Spans of time, and sets of them: what is open, less what is taken.

Closed-open, in minutes since 1970 UTC: nothing of a schedule is finer than that.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from resources.search_param.intervals import BEGINNING, END, interval

Span = tuple[int, int]

_MINUTE = 60_000_000

LATEST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) // 60
"""After which no time is looked for: the calendar ends soon."""


def between(start: str, end: str, zone: tzinfo = UTC) -> Span:
    """The minutes touched from ``start`` until ``end``, FHIR dates or instants; a missing one leaves that side open.

    A date as the end is its whole day, a time its beginning: what ends at ten does not touch the minute after. Dates
    are days of ``zone``. Raises ValueError.
    """
    lo = interval(start)[0] if start else BEGINNING
    hi = interval(end)["T" not in end] if end else END
    low, high = lo // _MINUTE, -(-hi // _MINUTE)
    return _begun(low, zone) if _is_date(start) else low, _begun(high, zone) if _is_date(end) else high


def _is_date(text: str) -> bool:
    return bool(text) and "T" not in text


def _begun(midnight: int, zone: tzinfo) -> int:
    """When the day that begins at ``midnight`` by UTC begins in ``zone``."""
    if zone is UTC or midnight >= LATEST:
        return midnight
    return int(datetime.fromtimestamp(midnight * 60, UTC).replace(tzinfo=zone).timestamp()) // 60


def union(spans: Iterable[Span]) -> list[Span]:
    """The same minutes as sorted spans that neither overlap nor touch."""
    joined: list[Span] = []
    for lo, hi in sorted(span for span in spans if span[0] < span[1]):
        if joined and lo <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(hi, joined[-1][1]))
        else:
            joined.append((lo, hi))
    return joined


def intersection(left: Iterable[Span], right: Iterable[Span]) -> list[Span]:
    """The minutes in both."""
    others = union(right)
    return union((max(lo, low), min(hi, high)) for lo, hi in union(left) for low, high in others)


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The minutes of ``spans`` that are in none of ``taken``."""
    gaps = union(taken)
    left: list[Span] = []
    for lo, hi in union(spans):
        for low, high in gaps:
            if low < hi and high > lo:
                left.append((lo, low))
                lo = max(lo, high)
        left.append((lo, hi))
    return [span for span in left if span[0] < span[1]]


def widened(span: Span, before: int, after: int) -> Span:
    """``span`` with so many minutes more on either side."""
    return span[0] - before, span[1] + after


def is_within(span: Span, spans: Sequence[Span]) -> bool:
    """Whether one of ``spans``, which do not touch each other, has all of ``span``."""
    return any(lo <= span[0] and span[1] <= hi for lo, hi in spans)
