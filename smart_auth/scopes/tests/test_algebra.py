"""The algebra of scopes: what is understood, and that nothing ever widens."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources import definitions
from smart_auth.errors import OAuthError
from smart_auth.scopes.algebra import (
    CONTEXTS,
    MAX_CHARACTERS,
    MAX_GRANULAR,
    MAX_SCOPES,
    SPECIAL,
    V1,
    ResourceScope,
    Scopes,
    covers,
    intersect,
    is_mixed,
    narrowed,
    parse,
    refuse_mixed_contexts,
)

LAB = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory"
LETTERS = ["".join(found) for size in range(1, 6) for found in combinations("cruds", size)]
PARAMS = {
    "*": ["_tag=t", "_tag=t,u"],
    "Observation": ["category=a", "category=a,b", "category=c|d", "code=x", "_tag=t"],
    "Condition": ["category=a", "code=x", "code=y,x"],
    "Patient": ["_tag=t", "_id=1"],
}
TYPES = list(PARAMS)


@st.composite
def resource_scopes(draw: st.DrawFn) -> str:
    context, type = draw(st.sampled_from(CONTEXTS)), draw(st.sampled_from(TYPES))
    if draw(st.booleans()):
        return f"{context}/{type}.{draw(st.sampled_from(sorted(V1)))}"
    params = draw(st.lists(st.sampled_from(PARAMS[type]), max_size=2))
    return f"{context}/{type}.{draw(st.sampled_from(LETTERS))}" + ("?" + "&".join(params) if params else "")


def texts() -> st.SearchStrategy[str]:
    special = st.sampled_from([*sorted(SPECIAL), "launch/imagingstudy", "launch/imagingstudy?role=r"])
    return st.lists(resource_scopes() | special, max_size=6).map(" ".join)


scopes = texts().map(parse)


def atoms(found: Scopes) -> set[tuple[str, str, str]]:
    """(context, type, letter) that some scope without parameters gives, wildcards spelled out over TYPES."""
    return {
        (scope.context, type, letter)
        for scope in found.resources
        if not scope.params
        for type in (TYPES if scope.type == "*" else [scope.type])
        for letter in scope.permissions
    }


@given(scopes, scopes)
def test_an_intersection_is_within_both(registered: Scopes, asked: Scopes) -> None:
    found = intersect(registered, asked)
    assert covers(registered, found)
    assert covers(asked, found)


@given(scopes, scopes)
def test_an_intersection_is_all_that_both_hold(registered: Scopes, asked: Scopes) -> None:
    assert atoms(intersect(registered, asked)) == atoms(registered) & atoms(asked)


@given(scopes, scopes)
def test_an_intersection_comes_to_rest(registered: Scopes, asked: Scopes) -> None:
    found = intersect(registered, asked)
    assert intersect(registered, found) == found == intersect(found, found)


@given(scopes)
def test_a_set_covers_itself_and_meets_itself(found: Scopes) -> None:
    assert covers(found, found)
    assert intersect(found, found) == found
    assert intersect(parse("patient/*.cruds user/*.cruds system/*.cruds " + str(found)), found) == found


@given(scopes, scopes)
def test_what_is_covered_is_not_cut(registered: Scopes, asked: Scopes) -> None:
    if covers(registered, asked):
        assert covers(intersect(registered, asked), asked)


@given(texts())
def test_what_is_written_is_read_back(text: str) -> None:
    found = parse(text)
    assert not found.malformed
    assert parse(str(found)) == found


@given(st.text())
def test_no_text_raises_and_only_the_grammar_grants(text: str) -> None:
    found = parse(text)
    assert all(scope.type == "*" or scope.type in definitions.RESOURCE_TYPES for scope in found.resources)
    assert set(found.special) <= SPECIAL or all(scope.startswith("launch/") for scope in set(found.special) - SPECIAL)
    assert set(str(found).split(" ")) - {""} <= set(text.split(" "))


MALFORMED = (
    "patient/Observation.rsXYZ",
    "patient/Observation.sr",
    "patient/Observation.dus",
    "patient/Observation.rr",
    "patient/Observation.",
    "patient/Observation",
    "patient/Observation.Read",
    "patient/Observation.reads",
    "patient/observation.rs",
    "patient/Observations.rs",
    "patient/DomainResource.rs",
    "patient/.rs",
    "patient/**.rs",
    "Patient/Observation.rs",
    "patients/Observation.rs",
    "xpatient/Observation.rs",
    "/Observation.rs",
    "patient/Observation.rs/",
    "patient/Observation.rs\n",
    "patient/Observation.rs\tuser/*.rs",
    "patient/Observation.rs\u00a0",
    "patient/Observation.rs\x00",
    'patient/Observation.rs?category="a"',
    "patient/Observation.rs?category=a\\,b",
    "patient/Observation.rs?",
    "patient/Observation.rs?category",
    "patient/Observation.rs?category=",
    "patient/Observation.rs?category=a,",
    "patient/Observation.rs?=a",
    "patient/Observation.rs?category=a&",
    "patient/Observation.rs?&category=a",
    "patient/Observation.rs??category=a",
    "patient/Observation.rs?category=a?code=b",
    "patient/Observation.rs%3Fcategory=a",
    "patient/Observation.rs?category=a%26code=b",
    "patient/Observation.rs?category%3Da",
    "patient/Observation.rs?category=a+b",
    "patient/Observation.rs?category:not=a",
    "patient/Observation.rs?category:missing=true",
    "patient/Observation.rs?code:in=http://x",
    "patient/Observation.rs?patient.birthdate=2000",
    "patient/Observation.rs?patient:Patient.birthdate=2000",
    "patient/Observation.rs?subject:Patient=1",
    "patient/Observation.rs?_has:Provenance:target:agent=1",
    "patient/Observation.rs?_filter=a",
    "patient/Observation.rs?_count=1",
    "patient/Observation.rs?_sort=date",
    "patient/Observation.rs?_include=*",
    "patient/Observation.rs?_elements=id",
    "patient/Observation.rs?_summary=true",
    "patient/Observation.rs?_total=none",
    "patient/Observation.rs?_list=a",
    "patient/Observation.rs?birthdate=2000",
    "patient/Observation.rs?date=yesterday",
    "patient/Observation.rs?category=a&date=yesterday",
    "patient/*.rs?category=a",
    "patient/Observation.read?category=a",
    "patient/Observation.*?category=a",
    "launch/",
    "launch/Patient",
    "launch/nothing",
    "launch/imagingstudy?role=",
    "launch/imagingstudy?other=a",
    "launch/imagingstudy?role=a&role=b",
    "OpenID",
    "offline_access?x=y",
    "email",
)


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed(text: str) -> None:
    assert parse(text) == Scopes(malformed=(text,))
    beside = parse(f"{text} patient/Patient.r openid")
    assert (str(beside), beside.malformed) == ("openid patient/Patient.r", (text,))
    assert not intersect(parse("patient/*.cruds user/*.cruds openid"), parse(text))


def test_each_part() -> None:
    [found] = parse(f"user/Observation.cus?{LAB},x|y&code=a").resources
    category = (LAB.partition("=")[2]) + ",x|y"
    assert found == ResourceScope("user", "Observation", "cus", (("category", category), ("code", "a")))


def test_v1_words() -> None:
    letters = [scope.permissions for scope in parse("patient/*.read patient/*.write patient/*.*").resources]
    assert letters == ["rs", "cud", "cruds"]


def test_duplicates_count_once() -> None:
    assert str(parse("launch/patient launch/patient  patient/*.rs patient/*.rs ")) == "launch/patient patient/*.rs"


def test_many_granular_scopes_grant_nothing() -> None:
    text = " ".join(f"patient/Observation.rs?code={n}" for n in range(MAX_GRANULAR))
    assert len(parse(text).resources) == MAX_GRANULAR
    assert len(parse(f"{text} openid patient/Condition.rs?code=0").resources) == MAX_GRANULAR + 1
    assert not parse(f"{text} patient/Observation.rs?code=x")


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f"a{n} openid" for n in range(MAX_SCOPES)),
        "patient/*.rs " + "x" * MAX_CHARACTERS,
        "patient/*.rs?_tag=" + "x" * 5000,
    ],
)
def test_what_is_too_long_grants_nothing(text: str) -> None:
    assert not parse(text)


@pytest.mark.parametrize(
    ("registered", "asked", "found"),
    [
        ("patient/*.rs", "patient/Observation.rs", "patient/Observation.rs"),
        ("patient/*.read", "patient/Observation.rs", "patient/Observation.rs"),
        ("patient/*.rs", "patient/Observation.read", "patient/Observation.read"),
        ("patient/*.rs", "patient/Observation.*", "patient/Observation.read"),
        ("patient/*.r", "patient/Observation.read", "patient/Observation.r"),
        ("patient/*.rs patient/*.cud", "patient/Observation.*", "patient/Observation.*"),
        ("patient/Observation.rs user/*.rs", "patient/*.cruds", "patient/Observation.rs"),
        ("patient/Observation.r patient/*.s", "patient/Observation.rs", "patient/Observation.rs"),
        (f"patient/Observation.rs?{LAB}", "patient/Observation.rs", f"patient/Observation.rs?{LAB}"),
        (f"patient/Observation.rs?{LAB}", "patient/Observation.read", f"patient/Observation.rs?{LAB}"),
        ("patient/Observation.rs", f"patient/Observation.rs?{LAB}", f"patient/Observation.rs?{LAB}"),
        ("patient/Observation.rs?code=x", "patient/Observation.r?date=2020", "patient/Observation.r?date=2020&code=x"),
        ("patient/Observation.rs?code=x,y", "patient/Observation.rs?code=x", "patient/Observation.rs?code=x"),
        ("patient/*.rs patient/Observation.rs?code=x", "patient/Observation.rs", "patient/Observation.rs"),
        ("patient/*.rs", "user/Observation.rs system/Observation.rs", ""),
        ("launch/imagingstudy", "launch/imagingstudy?role=r", "launch/imagingstudy?role=r"),
        ("launch/imagingstudy?role=r", "launch/imagingstudy", ""),
        ("openid", "openid fhirUser offline_access", "openid"),
    ],
)
def test_intersections(registered: str, asked: str, found: str) -> None:
    assert str(intersect(parse(registered), parse(asked))) == found


def test_a_refresh_may_only_narrow() -> None:
    granted = parse("openid patient/Observation.read patient/Condition.rs")
    assert narrowed(granted, "") == narrowed(granted, " ") == granted
    assert str(narrowed(granted, f"patient/Observation.rs?{LAB}")) == f"patient/Observation.rs?{LAB}"
    for wider in ("patient/*.rs", "patient/Observation.cruds", "offline_access", "openid patient/Observation.rsX"):
        with pytest.raises(OAuthError, match="invalid_scope"):
            narrowed(granted, wider)


@pytest.mark.parametrize(
    ("text", "mixed"),
    [
        ("system/*.rs patient/*.rs", True),
        ("user/*.rs system/*.rs", True),
        ("user/*.rs patient/*.rs openid", False),
        ("system/*.rs system/*.cud", False),
    ],
)
def test_system_stands_alone(text: str, mixed: bool) -> None:
    assert is_mixed(parse(text)) == mixed
    if mixed:
        with pytest.raises(OAuthError, match="invalid_scope"):
            refuse_mixed_contexts(parse(text))
    else:
        refuse_mixed_contexts(parse(text))
