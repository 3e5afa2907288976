"""Codes by value set and hierarchy, on both databases: what is found, what changes it, and who may see it."""

import pytest

from fhir_server.search.tests.record import Record, observation, patient
from fhir_server.store import Store
from resources.errors import BadSearch, TooCostly
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants

SYSTEM = "http://example.org/animals"
DOGS = "http://example.org/dogs"
MANY = "http://example.org/many"


def concept(code, *children):
    return {"code": code, "concept": list(children)} if children else {"code": code}


def code_system(*concepts, url=SYSTEM, id="animals", **more):
    return {
        "resourceType": "CodeSystem", "id": id, "url": url, "status": "active", "content": "complete",
        "concept": list(concepts), **more,
    }  # fmt: skip


ANIMALS = code_system(concept("animal", concept("cat"), concept("dog", concept("Poodle"))), concept("plant"))


def value_set(url, *include, id="", **more):
    return {
        "resourceType": "ValueSet", "id": id or url.rsplit("/", 1)[1], "url": url, "status": "active",
        "compose": {"include": list(include)}, **more,
    }  # fmt: skip


def is_a(code):
    return {"system": SYSTEM, "filter": [{"property": "concept", "op": "is-a", "value": code}]}


def seen(id, code, subject="Patient/p1", **more):
    about = {"subject": {"reference": subject}, "status": "final", "effectiveDateTime": "2020-01-01T00:00:00Z"}
    coded = {"code": {"coding": [{"system": SYSTEM, "code": code}]}}
    return {"resourceType": "Observation", "id": id, **coded, **about, **more}


@pytest.fixture
def record(store: Store) -> Record:
    record = Record(store)
    record.put(ANIMALS, value_set(DOGS, is_a("dog")), patient("p1", "Smith"), patient("p2", "Smythe"))
    record.put(*(seen(code.lower(), code) for code in ("animal", "cat", "dog", "Poodle", "plant")))
    record.put({"resourceType": "Observation", "id": "text", "status": "amended", "code": {"text": "dog"}})
    return record


FOUND = [
    (f"code:in={DOGS}", "dog poodle"),
    ("code:in=ValueSet/dogs", "dog poodle"),
    (f"code:not-in={DOGS}", "animal cat plant text"),
    (f"code:in={DOGS}&status=final", "dog poodle"),
    (f"code:not-in={DOGS}&status=final", "animal cat plant"),
    (f"combo-code:in={DOGS}", "dog poodle"),
    (f"code:below={SYSTEM}|dog", "dog poodle"),
    (f"code:below={SYSTEM}|animal,{SYSTEM}|plant", "animal cat dog plant poodle"),
    (f"code:above={SYSTEM}|Poodle", "animal dog poodle"),
    (f"code:above={SYSTEM}|unheard-of", ""),
    ("status:in=http://hl7.org/fhir/ValueSet/observation-status", "animal cat dog plant poodle text"),
    ("status:below=http://hl7.org/fhir/observation-status|amended", "text"),
    ("status:above=http://hl7.org/fhir/observation-status|corrected", "text"),
    (f"code:in=http://hl7.org/fhir/ValueSet/observation-codes,{DOGS}", "dog poodle"),
    (f"code:in={DOGS}&code:not-in={DOGS}", ""),
]


def test_what_is_found(record: Record) -> None:
    found = {query: " ".join(sorted(record.ids(f"Observation?{query}"))) for query, _ in FOUND}
    assert found == dict(FOUND)
    again = {query: " ".join(sorted(record.ids(f"Observation?{query}"))) for query, _ in FOUND}
    assert again == dict(FOUND)


def test_at_the_end_of_a_chain(record: Record) -> None:
    assert record.ids(f"Patient?_has:Observation:patient:code:in={DOGS}") == ["p1"]
    assert record.ids(f"Patient?_has:Observation:patient:code:in={DOGS}&_id=p2") == []


