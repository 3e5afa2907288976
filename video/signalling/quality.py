"""How well somebody is heard and seen, in words.

Ours; ITU-T G.114 for what a delay does to talk: above 400 ms one way people speak at the same time.
"""

from enum import StrEnum

from video.ports import MediaStats


class Quality(StrEnum):
    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


_BARS = ((Quality.POOR, 8.0, 600.0, 120.0), (Quality.FAIR, 3.0, 300.0, 60.0))
"""Word, and from which loss (per cent), round trip (ms) and jitter (ms) it is used."""


def quality(stats: MediaStats) -> Quality:
    for word, lost, round_trip, jitter in _BARS:
        if stats.lost >= lost or stats.round_trip >= round_trip or stats.jitter >= jitter:
            return word
    return Quality.GOOD
