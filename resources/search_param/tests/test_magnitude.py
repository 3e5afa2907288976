from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.search_param.magnitude import LEAST, MOST, ordered, parsed

numbers = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**8), max_value=10**8)


@given(numbers, numbers)
def test_order_is_kept(a, b):
    assert (ordered(a) < ordered(b)) == (a < b)


def test_equal_numbers_are_equal_however_written():
    assert ordered(Decimal("1.00")) == ordered(1) == ordered(Fraction(1)) == ordered(Decimal("1e0"))
    assert ordered(Decimal("-0")) == ordered(0) == 0


def test_huge_numbers_stay_inside_the_open_ends():
    assert LEAST < ordered(Decimal("-1e999")) < ordered(Decimal("-1e300")) < ordered(Decimal("1e300")) < MOST
    assert ordered(10**400) < MOST


@pytest.mark.parametrize(
    ("text", "number", "half"),
    [
        ("100", Fraction(100), Fraction(1, 2)),
        ("100.00", Fraction(100), Fraction(1, 200)),
        ("5.40e-3", Fraction(54, 10000), Fraction(1, 200000)),
        ("1e2", Fraction(100), Fraction(5)),
        ("-5", Fraction(-5), Fraction(1, 2)),
    ],
)
def test_digits_imply_a_range(text, number, half):
    assert parsed(text) == (number, half)


@pytest.mark.parametrize("text", ["", "x", "1.", ".5", "1e", "1e9999", "NaN", "1_000", "0x1", "9" * 50])
def test_no_number_is_refused(text):
    with pytest.raises(ValueError):
        parsed(text)
