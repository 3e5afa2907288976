"""The result of a search: sort, count, total, paging, links, POST."""

import uuid

import pytest

from conformance_tests.client import SYSTEM, Client, Json, ids_of, link, outcome_of, reference, resources_of
from conformance_tests.examples import coding, entry, observation, patient, weight

requirement = pytest.mark.requirement
FORM = "application/x-www-form-urlencoded"
AMOUNTS = {"b": 2, "d": 40, "a": 1, "c": 3}
DAYS = {"b": "2020-01-02", "d": "2020-01-04", "a": "2020-01-01", "c": "2020-01-03"}


@pytest.fixture(scope="module")
def shelf(fhir: Client) -> tuple[str, dict[str, str]]:
    """A tag, and the names by id of four observations."""
    tag = f"r{uuid.uuid4().hex[:12]}"
    entries = [
        entry(
            "POST",
            "Observation",
            observation(
                "https://elsewhere.example/Patient/1",
                name,
                meta={"tag": [coding(tag)]},
                effectiveDateTime=DAYS[name],
                valueQuantity=weight(amount),
                code={"text": name},
                status="final" if name in "ab" else "amended",
            ),
        )
        for name, amount in AMOUNTS.items()
    ]
    answered = fhir.bundle("transaction", *entries)
    locations = [each["response"]["location"].split("Observation/")[1].split("/")[0] for each in answered["entry"]]
    return tag, dict(zip(locations, AMOUNTS, strict=True))


def order(fhir: Client, shelf: tuple[str, dict[str, str]], *pairs: tuple[str, str]) -> str:
    tag, names = shelf
    return "".join(names[id] for id in fhir.found("Observation", [("_tag", f"{SYSTEM}|{tag}"), *pairs]))


# --- Sort -------------------------------------------------------------------------------------------------------------


@requirement("search.html#sort")
@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("date", "abcd"),
        ("-date", "dcba"),
        ("value-quantity", "abcd"),
        ("-value-quantity", "dcba"),
        ("status,-date", "dcba"),
        ("-status,date", "abcd"),
        ("identifier", "abcd"),
        ("-identifier", "dcba"),
    ],
)
@pytest.mark.parametrize("count", ["", "1", "3"])
def test_sort(fhir: Client, shelf: tuple[str, dict[str, str]], sort: str, found: str, count: str) -> None:
    pairs = [("_sort", sort), ("_count", count)]
    assert order(fhir, shelf, *pairs) == found


@requirement("search.html#sort")
def test_sort_by_last_updated_and_id(fhir: Client, shelf: tuple[str, dict[str, str]]) -> None:
    tag, names = shelf
    found = fhir.found("Observation", {"_tag": f"{SYSTEM}|{tag}", "_sort": "_id"})
    assert found == sorted(names)
    updated = fhir.search("Observation", {"_tag": f"{SYSTEM}|{tag}", "_sort": "-_lastUpdated"})
    moments = [each["meta"]["lastUpdated"] for each in resources_of(updated)]
    assert moments == sorted(moments, reverse=True)


@requirement("search.html#sort")
def test_what_has_no_value_is_sorted_too(fhir: Client, tag: str) -> None:
    label = {"meta": {"tag": [coding(tag)]}}
    without = fhir.create({"resourceType": "Patient", **label})
    zed = fhir.create(patient(tag, name=[{"family": "Zed"}], **label))
    abe = fhir.create(patient(tag, name=[{"family": "abe"}], **label))
    query = {"_tag": f"{SYSTEM}|{tag}"}
    assert fhir.found("Patient", query | {"_sort": "family", "_count": "1"})[-1] == without["id"]
    assert set(fhir.found("Patient", query | {"_sort": "-family", "_count": "1"})) == {
        without["id"],
        zed["id"],
        abe["id"],
    }
    assert [id for id in fhir.found("Patient", query | {"_sort": "family"}) if id != without["id"]] == [
        abe["id"],
        zed["id"],
    ]


