"""_filter on both databases: what each operator finds by type of parameter, and what is refused where."""

import random

import pytest

from fhir_server.search.tests.record import NOW, Record, observation, patient
from fhir_server.store import Store
from resources.errors import BadSearch, Forbidden, TooCostly
from resources.repository import Caller, Grant, Grants

LONG = "long " * 80 + "tail"


@pytest.fixture
def record(store: Store) -> Record:
    made = Record(store)
    made.put(
        {"resourceType": "Organization", "id": "o1", "name": "Clinic"},
        {"resourceType": "Organization", "id": "o2", "name": LONG},
        {"resourceType": "Organization", "id": "o3", "name": "long " * 59 + "lo tail and more of it" * 8},
        patient("p1", "Müller", "Peter", birth="1980-03-01", managingOrganization={"reference": "Organization/o1"}),
        patient("p2", "Smith", "Ann", "male", "1990-05", name=[{"family": "Smith", "given": ["Ann", "O'Neil, (jr)"]}]),
        patient("p3", "Zed", "Ö", "other", "1990-05-05", active=True),
        observation("a", "p1", "1-1", "2020-01-02T10:00:00Z", 5),
        observation("b", "p2", "2-2", "2020-02", 6, status="amended"),
        observation("c", "p3", "1-1", None, 7, effectivePeriod={"start": "2020-01-01", "end": "2020-03-01"}),
        {"resourceType": "RiskAssessment", "id": "r1", "status": "final", "subject": {"reference": "Patient/p1"},
         "prediction": [{"probabilityDecimal": 0.5}]},
        {"resourceType": "DocumentReference", "id": "d1", "status": "current", "content": [{"attachment": {}}],
         "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/d2"}}]},
    )  # fmt: skip
    return made


FOUND = [
    ("Patient", 'name eq "muller"', "p1"),
    ("Patient", "family eq smi", ""),
    ("Patient", "family ne smith", "p1 p3"),
    ("Patient", 'given ne "ann"', "p1 p2 p3"),
    ("Patient", 'given eq "o\'neil, (jr)"', "p2"),
    ("Patient", "family co ULL", "p1"),
    ("Patient", "family sw mü", "p1"),
    ("Patient", "family ew TH", "p2"),
    ("Patient", "family gt smith", "p3"),
    ("Patient", "family ge smith", "p2 p3"),
    ("Patient", "family lt smith", "p1"),
    ("Patient", "family le smith", "p1 p2"),
    ("Organization", "name ew tail", "o2"),
    ("Organization", 'name ew "long tail"', "o2"),
    ("Organization", 'name ew "of it"', "o3"),
    ("Organization", "name ew lo", ""),
    ("Organization", "name ew clinic", "o1"),
    ("Patient", "birthdate eq 1990-05", "p2 p3"),
    ("Patient", "birthdate eq 1990-05-05", "p3"),
    ("Patient", "birthdate co 1990-05-05", "p2 p3"),
    ("Patient", "birthdate po 1990-05-05", "p2 p3"),
    ("Patient", "birthdate lt 1990", "p1"),
    ("Patient", "birthdate sa 1980-03-01", "p2 p3"),
    ("Patient", "birthdate eb 1990-05-05", "p1"),
    ("Observation", "date co 2020-01-05", "c"),
    ("Observation", "date po 2020-01", "a c"),
    ("Observation", "date eq 2020-01-02T10:00:00Z", "a"),
    ("Observation", 'date eq "2020-01-02T11:00:00+01:00"', "a"),
    ("Observation", "code eq loinc|1-1", "a c"),
    ("Observation", "code eq 2-2", "b"),
    ("Observation", "code ne loinc|1-1", "b"),
    ("Observation", "code ne loinc|", ""),
    ("Observation", "status ne final", "b"),
    ("Patient", "gender ne female", "p2 p3"),
    ("Patient", "active pr true", "p3"),
    ("Patient", "active pr false", "p1 p2"),
    ("Patient", "active ne false", "p3"),
    ("Patient", "organization pr true", "p1"),
    ("Patient", "organization re Organization/o1", "p1"),
    ("Patient", "organization re http://here/fhir/Organization/o1", "p1"),
    ("Patient", "_id ne p1", "p2 p3"),
    ("Patient", "_id pr true and _id pr true", "p1 p2 p3"),
    ("Patient", "_lastUpdated lt 2020-01-01", ""),
    ("Patient", "_lastUpdated po 2023", "p1 p2 p3"),
    ("Observation", "value-quantity gt 5 and value-quantity lt 7", "b"),
    ("Observation", "value-quantity eq 5|ucum|kg", "a"),
    ("Observation", "value-quantity eq 5000|ucum|g", "a"),
    ("Observation", "value-quantity ne 5||kg", "b c"),
    ("RiskAssessment", "probability gt 0.4", "r1"),
    ("RiskAssessment", "probability ne 0.5", ""),
    ("Patient", "gender eq male or gender eq other and active pr true", "p3"),
    ("Patient", "gender eq male or (gender eq other and active pr true)", "p2 p3"),
    ("Patient", "not (gender eq male or gender eq other)", "p1"),
    ("Patient", "not (not (gender eq male))", "p2"),
    ("Observation", "subject.name eq muller", "a"),
    ("Observation", "subject:Patient.organization.name co lini", "a"),
    ("Observation", "subject[gender eq male].name sw smi", "b"),
    ("Observation", "subject[gender eq female].name sw smi", ""),
    ("Observation", "not (subject.organization.name sw clinic)", "b c"),
    ("Patient", "_has:Observation:patient:code eq 2-2", "p2"),
    ("Organization", "_has:Patient:organization:_has:Observation:patient:code eq 1-1", "o1"),
    ("Patient", "not (_has:Observation:patient:code eq 1-1) and gender ne other", "p2"),
    ("DocumentReference", "relatesTo[code eq replaces].target re DocumentReference/d2", "d1"),
    ("DocumentReference", "relatesTo[code eq transforms].target re DocumentReference/d2", ""),
]