def test_all_codes_of_a_system_that_is_not_here(record: Record) -> None:
    record.put(observation("lab", "p1", "718-7", "2020-02-01T00:00:00Z"))
    assert record.ids("Observation?code:in=http://hl7.org/fhir/ValueSet/observation-codes") == ["lab"]
    assert "lab" not in record.ids("Observation?code:not-in=http://hl7.org/fhir/ValueSet/observation-codes")


def rows(record: Record) -> int:
    ((n,),) = record.session.query("SELECT count(*) FROM expansion")
    return int(n)


def test_an_expansion_is_kept_until_what_it_depends_on_changes(record: Record) -> None:
    query = f"Observation?code:in={DOGS}"
    assert sorted(record.ids(query)) == ["dog", "poodle"]
    kept = rows(record)
    assert sorted(record.ids(query)) == ["dog", "poodle"] and rows(record) == kept
    record.put(code_system(concept("animal", concept("cat"), concept("dog", concept("cat"))), concept("Poodle")))
    assert sorted(record.ids(query)) == ["cat", "dog"]
    record.put(value_set(DOGS, is_a("dog"), {"system": SYSTEM, "concept": [{"code": "plant"}]}))
    assert sorted(record.ids(query)) == ["cat", "dog", "plant"]
    record.delete("ValueSet", "dogs")
    with pytest.raises(BadSearch, match="not known here"):
        record.ids(query)


def test_what_appears_later_is_seen(record: Record) -> None:
    """Also what shadows a value set that FHIR publishes, and a supplement."""
    query = "Observation?status:in=http://hl7.org/fhir/ValueSet/observation-status"
    assert len(record.ids(query)) == 6
    status = {"system": "http://hl7.org/fhir/observation-status", "concept": [{"code": "amended"}]}
    record.put(value_set("http://hl7.org/fhir/ValueSet/observation-status", status))
    assert record.ids(query) == ["text"]


def test_old_expansions_are_forgotten(record: Record) -> None:
    for n in range(8):
        record.put(value_set(DOGS, {"system": SYSTEM, "concept": [{"code": f"dog{n}"}, {"code": "dog"}]}))
        assert record.ids(f"Observation?code:in={DOGS}") == ["dog"]
    assert rows(record) <= 5


def test_versions(record: Record) -> None:
    record.put(value_set(DOGS, is_a("cat"), id="v10", version="10.0"))
    record.put(value_set(DOGS, is_a("plant"), id="v9", version="9.0"))
    assert record.ids(f"Observation?code:in={DOGS}") == ["cat"]
    assert record.ids(f"Observation?code:in={DOGS}|9.0") == ["plant"]
    with pytest.raises(BadSearch, match="not known here"):
        record.ids(f"Observation?code:in={DOGS}|8.0")


def test_in_an_open_transaction_its_own_writes_are_seen(record: Record) -> None:
    query = f"code:in={DOGS}"
    record.ids(f"Observation?{query}")
    kept = rows(record)
    with pytest.raises(ZeroDivisionError), record.session.transaction():
        record.put(value_set(DOGS, is_a("cat")))
        assert [row.id for row in record.matches("Observation", query)] == ["cat"]
        raise ZeroDivisionError
    assert rows(record) == kept
    assert sorted(record.ids(f"Observation?{query}")) == ["dog", "poodle"]


# --- many codes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def crowd(record: Record) -> Record:
    """Of 90 codes in use, 80 are in a value set of 1,000."""
    record.put(value_set(MANY, {"system": SYSTEM, "concept": [{"code": f"c{n}"} for n in range(10, 1010)]}))
    record.put(*(seen(f"o{n}", f"c{n}", f"Patient/p{1 + n % 2}") for n in range(90)))
    return record


