"""The clock: counts on through a change of the wall clock, and follows it when it is told to."""

from video.signalling.clock import Clock

S = 1_000_000_000


def test_counts_on_and_follows() -> None:
    wall, monotonic = [1000 * S], [50 * S]
    clock = Clock(lambda: wall[0], lambda: monotonic[0])
    monotonic[0] += 3 * S
    assert clock.now() == 1_003_000
    wall[0] = 1001 * S + S // 2
    clock.follow()
    assert clock.now() == 1_003_000
    wall[0] = 5000 * S
    assert (clock.now(), clock.wall()) == (1_003_000, 5000)
    clock.follow()
    monotonic[0] += S
    assert clock.now() == 5_001_000
