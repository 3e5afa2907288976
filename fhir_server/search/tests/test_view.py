"""A resource at hand is judged as the index would find it."""

import msgspec
import pytest

from fhir_server.search.restriction import CONFIDENTIALITY, Rule, own_branches, restriction
from fhir_server.search.tests.record import Record, observation, patient
from fhir_server.search.view import _is_member, attached, surely
from fhir_server.store import Store, Stored
from fhir_server.tests.every_type import TYPES, instance
from resources.main_patient import patient_of
from resources.repository import Caller, Grant, Grants
from resources.search_param.matching import Subject

ANN = Caller("x", grants=Grants((Grant("*", "rs", compartment=("Patient", "ann"), confidential=True),)))


def row(type: str, of: str) -> Stored:
    doc = msgspec.json.encode({**instance(type, of), "id": "1"})
    return Stored(type, "1", 1, 0, doc, "PUT", 1, 1, 1)


@pytest.mark.parametrize("type", [type for type in TYPES if type != "Patient"])
def test_what_is_found_quickly_is_a_member(type: str) -> None:
    found = restriction(ANN, type, "r")
    assert found is not None
    for rule in found.rules:
        mine = row(type, "Patient/ann")
        if rule.quick:
            assert patient_of(type, "1", mine.doc) == "Patient/ann"
        subject = Subject(type, "1", 0, mine.doc)
        assert rule.linked or _is_member(rule, mine, subject)
        theirs = row(type, "Patient/ann2")  # a longer id that begins with the same letters
        assert not _is_member(rule, theirs, Subject(type, "1", 0, theirs.doc))


@pytest.mark.parametrize("type", ["Organization", *TYPES])
def test_what_is_sure_at_a_look_is_inside(store: Store, type: str) -> None:
    view = Record(store).engine.resolver(store.session(), ANN).view
    found = restriction(ANN, type, "r")
    assert found is not None
    for of in ("Patient/ann", "Patient/ann2"):
        one = (
            row(type, of)
            if type in TYPES
            else Stored(type, "1", 1, 0, b'{"resourceType":"%s"}' % type.encode(), "PUT", 1, 1, 1)
        )
        if surely(found, one, patient_of(type, "1", one.doc)):
            assert view.holds(found, one)
            assert of == "Patient/ann" or type not in TYPES
    assert not surely(found, Stored(type, "1", 2, 0, b"", "DELETE", 1, 1, 1), "Patient/ann")
    assert surely(found, row("Observation", "Patient/ann"), "Patient/ann") or type != "Observation"


def test_membership_is_by_the_parameters_alone() -> None:
    about = {**observation("o", "bob", "x"), "focus": [{"reference": "Patient/ann"}]}
    stored = Stored("Observation", "o", 1, 0, msgspec.json.encode(about), "PUT", 1, 1, 1)
    rule = Rule("Observation", "Patient/ann", own_branches("Observation"), quick=True)
    assert not _is_member(rule, stored, Subject("Observation", "o", 0, stored.doc))


def test_what_is_not_granted_is_not_seen(store: Store) -> None:
    record = Record(store)
    record.put(patient("ann", "Smith"), observation("o", "ann", "x"))
    only = Caller("x", grants=Grants((Grant("Patient", "r", compartment=("Patient", "ann")),)))
    view = record.engine.resolver(record.session, only).view
    rows = list(record.session.read_many([("Patient", "ann"), ("Observation", "o")]).values())
    assert [found.type for found in view.seen(rows, "r")] == ["Patient"]
    assert view.seen(rows, "s") == []
    assert [view.sees(found, "r") for found in sorted(rows, key=lambda one: one.type)] == [False, True]


@pytest.mark.parametrize("confidential", [True, False])
@pytest.mark.parametrize("code", ["", "N", "R", "V"])
@pytest.mark.parametrize("compartment", [None, ("Patient", "ann")])
@pytest.mark.parametrize("asked", [True, False])
def test_the_quick_look_at_a_page_says_what_the_slow_one_does(
    store: Store, confidential: bool, code: str, compartment: tuple[str, str] | None, asked: bool
) -> None:
    caller = Caller("x", grants=Grants((Grant("*", "rs", compartment=compartment, confidential=confidential),)))
    view = Record(store).engine.resolver(store.session(), caller).view
    label = {"security": [{"system": CONFIDENTIALITY, "code": code}]} if code else {}
    performed = {"performer": [{"reference": "Patient/ann"}]}
    docs = [
        {**observation("1", "ann", "x"), "meta": label},
        {**observation("1", "bob", "x"), "meta": label},
        {**observation("1", "bob", "x"), "meta": label, **performed},
        {**observation("1", "bob", "v3-Confidentiality"), "meta": label, "note": [{"text": '"Patient/ann"'}]},
    ]
    rows = [Stored("Observation", "1", 1, 0, msgspec.json.encode(doc), "PUT", n, n, n) for n, doc in enumerate(docs, 1)]
    known = [patient_of(row.type, row.id, row.doc) for row in rows] if asked else None
    inside = [True, compartment is None, True, compartment is None]
    hidden = code in ("R", "V") and not confidential
    expected = [row.o for row, within in zip(rows, inside, strict=True) if within and not hidden]
    assert [row.o for row in view.seen(rows, "s", known)] == expected
    assert [row.o for row in rows if view.sees(row, "s")] == expected


def test_the_attachments_of_a_document() -> None:
    doc = msgspec.json.encode({"content": [{"attachment": {"url": "Binary/1"}}, {"attachment": {}}]})
    assert attached(doc) == ["Binary/1"]
    assert attached(b"{}") == []