@requirement("search.html#sort")
@pytest.mark.parametrize("sort", ["colour", "date,-colour", "--date", "date:exact"])
def test_an_unknown_sort_is_400(fhir: Client, sort: str) -> None:
    fhir.refused("GET", "Observation", query={"_sort": sort}, expect=400)


# --- Count and total --------------------------------------------------------------------------------------------------


@requirement("search.html#count")
def test_count(fhir: Client, shelf: tuple[str, dict[str, str]]) -> None:
    query = {"_tag": f"{SYSTEM}|{shelf[0]}"}
    assert len(ids_of(fhir.search("Observation", query | {"_count": "3"}))) == 3
    nothing = fhir.search("Observation", query | {"_count": "0"})
    assert "entry" not in nothing
    assert nothing["total"] == 4
    assert len(ids_of(fhir.search("Observation", query | {"_count": "1000000"}))) == 4


@requirement("search.html#count")
@pytest.mark.parametrize("count", ["x", "-1", "1.5"])
def test_a_count_that_is_no_number_is_400(fhir: Client, count: str) -> None:
    fhir.refused("GET", "Observation", query={"_count": count}, expect=400)


@requirement("search.html#total")
def test_total(fhir: Client, shelf: tuple[str, dict[str, str]]) -> None:
    query = {"_tag": f"{SYSTEM}|{shelf[0]}", "_count": "1"}
    assert fhir.search("Observation", query | {"_total": "accurate"})["total"] == 4
    assert "total" not in fhir.search("Observation", query | {"_total": "none"})
    assert fhir.search("Observation", query | {"_total": "estimate"}).get("total", 4) > 0
    fhir.refused("GET", "Observation", query=query | {"_total": "roughly"}, expect=400)


# --- Paging -----------------------------------------------------------------------------------------------------------


def label_of(fhir: Client, tag: str, number: int, **elements: object) -> list[str]:
    entries = [entry("POST", "Patient", patient(tag, meta={"tag": [coding(tag)]}, **elements)) for _ in range(number)]
    answered = fhir.bundle("transaction", *entries)
    return [each["response"]["location"].split("Patient/")[1].split("/")[0] for each in answered["entry"]]


@requirement("http.html#paging")
@pytest.mark.parametrize("sort", ["", "-_lastUpdated", "family", "_id"])
def test_pages_have_no_gap_and_no_repetition_under_writes(fhir: Client, tag: str, sort: str) -> None:
    known = label_of(fhir, tag, 12)
    query = {"_tag": f"{SYSTEM}|{tag}", "_count": "5"} | ({"_sort": sort} if sort else {})
    page = fhir.search("Patient", query)
    seen = ids_of(page)
    while following := link(page, "next"):
        label_of(fhir, tag, 1)
        page = fhir.search(following)
        seen += ids_of(page)
    assert len(seen) == len(set(seen))
    assert set(known) <= set(seen)


@requirement("http.html#paging")
def test_a_page_may_be_asked_again_and_backwards(fhir: Client, tag: str) -> None:
    label_of(fhir, tag, 6)
    first = fhir.search("Patient", {"_tag": f"{SYSTEM}|{tag}", "_count": "2"})
    second = fhir.search(link(first, "next"))
    assert ids_of(fhir.search(link(first, "next"))) == ids_of(second)
    assert ids_of(fhir.search(link(second, "previous"))) == ids_of(first)
    assert ids_of(fhir.search(link(second, "first"))) == ids_of(first)
    assert not link(first, "previous")


@requirement("http.html#paging")
def test_a_deleted_resource_leaves_the_pages_behind(fhir: Client, tag: str) -> None:
    known = label_of(fhir, tag, 6)
    page = fhir.search("Patient", {"_tag": f"{SYSTEM}|{tag}", "_count": "2"})
    gone = next(id for id in known if id not in ids_of(page))
    fhir.delete(f"Patient/{gone}")
    seen = ids_of(page)
    while following := link(page, "next"):
        page = fhir.search(following)
        seen += ids_of(page)
    assert sorted(seen) == sorted(set(known) - {gone})


