"""Words for a connection."""

import pytest

from video.ports import MediaStats
from video.signalling.quality import quality


@pytest.mark.parametrize(
    ("stats", "word"),
    [
        (MediaStats(), "good"),
        (MediaStats(lost=2.9, round_trip=299, jitter=59), "good"),
        (MediaStats(lost=3), "fair"),
        (MediaStats(round_trip=300), "fair"),
        (MediaStats(jitter=60), "fair"),
        (MediaStats(lost=8), "poor"),
        (MediaStats(round_trip=700, lost=1), "poor"),
    ],
)
def test_the_worst_measure_decides(stats: MediaStats, word: str) -> None:
    assert quality(stats) == word
