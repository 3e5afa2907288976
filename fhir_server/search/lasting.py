"""Date searches where periods abound: below the first date that fits there are only periods that last into it.

FHIR R4 Search, date (https://hl7.org/fhir/R4/search.html#date). Periods stand where they begin: whoever walks on
behind the first precise date that fits passes all that began before it, and finds next to nothing. Their ends are
indexed.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from fhir_server.store.search_sets import (
    HIGHEST,
    LOWEST,
    UNKNOWN_SIZE,
    Both,
    Dated,
    Either,
    Interval,
    Set,
    Span,
    Window,
    both,
    size,
    walkable,
)
from fhir_server.store.search_sql import VAGUE


def lasting(near: Set) -> Dated | None:
    """The one date search of a conjunction whose imprecise dates are too many to be collected beforehand."""
    if not isinstance(near, Both) or not any(walkable(p) for p in near.parts if not isinstance(p, Dated)):
        return None
    dated = [p for p in near.parts if isinstance(p, Dated)]
    return dated[0] if len(dated) == 1 and size(dated[0].other) >= UNKNOWN_SIZE else None


def beside(near: Set, dated: Dated) -> Set:
    """The conjunction without its date."""
    assert isinstance(near, Both)
    return both(*(p for p in near.parts if p is not dated))


def stretches(near: Set, dated: Dated, span: Span, descending: bool) -> Iterator[tuple[Set, Span]]:
    """What of ``near`` stands in which stretch, in the order of the walk: all of it where precise dates fit, and below
    them those that are found by their ends."""
    first = dated.precise.lo if isinstance(dated.precise, Window) else LOWEST
    above, below = span.meet(first, HIGHEST), span.meet(LOWEST, first)
    by_ends = both(_collected(dated.other), beside(near, dated), VAGUE)
    found = [(near, above), (by_ends, below)]
    return ((part, stretch) for part, stretch in found[:: 1 if descending else -1] if stretch.lo < stretch.hi)


def _collected(part: Set) -> Set:
    """Intervals, to be walked whatever else there is."""
    if isinstance(part, Either):
        return Either(tuple(_collected(p) for p in part.parts))
    return replace(part, size=0) if isinstance(part, Interval) else part
