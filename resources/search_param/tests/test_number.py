from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import BadSearch
from resources.search_param import compile_param
from resources.search_param.tests.naive import finds

decimals = st.decimals("-20", "20", places=2)


def risk(**prediction):
    return {"resourceType": "RiskAssessment", "status": "final", "prediction": [prediction]}


def meets(prefix, searched, number):
    digits = -searched.as_tuple().exponent
    half = Decimal(10) ** -digits / 2
    equal = searched - half <= number < searched + half
    return {
        "eq": equal,
        "ne": not equal,
        "lt": number < searched,
        "gt": number > searched,
        "le": number <= searched,
        "ge": number >= searched,
        "sa": number > searched,
        "eb": number < searched,
        "ap": abs(number - searched) <= max(abs(searched) / 10, half),
    }[prefix]


@given(st.sampled_from(["eq", "ne", "lt", "gt", "le", "ge", "sa", "eb", "ap"]), decimals, decimals, st.integers(0, 2))
def test_against_the_definition(prefix, searched, number, places):
    searched = round(searched, places)
    assert finds(risk(probabilityDecimal=number), "probability", f"{prefix}{searched:f}") == meets(
        prefix, searched, number
    )


def test_ranges():
    resource = risk(probabilityRange={"low": {"value": Decimal("10")}, "high": {"value": Decimal("20")}})
    assert finds(resource, "probability", "gt15")
    assert finds(resource, "probability", "lt15")
    assert not finds(resource, "probability", "gt20")
    assert not finds(resource, "probability", "15")
    assert finds(resource, "probability", "sa9")
    assert finds(resource, "probability", "eb21")


@pytest.mark.parametrize("value", ["x", "gt", "1,y", "1..2"])
def test_refused(value):
    with pytest.raises(BadSearch, match="probability"):
        compile_param("RiskAssessment", "probability", "", value)
