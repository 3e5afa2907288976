"""Searches from the query string to the page, on both databases."""

import pytest

from fhir_server.search.tests.record import Record, observation, patient, two_charts
from fhir_server.store import Store
from resources.errors import BadSearch, Forbidden
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants


@pytest.fixture
def record(store: Store) -> Record:
    return two_charts(store)


FOUND = [
    ("Patient?name=smi", "p1"),
    ("Patient?name=sm", "p1 p2"),
    ("Patient?family:exact=Smith", "p1"),
    ("Patient?family:exact=smith", ""),
    ("Patient?name:contains=yth", "p2"),
    ("Patient?identifier=urn:mrn|mrn-p1", "p1"),
    ("Patient?identifier=mrn-p2", "p2"),
    ("Patient?identifier=urn:mrn|", "p1 p2"),
    ("Patient?_id=p2", "p2"),
    ("Patient?_id=p2,p1", "p1 p2"),
    ("Patient?gender=male", "p2"),
    ("Patient?gender:not=male", "p1"),
    ("Patient?gender=male,female&birthdate=lt1985", "p1"),
    ("Patient?birthdate=1990-05", "p2"),
    ("Patient?organization:missing=true", "p2"),
    ("Patient?organization:missing=false", "p1"),
    ("Patient?organization=o1", "p1"),
    ("Patient?_lastUpdated=ge2000", "p1 p2"),
    ("Patient?_lastUpdated=lt2000", ""),
    ("Observation?date=2020-01-03", "a2 b2"),
    ("Observation?date=2020-01-03T10:00:00Z", "a2"),
    ("Observation?date=ge2020-01-03&date=lt2020-01-05", "a2 a3 b2 b3"),
    ("Observation?date=2020-01-01,2020-01-06", "a0 a5 b0 b5"),
    ("Observation?date=gt2020-01-05&code=8302-2", "a5"),
    ("Observation?date:missing=true", "c0"),
    ("Observation?code=http://loinc.org|718-7", "c0"),
    ("Observation?code:text=display 718", "c0"),
    ("Observation?value-quantity=gt4", "a5 b5 c0"),
    ("Observation?value-quantity=9|http://unitsofmeasure.org|kg", "c0"),
    ("Observation?code-value-quantity=8302-2$gt4", "a5"),
    ("Encounter?date=2020-01", "e1"),
    ("Encounter?date=ge2020-01-03&date=le2020-01-03", "e1"),
    ("Encounter?date=gt2020-01-05", ""),
    ("Observation?patient=Patient/p1&code=8302-2&status=final&date=ge2020-01-06", "a5"),
    ("Patient?name=&gender=male", "p2"),
    ("?_type=Patient,Organization&_lastUpdated=ge2000", "o1 p1 p2"),
    ("?_id=p1", "p1"),
]


def test_what_is_found(record: Record) -> None:
    assert {query: " ".join(sorted(record.ids(query))) for query, _ in FOUND} == dict(FOUND)


ORDERED = [
    ("Observation?code=8302-2", "a5 a4 a3 a2 a1 a0"),
    ("Observation?code=8302-2&_sort=date", "a0 a1 a2 a3 a4 a5"),
    ("Observation?code=29463-7&_sort=-value-quantity", "b5 b4 b3 b2 b1 b0"),
    ("Observation?_sort=code,-date&_count=5", "b5 b4 b3 b2 b1"),
    ("Observation?_sort=-_lastUpdated&_count=3", "c0 b5 a5"),
    ("Observation?_sort=_lastUpdated&_count=3", "a0 b0 a1"),
    ("Patient?_sort=family", "p1 p2"),
    ("Patient?_sort=-family", "p2 p1"),
    ("Patient?_sort=-birthdate", "p2 p1"),
    ("Patient?_sort=organization", "p1 p2"),
    ("Patient?_sort=-organization", "p1 p2"),
    ("Patient?_sort=gender,_id", "p1 p2"),
]


def test_orders(record: Record) -> None:
    assert {query: " ".join(record.ids(query)) for query, _ in ORDERED} == dict(ORDERED)