def test_many_codes_alone_and_beside_others(crowd: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = {f"o{n}" for n in range(10, 90)}
    own = {f"o{n}" for n in range(0, 90, 2)} | {"animal", "cat", "dog", "poodle", "plant"}
    for short in (2_000, 10):  # named, and asked row by row
        monkeypatch.setattr("fhir_server.search.coded.SHORT", short)
        assert set(crowd.walk(f"Observation?code:in={MANY}&_count=30")) == inside
        assert set(crowd.walk(f"Observation?code:in={MANY}&subject=Patient/p1&_count=30")) == inside & own
        assert set(crowd.walk(f"Observation?code:not-in={MANY}&subject=Patient/p1&_count=7")) == own - inside
        assert set(crowd.walk(f"Observation?code:not-in={MANY}&_count=7")) & inside == set()
        assert crowd.page(f"Observation?code:in={MANY}&subject=Patient/p1&_total=accurate").total == 40


def test_a_patient_alone_sees_own_ones(crowd: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    confined = Caller("p2", grants=Grants((Grant("*", "rs", compartment=("Patient", "p2")),)))
    for short in (2_000, 10):
        monkeypatch.setattr("fhir_server.search.coded.SHORT", short)
        expected = {f"o{n}" for n in range(11, 90, 2)}
        assert set(crowd.walk(f"Observation?code:in={MANY}&_count=20", confined)) == expected
        assert set(crowd.ids(f"Observation?code:not-in={MANY}", confined)) == {f"o{n}" for n in (1, 3, 5, 7, 9)}


# --- who may see --------------------------------------------------------------------------------------------------


def test_what_a_caller_may_not_read_is_as_if_it_did_not_exist(record: Record) -> None:
    confined = Caller("x", grants=Grants((Grant("Observation", "rs"),)))
    record.put(value_set("http://example.org/secret", is_a("dog")))
    texts = []
    for name in ("http://example.org/secret", "http://example.org/absent"):
        with pytest.raises(BadSearch) as refused:
            record.ids(f"Observation?code:in={name}", confined)
        texts.append(str(refused.value).replace(name, "X"))
    assert texts[0] == texts[1]
    published = "status:in=http://hl7.org/fhir/ValueSet/observation-status"
    assert len(record.ids(f"Observation?{published}", confined)) == 6


def test_a_labelled_value_set_is_kept_apart(record: Record) -> None:
    """What one caller's expansion holds is not what another's does, whoever asks first."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    record.put({**value_set(DOGS, is_a("plant"), id="newer", version="2"), "meta": {"security": [label]}})
    unlabelled = Caller("y", grants=Grants((Grant("*", "rs"),)))
    everything = Caller("z", grants=WHOLE_RECORD)
    for _ in range(2):
        assert record.ids(f"Observation?code:in={DOGS}", everything) == ["plant"]
        assert sorted(record.ids(f"Observation?code:in={DOGS}", unlabelled)) == ["dog", "poodle"]


def test_a_granular_scope_by_value_set_gives_nothing(record: Record) -> None:
    caller = Caller("s", grants=Grants((Grant("Observation", "rs", params=(("code:not-in", DOGS),)),)))
    assert record.ids("Observation?", caller) == []


# --- what cannot be answered --------------------------------------------------------------------------------------

REFUSED = [
    ("code:in=http://example.org/absent", "not known here"),
    ("code:in=dogs", "canonical URL of a ValueSet"),
    ("code:below=dog", "system|code"),
    ("code:below=http://snomed.info/sct|404684003", "not known here with all its codes"),
    ("identifier:in=http://example.org/dogs", "asks for codes"),
    ("date:in=http://example.org/dogs", "not supported"),
    ("code:in=http://example.org/loop", "imports itself"),
]


def test_what_is_refused(record: Record) -> None:
    record.put(value_set("http://example.org/loop", {"valueSet": ["http://example.org/loop"]}))
    for query, text in REFUSED:
        with pytest.raises(BadSearch, match=text):
            record.ids(f"Observation?{query}")


def test_an_exclusion_from_a_system_that_is_not_here(record: Record) -> None:
    part = {"system": "http://loinc.org", "concept": [{"code": "1-2"}]}
    made = value_set("http://example.org/but", {"system": "http://loinc.org"})
    record.put({**made, "compose": {**made["compose"], "exclude": [part]}})
    with pytest.raises(TooCostly, match=r"loinc.org cannot be listed"):
        record.ids("Observation?code:in=http://example.org/but")