def test_what_is_found(record: Record) -> None:
    record.engine.base = "http://here/fhir"
    assert NOW // 1000 // 31_556_952 + 1970 == 2023
    asked = [(type, text) for type, text, _ in FOUND]
    found = {(t, f): " ".join(sorted(record.ids(f"{t}?_filter={f.replace('+', '%2B')}"))) for t, f in asked}
    assert found == {(t, f): ids for t, f, ids in FOUND}


def test_beside_other_parameters_and_in_several_types(record: Record) -> None:
    assert record.ids("Patient?gender=male,other&_filter=active pr true") == ["p3"]
    both = "?_type=Patient,Observation&_filter=_id eq a or _id eq p1"
    assert sorted(record.ids(both)) == ["a", "p1"]
    assert sorted(record.ids("Patient?_filter=gender eq male&_filter=active pr false")) == ["p2"]
    assert [row.id for row in record.matches("Patient", "_filter=gender eq other")] == ["p3"]


REFUSED = [
    ("nmae eq x", 1, "did you mean 'name'"),
    ("name po x", 6, "'name' of Patient, a string parameter, takes eq, ne, co"),
    ("birthdate sw 19", 11, "takes eq, ne, gt"),
    ("birthdate eq x", 14, "begins with a digit"),
    ("birthdate eq 1990-13", 14, "a date such as"),
    ("active pr maybe", 11, "true or false"),
    ("identifier ne x", 12, "not(identifier eq x)"),
    ("organization.nmae eq x", 14, "did you mean 'name'"),
    ("name.family eq x", 1, "only a reference can be followed"),
    ("organization:Patient.name eq x", 1, "never to Patient"),
    ("general-practitioner[nmae eq x].name eq y", 22, "nmae"),
    ("_has:Observation:encounter:code eq x", 1, "never to Patient"),
    ("_has:Observatoin:patient:code eq x", 1, "no resource type"),
    ("gender in notauri", 11, "canonical URL"),
    ('address-city eq "a\\u0000"', 17, "no text of FHIR"),
    ('name sw "\\ud800"', 9, "no text of FHIR"),
]


def test_what_is_refused_names_the_character(record: Record) -> None:
    for filter, at, words in REFUSED:
        for lenient in (False, True):
            with pytest.raises(BadSearch) as caught:
                record.page(f"Patient?_filter={filter}", lenient=lenient)
            assert f"at character {at}: " in str(caught.value), filter
            assert words in str(caught.value), filter


def test_names_of_filters_alone(record: Record) -> None:
    with pytest.raises(BadSearch, match="R4 has no 'related'"):
        record.ids("Observation?_filter=related[type eq has-component].target pr true")
    with pytest.raises(BadSearch, match="is asked as"):
        record.ids("DocumentReference?_filter=relatesTo[code ne replaces].target re DocumentReference/d2")
    with pytest.raises(BadSearch, match="no modifier"):
        record.ids("Patient?_filter:not=name eq x")


def test_paths_that_fork_too_often_are_refused(record: Record) -> None:
    with pytest.raises(TooCostly, match="Name the types"):
        record.ids("Observation?_filter=focus.focus.focus._id eq x")


def grants(*types: str) -> Caller:
    return Caller("someone", grants=Grants(Grant(type, "rs", compartment=("Patient", "p1")) for type in types))


def test_only_what_the_caller_sees_is_found_or_told(record: Record) -> None:
    caller = grants("Patient", "Observation")
    assert record.ids("Observation?_filter=not (code eq 2-2)", caller) == ["a"]
    assert record.ids("Observation?_filter=code eq 2-2 or code eq 1-1", caller) == ["a"]
    assert record.ids("Patient?_filter=not (_has:Observation:patient:code eq 2-2)", caller) == ["p1"]
    for closed in ("organization.name eq clinic", "gender eq male or organization.name eq clinic"):
        with pytest.raises(Forbidden):
            record.ids(f"Patient?_filter={closed}", caller)


LEAVES = {
    "code eq loinc|1-1": "code=http://loinc.org|1-1",
    "status eq final": "status=final",
    "date lt 2020-02": "date=lt2020-02",
    "value-quantity ge 6": "value-quantity=ge6",
    "subject.name sw mul": "subject.name=mul",
    "patient._has:Observation:patient:status eq amended": "patient._has:Observation:patient:status=amended",
    "date pr false": "date:missing=true",
    "_id eq c": "_id=c",
}
"""A test to the search that finds the same."""


def test_words_are_operations_on_what_searches_find(record: Record) -> None:
    dice = random.Random(7)
    every = frozenset(record.ids("Observation?"))
    found = {test: frozenset(record.ids(f"Observation?{search}")) for test, search in LEAVES.items()}

    def tree(depth: int) -> tuple[str, frozenset[str]]:
        kind = dice.choice(["leaf", "not", "and", "or", "mixed"]) if depth else "leaf"
        if kind == "leaf":
            return dice.choice(list(found.items()))
        (a, left), (b, right), (c, last) = (tree(depth - 1) for _ in range(3))
        made = {
            "not": (f"not ({a})", every - left),
            "and": (f"({a}) and ({b}) and ({c})", left & right & last),
            "or": (f"({a}) or ({b})", left | right),
            "mixed": (f"({a}) or ({b}) and ({c})", (left | right) & last),
        }
        return made[kind]

    for _ in range(60):
        text, expected = tree(3)
        assert frozenset(record.ids(f"Observation?_filter={text}")) == expected, text
