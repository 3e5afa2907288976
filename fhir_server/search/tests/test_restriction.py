"""What a caller bound to one patient's compartment finds: nothing of anybody else, by whatever road."""

from typing import Any

import pytest

from fhir_server.search import chain, engine
from fhir_server.search.restriction import CLOSED, CONFIDENTIALITY, restriction, visible
from fhir_server.search.tests.record import OPEN, Record, observation, patient
from fhir_server.store import Store
from resources.errors import Forbidden
from resources.repository import Caller, Grant, Grants
from resources.search_param.terms import All, And, Key, Post, Term

P1 = ("Patient", "p1")
ANN = Caller("Patient/p1", grants=Grants((Grant("*", "rs", compartment=P1, confidential=True),)))
NARROW = Caller(
    "Patient/p1",
    grants=Grants(Grant(type, "rs", compartment=P1, confidential=True) for type in ("Observation", "Patient")),
)


@pytest.fixture
def record(store: Store) -> Record:
    made = Record(store)
    made.put(
        {"resourceType": "Organization", "id": "o1", "name": "Clinic"},
        {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "House"}]},
        patient("p1", "Smith", managingOrganization={"reference": "Organization/o1"}),
        patient("p2", "Jones", managingOrganization={"reference": "Organization/o1"},
                generalPractitioner=[{"reference": "Practitioner/d1"}]),
        {"resourceType": "Group", "id": "g1", "type": "person", "actual": True, "member": [
            {"entity": {"reference": "Patient/p1"}}, {"entity": {"reference": "Patient/p2"}}]},
        observation("a1", "p1", "x", "2020-01-01T00:00:00Z", performer=[{"reference": "Practitioner/d1"}]),
        observation("b1", "p2", "x", "2021-01-01T00:00:00Z", performer=[{"reference": "Practitioner/d1"}]),
        observation("b2", "p2", "y", "2022-01-01T00:00:00Z"),
        observation("a2", "p1", "z", "2019-01-01T00:00:00Z", derivedFrom=[{"reference": "Observation/b2"}]),
        {"resourceType": "Condition", "id": "c2", "subject": {"reference": "Patient/p2"},
         "asserter": {"reference": "Patient/p2"}},
    )  # fmt: skip
    return made


ROADS = [
    ("Patient?", "p1"),
    ("Patient?_id=p2", ""),
    ("Patient?_id=p1,p2", "p1"),
    ("Patient?identifier=mrn-p2", ""),
    ("Patient?name:contains=o", ""),
    ("Patient?gender:not=male", "p1"),
    ("Patient?organization:missing=false", "p1"),
    ("Observation?", "a1 a2"),
    ("Observation?code=x", "a1"),
    ("Observation?code:not=z", "a1"),
    ("Observation?date=ge2000", "a1 a2"),
    ("Observation?_lastUpdated=ge2000", "a1 a2"),
    ("Observation?value-quantity=1", "a1 a2"),
    ("Observation?patient=p2", ""),
    ("Observation?subject.name=jones", ""),
    ("Observation?subject.name=smith", "a1 a2"),
    ("Observation?derived-from.code=y", ""),
    ("Observation?derived-from:missing=false", "a2"),
    ("Patient?organization.name=clinic", "p1"),
    ("Patient?_has:Observation:patient:code=y", ""),
    ("Patient?_has:Observation:patient:code=x", "p1"),
    ("Organization?_has:Patient:organization:name=jones", ""),
    ("Organization?_has:Patient:organization:name=smith", "o1"),
    ("Organization?_has:Patient:organization:_has:Observation:patient:code=y", ""),
    ("Practitioner?_has:Observation:performer:code=x", "d1"),
    ("Practitioner?_has:Patient:general-practitioner:name=jones", ""),
    ("Patient?_filter=_has:Observation:patient:code eq y", ""),
    ("Patient?_filter=not (_has:Observation:patient:code eq y)", "p1"),
    ("Observation?_filter=derived-from.code eq y or subject.name eq jones", ""),
    ("Observation?_filter=not (derived-from.code ne z)", "a1 a2"),
    ("Group?", ""),
    ("Group?member=p1", ""),
    ("Condition?", ""),
    ("Device?", ""),
    ("?_type=Patient,Observation,Condition,Group", "a1 a2 p1"),
    ("?_lastUpdated=ge2000", "a1 a2 d1 o1 p1"),
]


