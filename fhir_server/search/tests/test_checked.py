"""near, _text, _content, _list: the same on both databases, and as the caller sees."""

import pytest

from fhir_server.search.tests.record import Record
from fhir_server.search.tests.test_restriction import ANN, NARROW
from fhir_server.store import Store
from resources.errors import BadSearch, Forbidden
from resources.repository import Caller, Grant, Grants


def told(type: str, id: str, words: str, **elements: object) -> dict[str, object]:
    text = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'}
    return {"resourceType": type, "id": id, "text": text, **elements}


def place(id: str, latitude: float, longitude: float) -> dict[str, object]:
    return {"resourceType": "Location", "id": id, "position": {"latitude": latitude, "longitude": longitude}}


@pytest.fixture
def record(store: Store) -> Record:
    made = Record(store)
    made.put(
        place("berlin", 52.5200, 13.4050),
        place("potsdam", 52.3906, 13.0645),
        place("suva", -18.1416, 178.4419),
        place("apia", -13.8506, -171.7513),
        place("pole", 90, 0),
        {"resourceType": "Location", "id": "nowhere"},
        told("Patient", "p1", "Ana <b>Müller</b> &amp; dog"),
        told("Patient", "p2", "a cat"),
        told("Observation", "o1", "<p>Severe chest</p><p>pain</p>", subject={"reference": "Patient/p1"}),
        told("Observation", "o2", "pain in the chest", subject={"reference": "Patient/p2"}),
        {
            "resourceType": "Observation", "id": "o3", "status": "final", "subject": {"reference": "Patient/p1"},
            "note": [{"text": "Cardiology was asked"}],
            "code": {"coding": [{"system": "http://x.org", "display": "Pain"}]},
        },
        {
            "resourceType": "List", "id": "l1", "status": "current", "mode": "working",
            "subject": {"reference": "Patient/p1"},
            "entry": [
                {"item": {"reference": "Observation/o1"}},
                {"item": {"reference": "Observation/o3/_history/1"}},
                {"item": {"reference": "Observation/o2"}, "deleted": True},
                {"item": {"reference": "Patient/p1"}},
                {"item": {"display": "something else"}},
            ],
        },
        {"resourceType": "List", "id": "l2", "subject": {"reference": "Patient/p2"},
         "entry": [{"item": {"reference": "Observation/o2"}}]},
    )  # fmt: skip
    return made


def found(record: Record, query: str, caller: Caller | None = None) -> str:
    return " ".join(sorted(record.ids(query, *([caller] if caller else []))))


NEAR = [
    ("52.52|13.405|1|km", "berlin"),
    ("52.52|13.405", "berlin potsdam"),  # 50 km
    ("52.52|13.405|27|km", "berlin"),
    ("52.52|13.405|28", "berlin potsdam"),
    ("52.52|13.405|17.4|[mi_i]", "berlin potsdam"),
    ("52.52|13.405|16.8|[mi_i]", "berlin"),
    ("52.52|13.405|27000|m,-13.85|-171.75|1|km", "apia berlin"),
    ("-16|180|350|km", "suva"),
    ("-16|-180|350|km", "suva"),
    ("-16|-179.9|1000|km", "apia suva"),
    ("89.9|170|20|km", "pole"),
    ("0|0|30000|km", "apia berlin pole potsdam suva"),
    ("0|0|0|km", ""),
    ("52.52|13.405|0", "berlin"),
]


def test_near(record: Record) -> None:
    for near, names in NEAR:
        assert found(record, f"Location?near={near}") == names


A_CIRCLE_THAT_IS_NONE_IS_REFUSED = [
    "",
    "1",
    "a|b",
    "91|0",
    "0|181",
    "nan|0",
    "0|0|-1",
    "0|0|1|kg",
    "0|0|1|km|x",
    "1e999|0",
    "0||5|km",
    "0|0|inf",
]


def test_a_circle_that_is_none_is_refused(record: Record) -> None:
    for near in A_CIRCLE_THAT_IS_NONE_IS_REFUSED:
        with pytest.raises(BadSearch, match="near"):
            record.ids(f"Location?near=%20{near}")


