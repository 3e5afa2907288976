"""Beginnings that fit."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.scheduling.openings import openings
from fhir_server.scheduling.rules import GRAIN, RULES, TIMEZONE, Rules, rules_of, zone_of
from resources.errors import BusinessRule


def begins(open, taken=(), zone=UTC, **rules):
    return [begin for begin, _ in openings(open, taken, Rules(**rules), zone)]


def test_one_after_the_other():
    assert begins([(540, 660)]) == [540, 570, 600, 630]
    assert begins([(540, 660)], every=15, length=60) == [540, 555, 570, 585, 600]


def test_they_begin_by_the_clock_not_by_the_opening():
    assert begins([(550, 660)]) == [570, 600, 630]
    # 330 minutes before UTC: half past is a half hour there.
    assert begins([(545, 660)], zone=ZoneInfo("Asia/Kolkata"), length=60) == [570]


def test_what_is_around_one_stays_out_of_what_is_taken_but_may_leave_the_hours():
    assert begins([(540, 660)], [(600, 630)], after=10, before=10) == [540]
    assert begins([(540, 660)], [(600, 630)], after=10, every=GRAIN)[-1] == 630
    assert begins([(540, 570)], after=60, before=60) == [540]


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ([{"url": "length", "valueUnsignedInt": 1}], "5 to 1440"),
        ([{"url": "lenght", "valueUnsignedInt": 30}], "its rules are"),
        ([{"url": "after", "valueString": "ten"}], "0 to 240"),
    ],
)
def test_rules_that_can_not_be_are_refused_by_name(parts, word):
    with pytest.raises(BusinessRule, match=word):
        rules_of({"extension": [{"url": RULES, "extension": parts}]})


def test_zones():
    assert zone_of({}, UTC) is UTC
    assert zone_of({"extension": [{"url": TIMEZONE, "valueCode": "Europe/Berlin"}]}, UTC) == ZoneInfo("Europe/Berlin")
    with pytest.raises(BusinessRule, match="no time zone"):
        zone_of({"extension": [{"url": TIMEZONE, "valueCode": "../../etc/passwd"}]}, UTC)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), max_size=5), st.integers(0, 12))
def test_none_reaches_into_what_is_taken_and_none_that_fits_is_missing(taken, after):
    held = {minute for lo, hi in taken for minute in range(lo, hi)}
    fits = [at for at in range(0, 181, 20) if not held & set(range(at, at + 20 + after))]
    assert begins([(0, 200)], taken, length=20, after=after) == fits
