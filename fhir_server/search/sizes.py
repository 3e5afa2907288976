"""Lengths of lists that were counted a moment ago: they decide what to walk, never what is found.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). The pages of one search, and searches alike, ask for them again.
"""

from time import monotonic

from msgspec.structs import replace

from fhir_server.store.search_sets import Interval, Set

LASTING = 60.0
"""Seconds a count is believed."""
MOST = 10_000
"""Counts remembered; the memory starts anew beyond."""
ENDLESS = 2**63 - 1


class Sizes:
    """The counts of one process, capped at ``cap``; safe to share between threads."""

    def __init__(self, cap: int) -> None:
        self.cap = cap
        self._counts: dict[tuple[int, Set], tuple[float, int]] = {}

    def known(self, tenant: int, part: Set) -> int | None:
        """The count of ``part``, or one it cannot exceed if that is below the cap."""
        found = self._recent(tenant, part)
        if found is None and isinstance(part, Interval):
            whole = self._recent(tenant, every(part))
            return whole if whole is not None and whole < self.cap else None
        return found

    def _recent(self, tenant: int, part: Set) -> int | None:
        at, count = self._counts.get((tenant, part), (-LASTING, 0))
        return count if monotonic() - at < LASTING else None

    def learn(self, tenant: int, part: Set, count: int) -> None:
        if len(self._counts) >= MOST:
            self._counts.clear()
        self._counts[tenant, part] = (monotonic(), count)


def every(part: Interval) -> Interval:
    """All intervals on the lists of ``part``."""
    return replace(part, lo_from=-ENDLESS, lo_to=ENDLESS, hi_from=-ENDLESS, hi_to=ENDLESS)
