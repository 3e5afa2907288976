"""What searches say beyond one plain value: _filter, chains in chains, includes that go on, orders, several types,
implicit ranges, spellings of one value, and what is told of it all."""

import uuid
from collections.abc import Iterator

import pytest

from conformance_tests.client import SYSTEM, Client, Json, ids_of, link, outcome_of, resources_of
from conformance_tests.examples import coding, entry, identifier, observation, patient, weight

requirement = pytest.mark.requirement
FORM = "application/x-www-form-urlencoded"
NOWHERE = "https://elsewhere.example/Patient/1"


class Shelf:
    """Resources whose ids begin with a word of their own and end with a short name."""

    def __init__(self, fhir: Client) -> None:
        self.fhir, self.word = fhir, f"e{uuid.uuid4().hex[:12]}"

    def id(self, name: str) -> str:
        return f"{self.word}-{name}"

    def put(self, **resources: Json) -> None:
        """All in one transaction; ``@x`` in a reference is the shelf's ``x``."""
        tag = {"tag": [coding(self.word)]}
        entries = [
            entry("PUT", f"{body['resourceType']}/{self.id(name)}", body | {"id": self.id(name), "meta": tag})
            for name, body in resources.items()
        ]
        self.fhir.bundle("transaction", *entries)

    def ref(self, type: str, name: str) -> Json:
        return {"reference": f"{type}/{self.id(name)}"}

    def page(self, query: str, **more: str) -> Json:
        """``Patient?name=x&y=z``: ``+`` and ``%`` mean themselves, ``@x`` is the id of ``x``."""
        type, _, text = query.partition("?")
        text = text.replace("@", f"{self.word}-")
        pairs = [(name, value) for name, _, value in (part.partition("=") for part in text.split("&") if part)]
        return self.fhir.search(type, [*pairs, ("_tag", f"{SYSTEM}|{self.word}")], **more)

    def found(self, query: str, mode: str = "match") -> str:
        return " ".join(id.removeprefix(f"{self.word}-") for id in ids_of(self.page(query), mode))

    def names(self, query: str, mode: str = "match") -> str:
        return " ".join(sorted(self.found(query, mode).split()))


def moment(**when: object) -> Json:
    return observation(NOWHERE, **when)


@pytest.fixture(scope="module")
def shelf(fhir: Client) -> Iterator[Shelf]:
    made = Shelf(fhir)
    ref = made.ref
    risk = {"resourceType": "RiskAssessment", "status": "final", "subject": {"reference": NOWHERE}}
    canonical = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    made.put(
        top={"resourceType": "Organization", "name": "Top, Inc|A$"},
        low={"resourceType": "Organization", "name": "Low", "partOf": ref("Organization", "top")},
        doc={"resourceType": "Practitioner", "name": [{"family": "Straße"}]},
        ann=patient("x", name=[{"family": "\uff2eúñez", "given": ["Ann"]}], gender="female", birthDate="1980-05",
                    managingOrganization=ref("Organization", "low"), identifier=[identifier("a|b,c")]),
        bob=patient("y", name=[{"family": "O'Neil"}], gender="male", birthDate="1990-05-05",
                    generalPractitioner=[ref("Practitioner", "doc")]),
        visit={"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"},
               "subject": ref("Patient", "ann"), "participant": [{"individual": ref("Practitioner", "doc")}]},
        one=observation(f"Patient/{made.id('ann')}", encounter=ref("Encounter", "visit"), valueQuantity=weight(70)),
        two=observation(f"Patient/{made.id('bob')}", status="amended", valueQuantity=weight(8000, "g"),
                        performer=[ref("Practitioner", "doc")]),
        odd=observation(NOWHERE, code={"coding": [coding("a$b")]}, valueString="Plain, text"),
        trace={"resourceType": "Provenance", "target": [ref("Observation", "one")], "recorded": "2020-01-01T00:00:00Z",
               "agent": [{"who": ref("Practitioner", "doc")}]},
        year=moment(effectiveDateTime="2019"), month=moment(effectiveDateTime="2019-06"),
        day=moment(effectiveDateTime="2019-06-15"), instant=moment(effectiveInstant="2019-06-15T12:00:00.000Z"),
        period=moment(effectivePeriod={"start": "2019-06-10", "end": "2019-06-20"}),
        endless=moment(effectivePeriod={"start": "2019-06-20"}),
        timing=moment(effectiveTiming={"event": ["2019-06-14", "2019-06-15"]}),
        slight=risk | {"prediction": [{"probabilityDecimal": 0.2}]},
        likely=risk | {"prediction": [{"probabilityDecimal": 0.9}]},
        unsaid=risk,
        form=canonical | {"questionnaire": "http://example.org/q|1.0"},
        later=canonical | {"questionnaire": "http://example.org/q|2.0"},
        seta={"resourceType": "ValueSet", "status": "active", "url": "http://example.org/a"},
        setb={"resourceType": "ValueSet", "status": "active", "url": "http://example.org/b"},
    )  # fmt: skip
    yield made


