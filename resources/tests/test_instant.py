"""Instants."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from resources.instant import instant


def test_milliseconds_are_told() -> None:
    assert instant(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert instant(1_700_000_000_007) == "2023-11-14T22:13:20.007Z"


@given(st.integers(0, 4_000_000_000_000))
def test_an_instant_is_read_back(milliseconds: int) -> None:
    expected = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
    assert datetime.fromisoformat(instant(milliseconds)) == expected
