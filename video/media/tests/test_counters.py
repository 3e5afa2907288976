"""What is dropped is counted by a word that names nobody."""

from video.media.counters import Counters, Dropped


def test_every_reason_has_a_word_of_its_own() -> None:
    counters = Counters(Dropped)
    assert counters.total() == len({str(reason) for reason in Dropped}) == len(counters)
    assert all(reason.isalpha() and reason.islower() for reason in Dropped)
