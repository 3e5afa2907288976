"""Query strings: what is read, what is refused, what the self link repeats."""

from urllib.parse import parse_qsl

import pytest

from fhir_server.search.query import Include, Query, SortKey, parse
from resources.errors import BadSearch
from resources.repository import SearchRequest
from resources.search_param.terms import All


def read(text: str, type: str = "Observation", lenient: bool = False) -> Query:
    return parse(SearchRequest(type, tuple(parse_qsl(text, keep_blank_values=True)), None, lenient))


def test_filters_keep_their_order_and_repetition() -> None:
    query = read("code=a,b&date=ge2020&date=lt2021&subject:Patient.name=x&status=")
    assert query.filters == (("code", "a,b"), ("date", "ge2020"), ("date", "lt2021"), ("subject:Patient.name", "x"))
    assert query.applied == query.filters
    assert query.types == ("Observation",)


def test_no_filter_is_all_of_the_type() -> None:
    assert read("_count=3").term("Observation") == All("Observation")


def test_result_parameters() -> None:
    query = read("_sort=-date,status&_count=7&_total=estimate&_summary=true&_elements=code,value&_contained=false")
    assert query.sort == (SortKey("date", True), SortKey("status", False))
    assert (query.count, query.total, query.summary, query.elements) == (7, "estimate", "true", ("code", "value"))


def test_includes() -> None:
    query = read(
        "_include=Observation:subject:Patient&_revinclude:iterate=Provenance:target&_include=*&_include=Observation:*"
    )
    assert query.includes == (
        Include("Observation", "subject", "Patient", False, False),
        Include("Provenance", "target", "", True, True),
        Include("*", "*", "", False, False),
        Include("Observation", "*", "", False, False),
    )


@pytest.mark.parametrize(("asked", "count"), [("0", 0), ("000", 0), ("1", 1), ("1000", 1000), ("99999999999999", 1000)])
def test_count_is_bounded(asked: str, count: int) -> None:
    query = read(f"_count={asked}")
    assert query.count == count and query.link() == f"_count={count}"


@pytest.mark.parametrize(
    "text",
    ["_count=x", "_count=-1", "_count=1.5", "_count=²", "_sort=nothing", "_total=1", "_summary=x", "_include=Foo:bar",
     "_include=Observation:code", "_revinclude:foo=Observation:subject", "_contained=true", 
     "_include=Observation:subject:Foo",
     "date=x", "date:foo=2020", "nothing=1", "_type=Patient", "subject.nothing=1", "_has:Observation:subject=1",
     "_sort=code:text", "_sort=subject.name", "_sort=code-value-quantity", "_count:exact=5", "_sort:desc=date",
     "_count=5&_count=6", "_sort=date&_sort=code", "_type:not=Patient", "_elements:foo=code",
     "_include=*:subject", "_include=Observation:subject:Practitioner"],
)  # fmt: skip
def test_malformed_is_refused(text: str) -> None:
    with pytest.raises(BadSearch):
        read(text)


@pytest.mark.parametrize("text", ["_sort=code:text", "_count:exact=5", "_sort=code-value-quantity", "_filter=x eq y"])
def test_malformed_is_refused_by_a_lenient_search_too(text: str) -> None:
    with pytest.raises(BadSearch):
        read(text, lenient=True)


def test_the_same_twice_is_no_contradiction() -> None:
    assert read("_count=5&_count=5&_include=Observation:subject&_include=Observation:encounter").count == 5


def test_types_of_a_system_search() -> None:
    assert read("_type=Patient,Observation", "").types == ("Patient", "Observation")
    assert len(read("_id=1", "").types) == 146
    with pytest.raises(BadSearch, match="did you mean 'Patient'"):
        read("_type=Patiant", "")


def test_lenient_drops_unknown_names_from_the_link() -> None:
    query = read("nothing=1&code=a", lenient=True)
    assert query.link() == "code=a"
    assert [(issue.severity, issue.code) for issue in query.issues] == [("warning", "not-supported")]
    with pytest.raises(BadSearch):
        read("date=x", lenient=True)
