"""The order key: order of dates, windows, and room for conflicts."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from fhir_server.store.order import EPOCH, IMPRECISE, LOW, place, tick_of, window

MICROS = st.integers(EPOCH, EPOCH + (2**37 - 1) * 125_000)
RID = st.integers(1, 2**40)


def test_the_epoch_is_1835() -> None:
    assert datetime(1835, 1, 1, tzinfo=UTC).timestamp() * 1_000_000 == EPOCH


@given(MICROS, RID, st.integers(0, 7))
def test_a_precise_date_stays_within_its_second(micros: int, rid: int, bump: int) -> None:
    second = micros // 1_000_000 * 1_000_000
    o = place(second, True, rid, bump)
    assert 0 <= o < 2**63
    lo, hi = window(second, second + 1_000_000)
    if second >= EPOCH and tick_of(second + 1_000_000) < 2**37 - 1:
        assert lo <= o < hi
        assert not o & IMPRECISE and o & LOW == rid & LOW


@given(MICROS, MICROS, RID)
def test_later_dates_come_later(a: int, b: int, rid: int) -> None:
    small = rid & LOW
    if tick_of(a) < tick_of(b):
        assert place(a, False, small) < place(b, False, small)


@given(st.integers(-(2**70), 2**70), RID, st.booleans())
def test_any_date_has_a_place(micros: int, rid: int, precise: bool) -> None:
    assert 0 <= place(micros, precise, rid) < 2**63


def test_conflicts_take_another_tick() -> None:
    assert len({place(0, True, 1, bump) for bump in range(8)}) == 8
    assert len({place(0, False, 1 + (n << 25)) for n in range(20)}) == 20
