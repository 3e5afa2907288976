import pytest

from resources.errors import BadSearch
from resources.search_param import compile_param
from resources.search_param.intervals import interval
from resources.search_param.terms import And, Column, Or


def test_ids():
    assert compile_param("Patient", "_id", "", "a") == Column("id", "eq", "a")
    assert compile_param("Patient", "_id", "", "a,b") == Or((Column("id", "eq", "a"), Column("id", "eq", "b")))


def test_last_updated_is_an_instant():
    lo, hi = interval("2020-01")
    assert compile_param("Patient", "_lastUpdated", "", "2020-01") == And(
        (Column("updated", "ge", lo), Column("updated", "lt", hi))
    )
    after = compile_param("Patient", "_lastUpdated", "", "gt2020-01")
    assert isinstance(after, And) and after.terms[0] == Column("updated", "ge", hi)


@pytest.mark.parametrize(
    ("name", "modifier", "value"),
    [("_id", "", "a b"), ("_id", "not", "a"), ("_lastUpdated", "", "x"), ("_id", "missing", "true")],
)
def test_refused(name, modifier, value):
    with pytest.raises(BadSearch, match=name):
        compile_param("Patient", name, modifier, value)
