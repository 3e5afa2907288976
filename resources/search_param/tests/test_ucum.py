import sys
from fractions import Fraction

import pytest

from resources.search_param import ucum
from resources.search_param.ucum_table import table, units


@pytest.mark.parametrize(
    ("unit", "into", "factor", "offset"),
    [
        ("mg", "g", Fraction(1, 1000), 0),
        ("mg/dL", "g/L", Fraction(1, 100), 0),
        ("[degF]", "Cel", Fraction(5, 9), Fraction(-160, 9)),
        ("h", "min", 60, 0),
        ("10*3/uL", "10*9/L", 1, 0),
        ("m[iU]/L", "u[iU]/mL", 1, 0),
        ("{beats}/min", "/min", 1, 0),
        ("[lb_av]", "g", Fraction("453.59237"), 0),
        ("nonsense", "nonsense", 1, 0),
        ("U/L", "ukat/L", Fraction(1, 60), 0),
    ],
)
def test_conversion(unit, into, factor, offset):
    assert ucum.conversion(unit, into) == (factor, offset)


@pytest.mark.parametrize(
    ("unit", "into"),
    [
        *(("mg", "mL"), ("mg", "nonsense"), ("[iU]/L", "/L"), ("", "mg"), ("é", "mg"), ("(", "mg")),
        *(("10*999999999", "1"), ("m-2147483647", "m"), ("10*{a}999999999", "1")),
    ],
)
def test_what_does_not_compare(unit, into):
    assert ucum.conversion(unit, into) is None


def test_rare_units_are_worked_out():
    assert ucum.conversion("Mg/dm3", "kg/L") == (1000, 0)


def test_common_units_need_no_parser(monkeypatch):
    ucum.canonical.cache_clear()
    monkeypatch.setitem(sys.modules, "ucumvert", None)
    assert all(ucum.canonical(unit) for unit in ("mg/dL", "mmol/L", "Cel", "kg/m2", "mm[Hg]", "/min", "10*3/uL", "%"))


@pytest.mark.slow
def test_the_table_is_what_the_parser_says():
    assert ucum._table() == table()
    assert set(units()) - set(ucum._table()) == {"mL/min/{1.73_m2}"}


def test_an_annotation_alone_compares_with_itself_only():
    assert ucum.conversion("{score}", "{score}") == ucum.SAME
    assert ucum.conversion("{score}", "%") is None and ucum.conversion("{score}", "{ratio}") is None
    assert ucum.conversion("{beats}/min", "/min") == ucum.SAME