# --- One expression ---------------------------------------------------------------------------------------------------


@requirement("search_filter.html")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ('Patient?_filter=name co "UNE"', "ann"),
        ("Patient?_filter=given eq ann and birthdate ge 1980-01-01", "ann"),
        ("Patient?_filter=family ew eil or family sw nun", "ann bob"),
        ("Patient?_filter=gender eq male or gender eq female and birthdate lt 1985", "ann"),
        ("Patient?_filter=gender eq male or (gender eq female and birthdate gt 1985)", "bob"),
        ("Patient?_filter=not (gender eq male)", "ann"),
        ("Patient?_filter=birthdate po 1980-05-20", "ann"),
        ("Patient?_filter=general-practitioner pr true", "bob"),
        ("Patient?_filter=general-practitioner re Practitioner/@doc", "bob"),
        ("Observation?_filter=code eq loinc|29463-7 and value-quantity lt 10|ucum|kg", "two"),
        ("Observation?_filter=status ne final", "two"),
        ("Observation?_filter=subject.name co neil", "two"),
        ('Observation?_filter=subject[gender eq female].organization.name sw "LOW"', "one"),
        ("Patient?_filter=_has:Observation:patient:status eq amended&gender=male", "bob"),
        ("?_type=Patient,Encounter&_filter=_id eq @ann or _id eq @visit", "ann visit"),
    ],
)
def test_filter(shelf: Shelf, query: str, found: str) -> None:
    assert shelf.names(query) == found


@requirement("search_filter.html")
def test_an_error_in_a_filter_names_the_character(fhir: Client) -> None:
    for filter, words in (
        ("name eq x and", "14"),
        ("name like x", "6"),
        ("name eq x or brithdate gt 1980", "'birthdate'"),
    ):
        outcome = fhir.refused("GET", "Patient", query={"_filter": filter}, expect=400, Prefer="handling=lenient")
        assert "character" in str(outcome) and words in str(outcome)


@requirement("search.html#chaining")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Observation?patient.organization.partof.name:exact=Top\\, Inc\\|A\\$", "one"),
        ("Observation?subject:Patient.general-practitioner:Practitioner.name=strasse", "two"),
        ("Observation?encounter.patient.organization.partof.name:contains=inc", "one"),
        ("Observation?patient._has:Encounter:patient:participant:Practitioner.name=straße", "one"),
        ("Patient?_has:Observation:patient:encounter.participant:Practitioner.name=strasse", "ann"),
        ("Patient?_has:Observation:patient:_has:Provenance:target:agent=@doc", "ann"),
        ("Organization?_has:Patient:organization:_has:Observation:patient:status=final", "low"),
        ("Patient?_has:Observation:patient:encounter:missing=true", "bob"),
        ("Patient?_has:Observation:patient:status:not=final", "bob"),
    ],
)
def test_chains_and_reverse_chains_in_each_other(shelf: Shelf, query: str, found: str) -> None:
    assert shelf.names(query) == found