@requirement("http.html#paging")
def test_a_forged_page_link_is_refused(fhir: Client, tag: str) -> None:
    label_of(fhir, tag, 3)
    following = link(fhir.search("Patient", {"_tag": f"{SYSTEM}|{tag}", "_count": "1"}), "next")
    outcome_of(fhir.get(following[:-3] + "AAA", expect=400))
    outcome_of(fhir.get(following.replace(tag, "other"), expect=400))


# --- Links and POST ---------------------------------------------------------------------------------------------------


@requirement("search.html#conformance")
def test_the_self_link_tells_what_was_searched(fhir: Client, tag: str) -> None:
    page = fhir.search("Patient", {"family": "Öz & Co", "gender": "", "_count": "7"})
    url = link(page, "self")
    assert url.startswith(f"{fhir.base}/Patient?")
    assert "family=" in url and "_count=7" in url
    assert "gender" not in url
    assert ids_of(fhir.search(url)) == ids_of(page)


@requirement("bundle.html#searchset")
def test_the_shape_of_a_searchset(fhir: Client, shelf: tuple[str, dict[str, str]]) -> None:
    page = fhir.search("Observation", {"_tag": f"{SYSTEM}|{shelf[0]}"})
    for each in page["entry"]:
        assert each["fullUrl"] == f"{fhir.base}/{reference(each['resource'])}"
        assert each["search"]["mode"] == "match"
    assert fhir.post("Bundle/$validate", page).json()["issue"][0]["severity"] == "information"


@requirement("http.html#search")
def test_search_by_post(fhir: Client, shelf: tuple[str, dict[str, str]]) -> None:
    tag = shelf[0]
    for query, form in (({}, f"_tag={SYSTEM}|{tag}&_sort=date"), ({"_sort": "date"}, f"_tag={SYSTEM}%7C{tag}")):
        page = fhir.post("Observation/_search", form, query=query, type=FORM).json()
        assert "".join(shelf[1][id] for id in ids_of(page)) == "abcd"
    system = fhir.post("_search", f"_type=Observation&_tag={SYSTEM}|{tag}", type=FORM).json()
    assert len(ids_of(system)) == 4
    page = fhir.post("Observation/_search", f"_tag={SYSTEM}|{tag}&_count=1&_sort=date", type=FORM).json()
    second: Json = fhir.search(link(page, "next"))
    assert [shelf[1][id] for id in ids_of(second)] == ["b"]


@requirement("http.html#search")
def test_a_search_form_of_another_content_type_is_415(fhir: Client) -> None:
    outcome_of(fhir.post("Patient/_search", {"family": "x"}, expect=415))


@requirement("search.html#errors")
def test_nothing_found_is_no_error(fhir: Client, tag: str) -> None:
    page = fhir.search("Patient", {"identifier": f"{SYSTEM}|{tag}"})
    assert "entry" not in page
    assert fhir.found("Patient", {"_id": tag}) == []


@requirement("search.html#errors")
def test_every_error_of_a_query_is_told_at_once(fhir: Client) -> None:
    outcome = fhir.refused("GET", "Patient", query={"colour": "red", "shape": "round"}, expect=400)
    assert "colour" in str(outcome) and "shape" in str(outcome)


@requirement("search.html#update-results")
def test_search_sees_each_write_at_once(fhir: Client, tag: str) -> None:
    query = {"identifier": f"{SYSTEM}|{tag}", "gender": "male"}
    made = fhir.create(patient(tag, gender="male"))
    assert fhir.found("Patient", query) == [made["id"]]
    fhir.put(reference(made), made | {"gender": "female"})
    assert fhir.found("Patient", query) == []
    fhir.put(reference(made), made)
    assert fhir.found("Patient", query) == [made["id"]]
    fhir.delete(reference(made))
    assert fhir.found("Patient", query) == []