def test_positions_that_change_are_found_where_they_are(record: Record) -> None:
    record.put(place("berlin", 48.1374, 11.5755))
    assert found(record, "Location?near=52.52|13.405") == "potsdam"
    assert found(record, "Location?near=48.1|11.5") == "berlin"
    record.delete("Location", "berlin")
    assert found(record, "Location?near=48.1|11.5") == ""
    assert found(record, "Location?near:missing=true") == "nowhere"


WORDS = [
    ("Observation?_text=pain", "o1 o2"),
    ("Observation?_text=PAIN%20severe", "o1"),
    ("Observation?_text=%22chest%20pain%22", "o1"),
    ("Observation?_text=%22pain%20chest%22", ""),
    ("Observation?_text=seve*", "o1"),
    ("Observation?_text=sever,%22in%20the%22", "o2"),
    ("Observation?_text=chest*%20pain*", "o1 o2"),
    ("Patient?_text=muller%20dog", "p1"),
    ("Patient?_text=xmlns", ""),
    ("Observation?subject.name=x&_text=pain", ""),
    ("Observation?subject:Patient._text=dog", "o1 o3"),
    ("Observation?_content=pain", "o1 o2 o3"),
    ("Observation?_content=cardio*&subject=Patient/p1", "o3"),
    ("Observation?_content=%22was%20asked%22,severe", "o1 o3"),
    ("Observation?_content=org", ""),
    ("?_type=Patient,Observation&_text=dog", "p1"),
    ("?_text=dog", "p1"),
    ("?_type=Patient,Observation&_content=asked", "o3"),
]


def test_words(record: Record) -> None:
    for query, names in WORDS:
        assert found(record, query) == names


WORDS_THAT_ARE_NONE_ARE_REFUSED = ["%22", "abc*", "!", ",", "%22open", "a%20" * 33]


def test_words_that_are_none_are_refused(record: Record) -> None:
    for words in WORDS_THAT_ARE_NONE_ARE_REFUSED:
        for name in ("_text", "_content"):
            with pytest.raises(BadSearch, match=name):
                record.ids(f"Observation?{name}={words}")
        with pytest.raises(BadSearch, match="takes no modifier"):
            record.ids("Observation?_text:exact=pain")


def test_words_go_with_their_version(record: Record) -> None:
    record.put(told("Observation", "o1", "all well", status="final"))
    assert found(record, "Observation?_text=pain") == "o2"
    record.delete("Observation", "o2")
    assert found(record, "Observation?_text=pain") == ""
    assert found(record, "Observation?_content=pain") == "o3"


LISTS = [
    ("Observation?_list=l1", "o1 o3"),
    ("Observation?_list=List/l1", "o1 o3"),
    ("Observation?_list=l1,l2", "o1 o2 o3"),
    ("Observation?_list=l1&_text=pain", "o1"),
    ("Patient?_list=l1", "p1"),
    ("Observation?_list=unknown", ""),
    ("?_type=Patient,Observation&_list=l1", "o1 o3 p1"),
]


def test_lists(record: Record) -> None:
    for query, names in LISTS:
        assert found(record, query) == names


def test_lists_that_are_worked_out(record: Record) -> None:
    def allergy(id: str, category: str, **elements: object) -> dict[str, object]:
        status = {"coding": [{"system": f"{TERMS}allergyintolerance-clinical", "code": "active"}]}
        base = {"resourceType": "AllergyIntolerance", "id": id, "category": [category], "clinicalStatus": status}
        return {**base, "patient": {"reference": "Patient/p1"}, **elements}

    wrong = {"coding": [{"system": f"{TERMS}allergyintolerance-verification", "code": "entered-in-error"}]}
    record.put(allergy("a1", "food"), allergy("a2", "medication"), allergy("a3", "food", verificationStatus=wrong))
    assert found(record, "AllergyIntolerance?_list=$current-allergies") == "a1 a2"
    assert found(record, "AllergyIntolerance?patient=p1&_list=$current-drug-allergies") == "a2"
    assert found(record, "AllergyIntolerance?patient=p2&_list=$current-allergies") == ""


