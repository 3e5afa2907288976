"""Every prefix against the sentences of https://hl7.org/fhir/R4/search.html#prefix, written out as sets of points."""

from hypothesis import given
from hypothesis import strategies as st

from resources.search_param.bounds import Asked, bounds, split_prefix

intervals = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda pair: (pair[0], pair[0] + pair[1]))

HORIZON = 30


def meets(prefix, value, target):
    """The definition: ``value`` is searched, ``target`` stored; both as sets of points between -HORIZON and HORIZON."""
    searched, stored = set(range(*value)), set(range(*target))
    below, above = set(range(-HORIZON, value[0])), set(range(value[1], HORIZON))
    equal = stored <= searched
    return {
        "eq": equal,
        "ne": not equal,
        "gt": bool(above & stored),
        "lt": bool(below & stored),
        "ge": bool(above & stored) or equal,
        "le": bool(below & stored) or equal,
        "sa": not searched & stored and stored <= above,
        "eb": not searched & stored and stored <= below,
        "ap": bool(searched & stored),
    }[prefix]


@given(st.sampled_from(["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]), intervals, intervals)
def test_prefixes(prefix, value, target):
    lo, hi = value
    found = [
        b
        for b in bounds(prefix, Asked(lo, hi, lo, hi, lo, hi))
        if b.lo_from <= target[0] < b.lo_to and b.hi_from <= target[1] < b.hi_to
    ]
    assert len(found) == meets(prefix, value, target)


def test_a_prefix_stands_before_a_digit():
    assert split_prefix("ge2020") == ("ge", "2020")
    assert split_prefix("2020") == ("eq", "2020")
    assert split_prefix("lt-5") == ("lt", "-5")
    assert split_prefix("xx5") == ("eq", "xx5")
