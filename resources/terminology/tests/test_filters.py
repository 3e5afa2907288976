"""Each filter operator, and expressions that mean harm."""

import pytest

from resources.errors import FhirError, Invalid, TooCostly
from resources.terminology import filters
from resources.terminology.code_system import CodeSystem
from resources.terminology.tests.given import ANIMALS, code_system, concept

FOUND = [
    ("concept", "is-a", "dog", "dog poodle"),
    ("concept", "descendent-of", "dog", "poodle"),
    ("concept", "is-not-a", "dog", "animal cat dodo"),
    ("concept", "generalizes", "poodle", "animal dog poodle"),
    ("code", "in", "cat, dodo,nothing", "cat dodo"),
    ("code", "not-in", "cat,dodo", "animal dog poodle"),
    ("code", "regex", "d.*o?g?", "dodo dog"),
    ("code", "regex", "d", ""),
    ("display", "=", "Cat", "cat"),
    ("display", "regex", "D.*", "dodo dog"),
    ("size", "=", "3", "poodle"),
    ("size", "exists", "true", "poodle"),
    ("size", "exists", "false", "animal cat dodo dog"),
    ("notSelectable", "=", "true", "animal"),
    ("parent", "=", "dog", "poodle"),
    ("child", "exists", "true", "animal dog"),
]


@pytest.mark.parametrize(("property", "op", "value", "found"), FOUND)
def test_what_fits(property: str, op: str, value: str, found: str) -> None:
    held = {"property": property, "op": op, "value": value}
    assert " ".join(sorted(filters.filtered(CodeSystem(ANIMALS), held))) == found


REFUSED = [
    ("colour", "=", "red", Invalid),
    ("concept", "is-a", "cow", Invalid),
    ("size", "exists", "maybe", Invalid),
    ("code", "regex", "(", Invalid),
    ("code", "regex", "a" * 501, TooCostly),
    ("code", "like", "a", Invalid),
]


@pytest.mark.parametrize(("property", "op", "value", "error"), REFUSED)
def test_what_is_refused(property: str, op: str, value: str, error: type[FhirError]) -> None:
    with pytest.raises(error):
        filters.filtered(CodeSystem(ANIMALS), {"property": property, "op": op, "value": value})


def test_an_expression_that_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "SECONDS", 0.05)
    known = CodeSystem(code_system(*(concept("a" * 60 + f"!{n}") for n in range(3))))
    with pytest.raises(TooCostly, match="too long"):
        filters.filtered(known, {"property": "code", "op": "regex", "value": "(a|aa|a?)+$"})
