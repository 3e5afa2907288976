"""Token buckets: a burst, then a rate, for everybody alone; bounded in number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video.signalling import limits as module
from video.signalling.limits import Limit, Limits, TooOften, network


class Watch:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(limits: Limits, times: int, who: str = "a") -> int:
    good = 0
    for _ in range(times):
        try:
            limits.take("x", who)
            good += 1
        except TooOften:
            pass
    return good


def test_a_burst_and_then_a_rate() -> None:
    watch = Watch()
    limits = Limits(watch, {"x": Limit(5, 0.5)})
    assert taken(limits, 10) == 5
    assert taken(limits, 10, "b") == 5
    watch.now = 4.0
    assert taken(limits, 10) == 2


def test_says_when() -> None:
    watch = Watch()
    limits = Limits(watch, {"x": Limit(1, 0.1)})
    limits.take("x", "a")
    with pytest.raises(TooOften) as refused:
        limits.take("x", "a")
    assert (refused.value.retry, refused.value.status) == (10, 429)
    watch.now = 10.0
    limits.take("x", "a")


@given(st.lists(st.floats(0, 5), max_size=50))
def test_never_more_than_burst_and_rate_allow(pauses: list[float]) -> None:
    watch = Watch()
    limits, good = Limits(watch, {"x": Limit(3, 2)}), 0
    for pause in pauses:
        watch.now += pause
        good += taken(limits, 4)
    assert good <= 3 + 2 * watch.now + 1e-6


def test_the_number_of_buckets_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEYS", 10)
    limits = Limits(Watch(), {"x": Limit(1, 0.1)})
    for number in range(100):
        limits.take("x", str(number))
    assert len(limits._buckets) == 10


@pytest.mark.parametrize(
    ("address", "counted"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("", ""), ("unix:", "unix:")],
)
def test_an_ipv6_network_counts_as_one(address: str, counted: str) -> None:
    assert network(address) == counted