@pytest.mark.parametrize(
    "sort", ["", "date", "-date", "-_lastUpdated", "_id", "-value-quantity", "code,-_id", "encounter", "-encounter"]
)
def test_pages_join_to_the_whole_forwards_and_back(record: Record, sort: str) -> None:
    whole = record.ids(f"Observation?_count=100&_sort={sort}")
    assert len(whole) == 13
    first = page = record.page(f"Observation?_count=3&_sort={sort}")
    pages = [page]
    while "next" in page.links:
        page = record.page("Observation?" + page.links["next"])
        pages.append(page)
    assert [hit.version.id for page in pages for hit in page.hits] == whole
    for earlier in reversed(pages[:-1]):
        page = record.page("Observation?" + page.links["previous"])
        assert page.hits == earlier.hits
    assert "previous" not in page.links and page.links["first"] == first.links["self"]


@pytest.mark.parametrize("sort", ["", "&_sort=date", "&_sort=_id", "&_sort=-_id", "&_sort=-code", "&_sort=date,_id"])
def test_a_page_that_was_emptied_leads_back(record: Record, sort: str) -> None:
    query = f"Observation?_count=4{sort}"
    pages = [record.page(query)]
    while "next" in pages[-1].links:
        pages.append(record.page("Observation?" + pages[-1].links["next"]))
    before, last = pages[-2:]
    link = before.links["next"]
    for hit in last.hits:
        record.delete("Observation", hit.version.id)
    empty = record.page("Observation?" + link)
    assert empty.hits == () and "next" not in empty.links
    back = record.page("Observation?" + empty.links["previous"])
    assert back.hits == before.hits
    first = pages[1].links["previous"]
    for hit in pages[0].hits:
        record.delete("Observation", hit.version.id)
    empty = record.page("Observation?" + first)
    assert empty.hits == () and "previous" not in empty.links
    assert record.page("Observation?" + empty.links["next"]).hits == pages[1].hits


def test_a_page_link_is_bound_to_caller_and_query(record: Record) -> None:
    link = record.page("Observation?_count=3&code=8302-2").links["next"]
    with pytest.raises(Forbidden):
        record.page("Observation?" + link, Caller("somebody else", grants=WHOLE_RECORD))
    with pytest.raises(BadSearch, match="query was changed"):
        record.page("Observation?" + link.replace("8302-2", "718-7"))
    with pytest.raises(BadSearch, match="not made by this server"):
        record.page("Observation?" + link[:-4] + "AAAA")
    with pytest.raises(BadSearch, match="query was changed"):
        record.page("Patient?" + link.replace("code=8302-2&", ""))


def test_links_show_what_was_applied(record: Record) -> None:
    page = record.page("Observation?code=http://loinc.org|8302-2&_count=3&foo=1&date=", lenient=True)
    assert page.links["self"] == "code=http://loinc.org%7C8302-2&_count=3"
    assert [issue.severity for issue in page.issues] == ["warning"] and "foo" in page.issues[0].text
    assert record.page("Observation?_count=100000").links == {"self": "_count=1000"}


def test_totals(record: Record) -> None:
    assert record.page("Observation?_count=3").total is None
    assert record.page("Observation?_count=3&_total=accurate").total == 13
    assert record.page("Observation?_count=3&_total=estimate").total == 13
    for query in ("Observation?_count=0", "Observation?_summary=count", "Observation?_count=5&_summary=count"):
        page = record.page(query)
        assert (page.total, page.hits) == (13, ())
    assert record.page("Observation?code=8302-2,718-7&_total=accurate").total == 7
    assert record.page("Patient?_has:Observation:patient:code=8302-2&_summary=count").total == 1


WRONG = [
    ("Patient?nam=x", "did you mean 'name'"),
    ("Patient?name:foo=x", "foo"),
    ("Patient?birthdate=yesterday", "yesterday"),
    ("Patient?_count=-1", "_count"),
    ("Patient?_total=maybe", "accurate"),
    ("Patient?_sort=nam", "nam"),
    ("Patient?_include=Patient", "expected"),
    ("Patient?_include=Patient:nam", "nam"),
    ("Patient?_include=Patient:name", "reference"),
    ("Patient?_include:recurse=Patient:organization", "iterate"),
    ("Patient?name.family=x", "reference"),
    ("Patient?organization:Patient.name=x", "Patient"),
    ("Patient?organization.nam=x", "nam"),
    ("Patient?_has:Observation:patient=x", "expected"),
    ("Patient?_has:Observation:encounter:code=x", "Observation"),
    ("Patient?_has:Foo:patient:code=x", "Foo"),
    ("?_type=Foo", "Foo"),
    ("?birthdate=2000", "birthdate"),
    ("Patient?_cursor=abc", "page link"),
]


