"""What is remembered of a restriction: the names of its lists, never who stands on them."""

from pathlib import Path

import pytest

from fhir_server.search import standing
from fhir_server.search.resolve import Resolver
from fhir_server.search.restriction import CONFIDENTIALITY
from fhir_server.search.standing import Standing, restricted
from fhir_server.search.tests.record import OPEN, Record, observation, patient
from fhir_server.store import Store, open_store
from fhir_server.store.search_sets import Except, Lists
from resources.repository import Caller, Grant, Grants
from resources.search_param.terms import All, And, Key, Linked, Post

GENDER = Post(Key("Patient", "Patient.gender", "c", "male"))


def app(id: str = "p1", **more: object) -> Caller:
    return Caller("app", grants=Grants((Grant("*", "rs", compartment=("Patient", id), **more),)))  # type: ignore[arg-type]


def staff() -> Caller:
    return Caller("staff", grants=Grants((Grant("*", "rs"),)))


def resolver(record: Record, caller: Caller) -> Resolver:
    return record.engine.resolver(record.session, caller)


def known(caller: Caller, type: str) -> Standing:
    found = caller.grants.memo["standing", type, "s"]
    assert isinstance(found, Standing)
    return found


def labelled(id: str, of: str, *codes: str) -> dict[str, object]:
    security = [{"system": CONFIDENTIALITY, "code": code} for code in codes]
    return {**observation(id, of, "x", "2020-01-01T00:00:00Z"), "meta": {"security": security}}


def test_the_labels_are_one_set(store: Store) -> None:
    term, sets = restricted(resolver(Record(store), staff()), "Observation", All("Observation"), "s")
    assert term == And(())
    [(part,)] = [[each.part for each in sets if isinstance(each, Except)]]
    assert isinstance(part, Lists) and len(part.hashes) == 2


def test_who_sees_all_is_asked_nothing(store: Store) -> None:
    assert restricted(resolver(Record(store), OPEN), "Patient", GENDER, "s") == (GENDER, ())


def test_a_label_hides_from_the_next_search_on(store: Store) -> None:
    record, reader = Record(store), staff()
    record.put(patient("p1", "Smith"), labelled("o1", "p1"), labelled("o2", "p1"))
    assert sorted(record.ids("Observation?", reader)) == ["o1", "o2"]
    before = known(reader, "Observation")
    for code in ("R", "V"):
        record.put(labelled("o1", "p1", code))
        assert record.ids("Observation?", reader) == ["o2"]
        assert record.ids("Observation?patient=p1&date=2020", reader) == ["o2"]
        assert record.page("Observation?_summary=count", reader).total == 1
        record.put(labelled("o1", "p1", "N"))
        assert sorted(record.ids("Observation?code=x", reader)) == ["o1", "o2"]
    assert known(reader, "Observation") is before


def test_what_comes_into_the_compartment_shows_at_once(store: Store) -> None:
    record, reader = Record(store), app(confidential=True)
    record.put(patient("p1", "Smith"), patient("p2", "Jones"), labelled("o1", "p2"))
    assert record.ids("Observation?", reader) == []
    record.put(labelled("o1", "p1"))
    assert record.ids("Observation?", reader) == ["o1"]
    record.put(labelled("o1", "p2"))
    assert record.ids("Observation?", reader) == []


def test_what_a_dictionary_or_a_link_decides_is_looked_up_each_time(store: Store) -> None:
    caller = Caller("x", grants=Grants((Grant("Observation", "rs", (("code", "x"),), ("Patient", "p1")),)))
    term, sets = restricted(resolver(Record(store), caller), "Observation", All("Observation"), "s")
    assert isinstance(term, And) and len(term.terms) == 1 and len(sets) == 2
    term, sets = restricted(resolver(Record(store), app(confidential=True)), "Binary", All("Binary"), "s")
    assert term == And((Linked("Binary", "Patient/p1"),)) and sets == ()


def test_a_code_that_is_new_is_found_by_a_granular_scope(store: Store) -> None:
    record = Record(store)
    caller = Caller("x", grants=Grants((Grant("Observation", "rs", (("code", "x"),), confidential=True),)))
    record.put(patient("p1", "Smith"))
    assert record.ids("Observation?", caller) == []
    record.put(observation("o1", "p1", "x", "2020-01-01T00:00:00Z"))
    assert record.ids("Observation?", caller) == ["o1"]


def test_another_store_has_its_own_names(store: Store, tmp_path: Path) -> None:
    other = open_store(f"sqlite:///{tmp_path / 'other.sqlite'}", key=b"another key of sixteen bytes")
    other.migrate()
    reader = app(confidential=True)
    for record in (Record(store), Record(other), Record(store)):
        record.put(patient("p1", "Smith"), labelled("o1", "p1"))
        assert record.ids("Observation?", reader) == ["o1"]
    other.close()


def test_lengths_are_believed_for_a_while(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    record, reader = Record(store), staff()
    record.page("Observation?", reader)
    before = known(reader, "Observation")
    record.page("Observation?", reader)
    assert known(reader, "Observation") is before
    monkeypatch.setattr(standing, "monotonic", lambda: before.until + 1)
    record.page("Observation?", reader)
    assert known(reader, "Observation") is not before
