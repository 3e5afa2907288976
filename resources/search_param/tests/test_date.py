from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import BadSearch
from resources.search_param import compile_param, extract
from resources.search_param.intervals import BEGINNING, END, SECOND, interval
from resources.search_param.terms import Clinical, Or
from resources.search_param.tests.naive import finds

PREFIXES = ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]
zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-5, minutes=-30))])
moments = st.datetimes(datetime(2019, 12, 30), datetime(2020, 1, 3), timezones=zones)
lengths = st.sampled_from([4, 7, 10, 19, 23])


@st.composite
def dates(draw):
    """A FHIR date of any precision near a turn of the year."""
    moment, length = draw(moments), draw(lengths)
    text = moment.isoformat(timespec="milliseconds")
    return text[:length] + (text[23:] if length > 10 else "")


@st.composite
def periods(draw):
    start, end = sorted((draw(dates()), draw(dates())), key=lambda text: interval(text)[0])
    kept = draw(st.sampled_from([("start", "end"), ("start",), ("end",)]))
    return {name: text for name, text in (("start", start), ("end", end)) if name in kept}


def meets(prefix, searched, lo, hi):
    """The sentences of the specification about the searched value and a stored [lo, hi)."""
    qlo, qhi = interval(searched)
    equal = qlo <= lo and hi <= qhi
    return {
        "eq": equal,
        "ne": not equal,
        "gt": hi > qhi,
        "lt": lo < qlo,
        "ge": hi > qhi or equal,
        "le": lo < qlo or equal,
        "sa": lo >= qhi,
        "eb": hi <= qlo,
    }[prefix]


@given(st.sampled_from(PREFIXES), dates(), dates())
def test_a_clinical_date(prefix, searched, stored):
    resource = {"resourceType": "Observation", "status": "final", "effectiveDateTime": stored}
    assert finds(resource, "date", prefix + searched) == meets(prefix, searched, *interval(stored))


@given(st.sampled_from(PREFIXES), dates(), dates())
def test_another_date(prefix, searched, stored):
    resource = {"resourceType": "Condition", "recordedDate": stored}
    assert finds(resource, "recorded-date", prefix + searched) == meets(prefix, searched, *interval(stored))


@given(st.sampled_from(PREFIXES), dates(), periods())
def test_a_period(prefix, searched, stored):
    lo = interval(stored["start"])[0] if "start" in stored else BEGINNING
    hi = interval(stored["end"])[1] if "end" in stored else END
    resource = {"resourceType": "Encounter", "status": "finished", "period": stored}
    assert finds(resource, "date", prefix + searched) == meets(prefix, searched, lo, hi)


def test_the_order_key_alone_holds_a_whole_second():
    entries = extract({"resourceType": "Observation", "effectiveDateTime": "2020-01-01T00:00:00Z"})
    assert (entries.clinical, entries.precise, entries.ranges) == (interval("2020-01-01")[0], True, [])
    partial = extract({"resourceType": "Observation", "effectiveDateTime": "2020-01-01"})
    assert (partial.clinical, partial.precise, len(partial.ranges)) == (interval("2020-01-01")[0], False, 1)


def test_an_open_period_orders_by_its_end():
    entries = extract({"resourceType": "Encounter", "period": {"end": "2020"}})
    assert (entries.clinical, entries.precise) == (interval("2020")[1], False)


def test_approximately_widens_with_distance():
    resource = {"resourceType": "Observation", "effectiveDateTime": "1990-06-01T00:00:00Z"}
    assert finds(resource, "date", "ap1992")
    assert not finds(resource, "date", "ap2020")


def test_windows_that_touch_are_one():
    term = compile_param("Observation", "date", "", "ge2020")
    assert isinstance(term, Or)
    assert [(t.lo, t.hi) for t in term.terms if isinstance(t, Clinical)] == [(interval("2020")[0], END + 1 - SECOND)]


def test_a_plus_sign_that_became_a_space():
    resource = {"resourceType": "Observation", "effectiveDateTime": "2020-01-01T00:00:00Z"}
    assert finds(resource, "date", "2020-01-01T02:00:00 02:00")


@pytest.mark.parametrize("value", ["", "x", "ge", "2020-13", "xx2020", "2020-02-30", "12:00"])
def test_refused(value):
    with pytest.raises(BadSearch, match="date"):
        compile_param("Observation", "date", "", value)


def test_no_modifier():
    with pytest.raises(BadSearch, match=":exact"):
        compile_param("Observation", "date", "exact", "2020")