@requirement("search.html#include")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Observation?_id=@one&_include=Observation:subject&_include:iterate=Patient:organization", "ann low"),
        ("Observation?_id=@one&_include:iterate=*", "ann doc low top visit"),
        ("Observation?_id=@two&_include=Observation:*", "bob doc"),
        ("Observation?_id=@two&_include=Observation:performer:Practitioner", "doc"),
        ("Observation?_id=@two&_include=Observation:performer:Organization", ""),
        ("Organization?_id=@top&_revinclude:iterate=Organization:partof&_revinclude:iterate=Patient:organization",
         "ann low"),
        ("Patient?_id=@ann&_revinclude=*", "one visit"),
        ("Patient?_id=@ann&_revinclude=Observation:patient&_revinclude:iterate=Provenance:target", "one trace"),
    ],
)  # fmt: skip
def test_includes_that_go_on(shelf: Shelf, query: str, found: str) -> None:
    assert shelf.names(query, "include") == found


# --- Several types, orders --------------------------------------------------------------------------------------------


@requirement("http.html#search")
def test_a_search_of_several_types(fhir: Client, shelf: Shelf) -> None:
    assert shelf.names("?_type=Patient,Practitioner") == "ann bob doc"
    assert shelf.names("?_type=Patient&_type=Practitioner&_include=Patient:organization", "include") == "low"
    assert shelf.names("?_type=Patient,Practitioner&name=strasse") == "doc"
    assert shelf.names("?_id=@visit") == "visit"
    form = f"_type=Patient,Practitioner&_tag={SYSTEM}%7C{shelf.word}&_sort=_id"
    page = fhir.post("_search", form, type=FORM).json()
    assert [id.removeprefix(f"{shelf.word}-") for id in ids_of(page)] == ["ann", "bob", "doc"]
    outcome = fhir.refused("GET", "", query={"_type": "Patient,Observation", "birthdate": "2000"}, expect=400)
    assert "Observation" in str(outcome)


@requirement("search.html#sort")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Patient?_sort=family", "ann bob"),
        ("Patient?_sort=-birthdate", "bob ann"),
        ("RiskAssessment?_sort=probability", "slight likely unsaid"),
        ("RiskAssessment?_sort=-probability", "likely slight unsaid"),
        ("ValueSet?_sort=-url", "setb seta"),
        ("Observation?_id=@one,@two&_sort=subject", "one two"),
        ("Observation?_id=@one,@two&_sort=-status,date", "one two"),
        ("Observation?_id=@one,@two,@odd&_sort=performer,-_id", "two one odd"),
        ("QuestionnaireResponse?_sort=questionnaire", "form later"),
    ],
)
def test_orders(shelf: Shelf, query: str, found: str) -> None:
    assert shelf.found(query) == found
    assert shelf.found(f"{query},_id") == found


@requirement("search.html#sort")
@pytest.mark.parametrize("sort", ["code-value-quantity", "code:text", "subject.name", "date,-nothing"])
def test_what_has_no_order_is_400(fhir: Client, sort: str) -> None:
    fhir.refused("GET", "Observation", query={"_sort": sort}, expect=400)


# --- One value in several spellings -----------------------------------------------------------------------------------


@requirement("search.html#prefix")
@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("", "day instant"),
        ("eq", "day instant"),
        ("ne", "endless month period timing year"),
        ("gt", "endless month period year"),
        ("lt", "month period timing year"),
        ("ge", "day endless instant month period year"),
        ("le", "day instant month period timing year"),
        ("sa", "endless"),
        ("eb", ""),
        ("ap", "day endless instant month period timing year"),
    ],
)
def test_prefixes_and_implicit_ranges(shelf: Shelf, prefix: str, found: str) -> None:
    """dateTime of three precisions, instant, Period, one without end, and Timing."""
    assert shelf.names(f"Observation?date={prefix}2019-06-15&date:missing=false") == found


@requirement("search.html#prefix")
def test_prefixes_at_the_borders(shelf: Shelf) -> None:
    assert shelf.names("Observation?date=eb2019-06-16") == "day instant timing"
    assert shelf.names("Observation?date=sa2019-06-14") == "day endless instant"
    assert shelf.names("Observation?date=2019-06-15T12:00:00.000Z") == "instant"
    assert shelf.names("Observation?date=2019-06-15T14:00+02:00") == "instant"
    assert shelf.names("Patient?birthdate=1980") == "ann"
    assert shelf.names("Patient?birthdate=1980-05-20") == ""