LISTS_THAT_ARE_NONE_ARE_REFUSED = [
    ("Patient?_list=$current-allergies", "AllergyIntolerance"),
    ("AllergyIntolerance?_list=$current-allergys", "did you mean '\\$current-allergies'"),
    ("Patient?_list=a/b", "expected the id"),
    ("Patient?_list=,", "expected the id"),
    ("Patient?_list:missing=true", "no modifier"),
]


def test_lists_that_are_none_are_refused(record: Record) -> None:
    for query, problem in LISTS_THAT_ARE_NONE_ARE_REFUSED:
        with pytest.raises(BadSearch, match=problem):
            record.ids(query)


TERMS = "http://terminology.hl7.org/CodeSystem/"


A_PATIENT_FINDS_THEIR_OWN_WORDS_AND_LISTS = [
    ("Observation?_text=pain", "o1"),
    ("Observation?_text=chest*,%22the%20chest%22", "o1"),
    ("Observation?_content=pain", "o1 o3"),
    ("Observation?subject:Patient._text=cat,dog", "o1 o3"),
    ("Observation?_list=l1", "o1 o3"),
    ("Observation?_list=l2", ""),
    ("Patient?_content=cat,dog", "p1"),
    ("?_type=Patient,Observation&_text=pain,cat,dog", "o1 p1"),
]


def test_a_patient_finds_their_own_words_and_lists(record: Record) -> None:
    for query, names in A_PATIENT_FINDS_THEIR_OWN_WORDS_AND_LISTS:
        assert found(record, query, ANN) == names
        total = record.page(f"{query}&_total=accurate", ANN).total
        assert total == len(names.split())


def test_a_list_that_may_not_be_searched_is_refused(record: Record) -> None:
    with pytest.raises(Forbidden):
        record.ids("Observation?_list=l1", NARROW)


def test_what_contains_a_text(record: Record) -> None:
    record.put(
        {"resourceType": "Organization", "id": "x1", "name": "Sankt Annen Hospital"},
        {"resourceType": "Organization", "id": "x2", "name": "Clinic", "alias": ["Old " * 40 + "Hospice Annex"]},
        {"resourceType": "Observation", "id": "x3", "valueString": "walks alone", "status": "final"},
    )
    assert found(record, "Organization?name:contains=T%20ANN") == "x1"
    assert found(record, "Organization?name:contains=ann") == "x1 x2"
    assert found(record, "Organization?name:contains=hospi,xyz") == "x1 x2"
    assert found(record, "Organization?name:contains=ni") == "x2"
    assert found(record, "Organization?name:contains=ann&name:contains=clin") == "x2"
    assert found(record, "Observation?value-string:contains=alo") == "x3"
    assert record.page("Organization?name:contains=ann&_total=accurate").total == 2
    assert found(record, "Organization?name:contains=annn") == ""
    record.delete("Organization", "x1")
    assert found(record, "Organization?name:contains=ann") == "x2"


def test_what_reads_no_element_is_no_order_and_no_test_of_a_filter(record: Record) -> None:
    for query in ("_sort=_text", "_sort=_list", "_sort=near", "_filter=_text%20eq%20x", "_filter=_list%20eq%20x"):
        with pytest.raises(BadSearch, match=r"reads no element|has no order"):
            record.ids(f"Location?{query}")
    assert found(record, "Location?_filter=near%20eq%20%2252.52|13.405|1|km%22") == "berlin"
    assert found(record, "Location?_filter=near%20pr%20false") == "nowhere"


def test_a_scope_of_words_confines_to_them(record: Record) -> None:
    for criterion, names in (
        (("_text", "severe"), "o1"),
        (("_text", '"chest pain"'), "o1"),
        (("_content", "cardiology,quiet"), "o3"),
    ):
        caller = Caller("x", grants=Grants((Grant("Observation", "rs", (criterion,), confidential=True),)))
        assert found(record, "Observation", caller) == names
        assert found(record, "Observation?_content=pain,asked", caller) == names
        assert found(record, "Observation?_text=pain,chest&_sort=-_lastUpdated", caller) in ("", names)
        assert record.page("Observation?_total=accurate", caller).total == 1
