"""Openings: the beginnings that fit between what is open and what is taken.

Pure; minutes since 1970 UTC.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import chain

from fhir_server.scheduling.rules import Rules
from fhir_server.scheduling.spans import Span, union


def openings(open: Iterable[Span], taken: Iterable[Span], rules: Rules, zone: tzinfo) -> Iterator[Span]:
    """Appointments that could be, in order; they may overlap each other. What lies before and after one may reach
    beyond the hours, but not into what is taken."""
    held = union(taken)
    for begin in chain.from_iterable(_beginnings(span, rules, zone) for span in union(open)):
        wanted = (begin, begin + rules.length)
        if _is_free(rules.blocked(wanted), held):
            yield wanted


def _beginnings(span: Span, rules: Rules, zone: tzinfo) -> range:
    """Those that end within ``span``; counted from the local midnight, so that every quarter of an hour is one by the
    clock."""
    step = rules.every or rules.length
    local = datetime.fromtimestamp(span[0] * 60, UTC).astimezone(zone)
    since = local.hour * 60 + local.minute
    return range(span[0] + -since % step, span[1] - rules.length + 1, step)


def _is_free(span: Span, held: Sequence[Span]) -> bool:
    """``held`` is in order, and looked up: three months of full days are asked at every beginning."""
    before = bisect_left(held, (span[1],))
    return before == 0 or held[before - 1][1] <= span[0]
