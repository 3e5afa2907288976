"""What a way carries: the filter says what aiortc's says, and the estimate follows a way that gets narrower."""

import random

from aiortc.rate import BandwidthUsage, OveruseEstimator, RemoteBitrateEstimator
from hypothesis import given
from hypothesis import strategies as st

from video.media.estimate import Estimate, Filter

GROUPS = st.tuples(st.integers(0, 80), st.floats(0, 60), st.integers(-3000, 3000), st.sampled_from(BandwidthUsage))


@given(st.lists(GROUPS, max_size=120))
def test_the_filter_is_that_of_aiortc(groups: list[tuple[int, float, int, BandwidthUsage]]) -> None:
    theirs, ours = OveruseEstimator(), Filter()
    for arrived, apart, size, usage in groups:
        theirs.update(arrived, apart, size, usage, 0)
        ours.update(arrived, apart, size, usage)
    assert ours.count == theirs.num_of_deltas()
    assert abs(ours.offset - theirs.offset()) < 0.01 * (1 + abs(ours.offset))


def estimates(narrow: float) -> tuple[int, int]:
    """Ours and aiortc's, of a sender of 1 Mbit/s, sound and picture, after 30 s; from 15 s on ``narrow`` bit/s pass."""
    ours, theirs, noise = Estimate(), RemoteBitrateEstimator(), random.Random(1)
    free, found, wanted = 0.0, 0, 0
    packets = [(100 + n / 50, 120) for n in range(1500)] + [
        (100 + n / 30 + k * 0.0004, 1000) for n in range(900) for k in range(4)
    ]
    for sent, size in sorted(packets):
        free = max(free, sent + 0.02) + size * 8 / (narrow if sent > 115 else 20_000_000)
        now, stamp = free + noise.random() * 0.001, int(sent * 262144) & 0xFFFFFF
        found = ours.add(stamp, size, now)
        took = theirs.add(int(now * 1000), stamp, size, 1)
        wanted = took[0] if took is not None else wanted
    return found, wanted


def test_a_wide_way_and_a_narrow_one() -> None:
    for narrow, least, most in ((20_000_000, 1_000_000, 2_000_000), (800_000, 300_000, 900_000)):
        found, wanted = estimates(narrow)
        assert least < found < most
        assert 0.7 < found / wanted < 1.4


def test_what_is_late_or_comes_after_a_pause_breaks_nothing() -> None:
    estimate = Estimate()
    for stamp, now in (
        (5000, 1.0),
        (100, 1.001),
        (9000, 1.02),
        (9000, 1.02),
        (0xFFFFFF, 90.0),
        (20, 90.001),
        (9, 300.0),
    ):
        assert estimate.add(stamp, 1200, now) == 0
