"""The order key ``o``: where a resource stands in every posting list.

The clinical date of a FHIR R4 resource (https://hl7.org/fhir/R4/search.html#date) as one sortable 63-bit integer:
``ticks << 26 | imprecise << 25 | rid & (2^25 - 1)``, ticks of 1/8 second since 1835-01-01T00:00:00Z.
"""

EPOCH = -4_260_211_200_000_000
"""1835-01-01T00:00:00Z in microseconds since 1970."""
TICK = 125_000
"""Microseconds of one tick."""
LAST_TICK = 2**37 - 2
SHIFT = 26
IMPRECISE = 1 << 25
LOW = IMPRECISE - 1


def place(micros: int, precise: bool, rid: int, bump: int = 0) -> int:
    """``o`` of resource ``rid`` whose date is ``micros`` (microseconds since 1970 UTC; clamped to 1835-2379).

    ``precise``: the date is a whole second and stays in its eight ticks; else it may move on freely. ``bump`` counts
    conflicts met so far: each takes another tick. Resources whose rids agree in 25 bits start at different ticks.
    """
    moved = (rid >> 25) + bump
    tick = tick_of(micros) + (moved & 7 if precise else moved)
    return min(tick, LAST_TICK) << SHIFT | (0 if precise else IMPRECISE) | rid & LOW


def tick_of(micros: int) -> int:
    """The tick that holds ``micros``, clamped to the range of ``o``."""
    return max(0, min((micros - EPOCH) // TICK, LAST_TICK))


def window(lo: int, hi: int) -> tuple[int, int]:
    """[first, last) of ``o`` for dates in [lo, hi) microseconds; only rows with IMPRECISE clear count."""
    return first_place(lo), first_place(hi)


def first_place(micros: int) -> int:
    """The smallest ``o`` of a date not before ``micros`` (rounded up to a whole second, as precise dates are)."""
    seconds = -(-(micros - EPOCH) // 1_000_000)
    return max(0, min(seconds * 8, LAST_TICK + 1)) << SHIFT