def test_what_is_wrong_is_named(record: Record) -> None:
    for query, words in WRONG:
        with pytest.raises(BadSearch, match=words):
            record.page(query)


def test_all_that_is_wrong_is_named_at_once(record: Record) -> None:
    with pytest.raises(BadSearch) as error:
        record.page("Patient?nam=x&birthdate=y&_count=z")
    assert len(error.value.issues) == 3


def test_lenient_forgives_unknown_names_only(record: Record) -> None:
    assert record.page("Patient?nam=x", lenient=True).issues
    for query in ("Patient?name:foo=x", "Patient?birthdate=yesterday"):
        with pytest.raises(BadSearch):
            record.page(query, lenient=True)


def test_compartments(record: Record) -> None:
    assert len(record.ids("Observation?", of=("Patient", "p1"))) == 7
    assert record.ids("Observation?code=718-7", of=("Patient", "p1")) == ["c0"]
    assert sorted(record.ids("?_type=Patient,Encounter,Organization", of=("Patient", "p1"))) == ["e1", "p1"]
    assert len(record.ids("?", of=("Patient", "p1"))) == 9
    assert record.ids("Observation?", of=("Patient", "nobody")) == []
    with pytest.raises(BadSearch, match="does not belong"):
        record.page("Organization?", of=("Patient", "p1"))


def test_changes_are_found_at_once(record: Record) -> None:
    record.put(observation("a0", "p2", "new-code", "2021-01-01T00:00:00Z"))
    assert record.ids("Observation?code=new-code") == ["a0"]
    assert record.ids("Observation?patient=p2&_count=1") == ["a0"]
    assert "a0" not in record.ids("Observation?code=8302-2")
    record.delete("Observation", "a0")
    assert record.ids("Observation?code=new-code") == []
    assert record.ids("Observation?_id=a0") == [] and len(record.ids("Observation?")) == 12
    assert "a0" not in record.ids("Observation?_sort=-_lastUpdated")


def test_what_has_identifiers_is_found_as_far_as_the_caller_sees(record: Record) -> None:
    wanted = [("Patient", "urn:mrn", "mrn-p1"), ("Patient", "urn:mrn", "mrn-p2")]

    def found(*grants: Grant) -> list[str]:
        caller = Caller("x", grants=Grants(grants))
        rows = record.engine.identified(record.session, caller, wanted, [("Observation", "a1")])
        return sorted(row.id for row in rows)

    assert found(Grant("*", "s")) == ["a1", "p1", "p2"]
    assert found(Grant("*", "s", compartment=("Patient", "p2"))) == ["p2"]
    with pytest.raises(Forbidden):
        found(Grant("Patient", "s"))


def test_matches_for_conditional_interactions(record: Record) -> None:
    assert [row.id for row in record.matches("Patient", "identifier=urn:mrn|mrn-p1")] == ["p1"]
    assert len(record.matches("Observation", "code=8302-2")) == 2
    assert record.matches("Patient", "identifier=nothing") == []
    with pytest.raises(BadSearch, match="every resource"):
        record.matches("Patient", "_count=3")
    with record.session.transaction():
        record.put(patient("p9", "Fresh"))
        assert [row.id for row in record.matches("Patient", "family=fresh")] == ["p9"]


def test_paging_under_writes_skips_and_doubles_nothing(record: Record) -> None:
    before = record.ids("Observation?_count=100")
    seen, page, n = [], record.page("Observation?_count=2"), 0
    while True:
        seen += [hit.version.id for hit in page.hits]
        n += 1
        record.put(observation(f"new{n}", "p1", "8302-2", f"20{10 + n:02d}-01-01T00:00:00Z"))
        record.delete("Observation", f"new{n}") if n % 2 else None
        if "next" not in page.links:
            break
        page = record.page("Observation?" + page.links["next"])
    assert [id for id in seen if not id.startswith("new")] == before
    assert len(set(seen)) == len(seen)


def test_a_resource_of_this_server_may_be_named_by_its_url(record: Record, store: Store) -> None:
    here = Record(store, base="http://here/fhir")
    query = "Encounter?subject=http://here/fhir/Patient/p1"
    assert here.ids(query) == here.ids("Encounter?subject=Patient/p1") == ["e1"]
    assert here.page(query).links["self"] == "subject=http://here/fhir/Patient/p1"
    assert here.ids("Encounter?subject=http://there/fhir/Patient/p1") == []