@requirement("search.html#escaping")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Organization?name=top\\, inc", "top"),
        ("Organization?name:exact=Top\\, Inc\\|A\\$", "top"),
        ("Organization?name=nobody,low", "low"),
        (f"Patient?identifier={SYSTEM}|a\\|b\\,c", "ann"),
        (f"Patient?identifier={SYSTEM}|a", ""),
        (f"Observation?code-value-string={SYSTEM}|a\\$b$plain\\, text", "odd"),
        (f"Observation?code={SYSTEM}|a$b", "odd"),
    ],
)
def test_escapes(shelf: Shelf, query: str, found: str) -> None:
    assert shelf.names(query) == found


@requirement("search.html#string")
def test_case_accents_and_width_are_folded(shelf: Shelf) -> None:
    for spelling in ("nunez", "NÚÑEZ", "\uff2e\uff55\uff4e\uff45\uff5a", "Nu\u0301n\u0303ez"):
        assert shelf.names(f"Patient?family={spelling}") == "ann"
        assert shelf.names(f"Patient?family:contains={spelling[1:]}") == "ann"
    assert shelf.names("Patient?family:exact=\uff2eúñez") == "ann"
    assert shelf.names("Patient?family:exact=Núñez") == ""


@requirement("search.html#reference")
def test_spellings_of_a_reference(fhir: Client, shelf: Shelf) -> None:
    for value in ("@ann", "Patient/@ann", f"{fhir.base}/Patient/@ann", "Patient/@ann/_history/1"):
        assert shelf.names(f"Observation?subject={value}") == "one"
        assert shelf.names(f"Observation?patient={value}") == "one"
    assert shelf.names("Observation?performer=@doc") == "two"
    assert shelf.names("QuestionnaireResponse?questionnaire=http://example.org/q") == "form later"
    assert shelf.names("QuestionnaireResponse?questionnaire=http://example.org/q|1.0") == "form"
    assert shelf.names("QuestionnaireResponse?questionnaire=http://example.org/q|3.0") == ""


@requirement("search.html#quantity")
def test_units_that_compare(shelf: Shelf) -> None:
    for value in ("8|http://unitsofmeasure.org|kg", "8000||g", "8000000|http://unitsofmeasure.org|mg"):
        assert shelf.names(f"Observation?value-quantity={value}") == "two"
    assert shelf.names("Observation?value-quantity=8000|http://unitsofmeasure.org|mL") == ""


# --- What is told -----------------------------------------------------------------------------------------------------


@requirement("search.html#errors")
def test_a_lenient_search_tells_what_it_ignored(shelf: Shelf) -> None:
    page = shelf.page("Patient?gender=male&nickname=x&_sort=shoesize", Prefer="handling=lenient")
    assert [id.removeprefix(f"{shelf.word}-") for id in ids_of(page)] == ["bob"]
    [told] = resources_of(page, "outcome")
    assert told["resourceType"] == "OperationOutcome"
    assert {issue["severity"] for issue in told["issue"]} <= {"warning", "information"}
    assert "nickname" in str(told) and "shoesize" in str(told)
    assert "gender=male" in link(page, "self")
    assert "nickname" not in link(page, "self") and "shoesize" not in link(page, "self")


@requirement("search.html#errors")
@pytest.mark.parametrize(
    "query", ["_count=1&_count=2", "_count:exact=1", "_sort=family&_sort=birthdate", "_type=Group"]
)
def test_what_contradicts_itself_is_400(fhir: Client, query: str) -> None:
    fhir.refused("GET", f"Patient?{query}", expect=400)


@requirement("search.html#errors")
def test_what_costs_too_much_is_refused_with_advice(fhir: Client) -> None:
    for query in ("focus.focus.focus._id=x", "_filter=focus.focus.focus._id eq x", f"code={'x,' * 5000}"):
        outcome = outcome_of(fhir.get(f"Observation?{query}", expect=422))
        assert [issue["code"] for issue in outcome["issue"]] == ["too-costly"]
        assert "ame the types" in str(outcome) or "Ask in parts" in str(outcome)