@pytest.mark.parametrize("limits", [{}, {"FEW_SOURCES": 0}, {"FEW_TARGETS": 0}])
def test_no_road_leads_to_another_chart(
    record: Record, limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, limit in limits.items():
        monkeypatch.setattr(chain, name, limit)
    assert {query: " ".join(sorted(record.ids(query, ANN))) for query, _ in ROADS} == dict(ROADS)


def test_totals_count_only_what_may_be_seen(record: Record) -> None:
    for query, ids in ROADS:
        sign = "&" if "=" in query else ""
        assert record.page(f"{query}{sign}_summary=count", ANN).total == len(ids.split()), query
        assert record.page(f"{query}{sign}_total=estimate&_count=1", ANN).total == len(ids.split()), query


@pytest.mark.parametrize("unlabelled", [False, True])
def test_estimates_of_many_tell_nothing_of_the_others(
    record: Record, unlabelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ESTIMATED", 1)
    label = {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}
    record.put(*(observation(f"h{n}", "p1", "x", "2020-02-01T00:00:00Z", meta=label) for n in range(5)))
    record.put(*(observation(f"o{n}", "p2", "x", "2020-02-01T00:00:00Z") for n in range(5)))
    place = None if unlabelled else P1
    caller = Caller("staff or patient", grants=Grants((Grant("*", "rs", compartment=place),)))
    for query in ("Observation?code=x", "Observation?", "Observation?date=ge2000", "?_type=Observation,Patient"):
        seen = len(record.ids(query, caller))
        sign = "&" if "=" in query else ""
        assert record.page(f"{query}{sign}_total=estimate&_count=1", caller).total == seen, query


@pytest.mark.parametrize("sort", ["date", "-_lastUpdated", "_id", "code", "-value-quantity", "subject"])
def test_sorted_pages_hold_only_what_may_be_seen(record: Record, sort: str) -> None:
    assert sorted(record.walk(f"Observation?_count=1&_sort={sort}", ANN)) == ["a1", "a2"]


INCLUDED = [
    ("Observation?_include=Observation:derived-from", set()),
    ("Observation?_include=*", {"Patient/p1", "Practitioner/d1"}),
    ("Patient?_include=Patient:organization", {"Organization/o1"}),
    ("Patient?_revinclude=Observation:subject", {"Observation/a1", "Observation/a2"}),
    ("Patient?_revinclude=Group:member", set()),
    (
        "Patient?_include=Patient:organization&_revinclude:iterate=Patient:organization&_revinclude:iterate=Observation:patient",
        {"Organization/o1", "Observation/a1", "Observation/a2"},
    ),
    ("Practitioner?_revinclude=Patient:general-practitioner&_revinclude=Observation:performer", {"Observation/a1"}),
]


def test_includes_hold_only_what_may_be_seen(record: Record) -> None:
    for query, references in INCLUDED:
        assert record.included(query, ANN) == references, query


def test_another_compartment_is_empty(record: Record) -> None:
    assert record.ids("Observation?", ANN, of=("Patient", "p2")) == []
    assert record.ids("?", ANN, of=("Patient", "p2")) == []
    assert record.ids("Observation?", ANN, of=("Practitioner", "d1")) == ["a1"]
    assert sorted(record.ids("?", ANN, of=("Patient", "p1"))) == ["a1", "a2", "p1"]


def test_shared_types_need_a_scope_that_names_them(record: Record) -> None:
    assert record.ids("Organization?", ANN) == ["o1"]
    assert record.included("Patient?_include=Patient:organization", NARROW) == set()


@pytest.mark.parametrize(
    "query",
    [
        "Organization?", "?_type=Patient,Organization", "Patient?organization.name=clinic",
        "Patient?organization:Organization.name=clinic", "Patient?_has:Group:member:_id=g1",
        "Patient?_has:Observation:subject:performer:Practitioner.name=x",
    ],
)  # fmt: skip
def test_what_is_not_granted_is_refused_by_type_and_interaction(record: Record, query: str) -> None:
    with pytest.raises(Forbidden, match=r"^(Organization|Group|Practitioner): search is not granted\.$"):
        record.page(query, NARROW)


def test_no_grants_open_nothing(record: Record) -> None:
    for query in ("Patient?", "?", "?_type=Patient"):
        with pytest.raises(Forbidden):
            record.page(query, Caller("Patient/p1"))


def test_an_untyped_chain_goes_where_it_may(record: Record) -> None:
    assert record.ids("Observation?subject.name=smith&code=x", NARROW) == ["a1"]


def test_a_search_of_all_types_is_one_of_those_granted(record: Record) -> None:
    assert sorted(record.ids("?_lastUpdated=ge2000", NARROW)) == ["a1", "a2", "p1"]


def test_without_a_rule_a_type_is_closed() -> None:
    for type in ("Bundle", "Subscription", "Group", "Parameters"):
        assert visible(ANN, type, All(type)) == CLOSED


def test_an_unrestricted_caller_changes_no_term() -> None:
    asked: Term = All("Patient")
    assert visible(OPEN, "Patient", asked) is asked
    assert restriction(OPEN, "Patient", "d") is None
    assert isinstance(visible(ANN, "Patient", Post(Key("Patient", "Patient.gender", "c", "male"))), And)


LAB = "http://terminology.hl7.org/CodeSystem/observation-category"


def labelled(resource: dict[str, Any], code: str) -> dict[str, Any]:
    return {**resource, "meta": {"security": [{"system": CONFIDENTIALITY, "code": code}]}}


def category(code: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": LAB, "code": code}]}]


def granular(*pairs: tuple[str, str], **more: Any) -> Caller:
    return Caller("x", grants=Grants(Grant("Observation", "rs", (pair,), confidential=True, **more) for pair in pairs))


def test_granular_scopes_are_a_union(record: Record) -> None:
    record.put(
        observation("l1", "p1", "x", category=category("laboratory")),
        observation("v1", "p1", "x", category=category("vital-signs")),
        observation("s1", "p1", "x", category=category("survey")),
        observation("l2", "p2", "x", category=category("laboratory")),
    )
    lab, vital = ("category", f"{LAB}|laboratory"), ("category", f"{LAB}|vital-signs")
    assert sorted(record.ids("Observation?", granular(lab, vital))) == ["l1", "l2", "v1"]
    assert sorted(record.ids("Observation?", granular(lab, vital, compartment=P1))) == ["l1", "v1"]
    assert record.ids("Observation?category=survey", granular(lab, vital)) == []
    assert sorted(record.ids("Observation?category:not=vital-signs", granular(lab, vital))) == ["l1", "l2"]
    assert record.page("Observation?_summary=count", granular(lab, vital)).total == 3
    assert record.ids("Observation?", granular(("nonsense", "1"))) == []


def test_labels_hide_what_is_restricted(record: Record) -> None:
    record.put(labelled(observation("r1", "p1", "q"), "R"), labelled(observation("n1", "p1", "q"), "N"))
    staff = Caller("Practitioner/d1", grants=Grants((Grant("*", "cruds"),)))
    assert record.ids("Observation?code=q", staff) == ["n1"]
    assert record.page("Observation?code=q&_summary=count", staff).total == 1
    assert sorted(record.ids("Observation?code=q", OPEN)) == ["n1", "r1"]
    assert sorted(record.ids("Observation?code=q", ANN)) == ["n1", "r1"]
    assert "r1" not in record.walk("Observation?_count=2", staff)
    assert record.included("Patient?_revinclude=Observation:subject&_id=p1", staff) == {
        "Observation/a1", "Observation/a2", "Observation/n1",
    }  # fmt: skip


def test_what_refers_to_a_match_is_searched_for_and_needs_s(record: Record) -> None:
    def may(permissions: str) -> Caller:
        types = {"Patient": "rs", "Observation": permissions}
        return Caller("x", grants=Grants(Grant(t, may, compartment=P1, confidential=True) for t, may in types.items()))

    asked = "Patient?_revinclude=Observation:subject"
    assert record.included(asked, may("rs")) == {"Observation/a1", "Observation/a2"}
    assert record.included(asked, may("r")) == record.included(asked, may("s")) == set()
    assert record.included(asked.replace("Observation:subject", "*"), may("r")) == set()
