"""The algebra of compose against plain sets, and what is bounded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import BusinessRule, FhirError, Invalid, TooCostly
from resources.terminology import compose
from resources.terminology.compose import ANY, Expander
from resources.terminology.source import Unknown
from resources.terminology.tests.given import ANIMALS, SYSTEM, Shelf, chosen, code_system, concept, listed, value_set

CODES = ("a", "b", "c", "d", "e")
LETTERS = code_system(*map(concept, CODES))
_codes = st.frozensets(st.sampled_from(CODES))
_part = st.tuples(st.none() | _codes, st.lists(_codes, max_size=2))


def _named(sets: dict[str, Any], codes: frozenset[str]) -> str:
    url = "http://example.org/" + "".join(sorted(codes))
    sets[url] = value_set(url, [listed(*sorted(codes))]) if codes else value_set(url, [listed("a")], [listed("a")])
    return url


def _written(part: tuple[frozenset[str] | None, list[frozenset[str]]], sets: dict[str, Any]) -> dict[str, Any]:
    codes, imports = part
    found: dict[str, Any] = {"system": SYSTEM}
    if codes:
        found |= listed(*sorted(codes))
    elif codes is not None:
        found |= chosen("code", "in", "none")
    if imports:
        found["valueSet"] = [_named(sets, one) for one in imports]
    return found


def _meant(part: tuple[frozenset[str] | None, list[frozenset[str]]]) -> frozenset[str]:
    codes, imports = part
    return frozenset(CODES if codes is None else codes).intersection(*imports)


@given(st.lists(_part, min_size=1, max_size=3), st.lists(_part, max_size=2))
def test_includes_unite_parts_intersect_excludes_take_away(include: Any, exclude: Any) -> None:
    sets: dict[str, Any] = {}
    made = value_set("", [_written(p, sets) for p in include], [_written(p, sets) for p in exclude])
    expected = frozenset().union(*map(_meant, include)) - frozenset().union(*map(_meant, exclude))
    found = Expander(Shelf(LETTERS, *sets.values())).of(made)
    assert {code for _, code in found} == expected


@given(_codes, _codes)
def test_a_set_without_itself_is_empty_and_excluding_twice_is_once(a: frozenset[str], b: frozenset[str]) -> None:
    def members(include: frozenset[str], *exclude: frozenset[str]) -> set[str]:
        parts = [listed(*sorted(codes)) for codes in exclude]
        made = value_set("", [listed(*sorted(include))], parts)
        return {code for _, code in Expander(Shelf(LETTERS)).of(made)}

    assert members(a, a) == set()
    assert members(a, b) == members(a, b, b) == set(a - b)


def test_value_sets_alone_intersect() -> None:
    sets: dict[str, Any] = {}
    names = [_named(sets, frozenset("abc")), _named(sets, frozenset("bcd"))]
    found = Expander(Shelf(LETTERS, *sets.values())).of(value_set("", [{"valueSet": names}]))
    assert {code for _, code in found} == {"b", "c"}


def test_listed_codes_need_no_code_system() -> None:
    found = Expander(Shelf()).of(value_set("", [listed("x", system="http://loinc.org")]))
    assert list(found) == [("http://loinc.org", "x")]


def test_inactive_codes_go_when_the_value_set_says_so() -> None:
    made = value_set("", [{"system": SYSTEM}])
    assert (SYSTEM, "dodo") in Expander(Shelf(ANIMALS)).of(made)
    made["compose"]["inactive"] = False
    assert (SYSTEM, "dodo") not in Expander(Shelf(ANIMALS)).of(made)


def test_a_whole_system_that_is_not_here() -> None:
    whole, part = value_set("w", [{"system": "urn:x"}]), value_set("p", [listed("1", system="urn:x")])
    shelf = Shelf(whole, part)
    with pytest.raises(TooCostly, match="urn:x cannot be listed"):
        Expander(shelf).named("w")
    assert list(Expander(shelf, open_systems=True).named("w")) == [("urn:x", ANY)]
    both = value_set("", [{"valueSet": ["w", "p"]}])
    assert list(Expander(shelf, open_systems=True).of(both)) == [("urn:x", "1")]
    with pytest.raises(TooCostly):
        Expander(shelf, open_systems=True).of(value_set("", [{"system": "urn:x"}], [listed("1", system="urn:x")]))
    assert Expander(shelf, open_systems=True).of(value_set("", [{"system": "urn:x"}], [{"system": "urn:x"}])) == {}


@pytest.mark.parametrize("content", ["fragment", "example", "not-present"])
def test_a_part_of_a_system_is_not_all_of_it(content: str) -> None:
    with pytest.raises(TooCostly):
        Expander(Shelf({**ANIMALS, "content": content})).of(value_set("", [chosen("concept", "is-a", "dog")]))


def test_a_given_expansion() -> None:
    inner = [{"system": SYSTEM, "code": "a"}, {"system": SYSTEM, "code": "b", "abstract": True}]
    given_ = {"contains": [{"display": "group", "contains": inner}], "total": 3}
    found = Expander(Shelf()).of({"expansion": given_})
    assert list(found) == [(SYSTEM, "a")]
    with pytest.raises(TooCostly, match="part of its expansion"):
        Expander(Shelf()).of({"expansion": {**given_, "total": 9}})
    whole = value_set("", [{"system": "urn:x"}]) | {"expansion": given_}
    assert list(Expander(Shelf()).of(whole)) == [(SYSTEM, "a")]


REFUSED: list[tuple[dict[str, Any], type[FhirError], str]] = [
    ({"valueSet": ["http://example.org/absent"]}, Unknown, "absent is not known here"),
    ({"valueSet": ["a"]}, BusinessRule, "a imports b imports a"),
    ({"valueSet": ["n0"]}, TooCostly, "30 deep"),
    ({}, Invalid, "system or a valueSet"),
]


@pytest.mark.parametrize(("include", "error", "text"), REFUSED)
def test_what_is_refused(include: dict[str, Any], error: type[FhirError], text: str) -> None:
    cycle = [value_set("a", [{"valueSet": ["b"]}]), value_set("b", [{"valueSet": ["a"]}])]
    chain = [value_set(f"n{n}", [{"valueSet": [f"n{n + 1}"]}]) for n in range(40)]
    with pytest.raises(error, match=text):
        Expander(Shelf(*cycle, *chain)).of(value_set("", [include]))


def test_size_and_work_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "MOST_CODES", 4)
    with pytest.raises(TooCostly, match="more than 4 codes"):
        Expander(Shelf(LETTERS)).of(value_set("", [{"system": SYSTEM}]))
    monkeypatch.undo()
    monkeypatch.setattr(compose, "MOST_STEPS", 100)
    with pytest.raises(TooCostly, match="steps"):
        Expander(Shelf(LETTERS)).of(value_set("", [chosen("code", "regex", "[ab]")] * 50))


def test_a_hundred_thousand_codes() -> None:
    found = Expander(Shelf()).of(value_set("", [listed(*map(str, range(100_000)))], [listed("7")]))
    assert len(found) == 99_999
