"""Search parameters of every type: string, token, reference, date, number, quantity, uri, composite; common ones."""

import uuid
from collections.abc import Iterator

import pytest

from conformance_tests.client import SYSTEM, Client, Json, reference
from conformance_tests.examples import coding, identifier, observation, patient, weight

requirement = pytest.mark.requirement
Found = dict[str, str]


class Shelf:
    """Resources with short names, found again by them: ``shelf.names(type, query)``."""

    def __init__(self, fhir: Client, label: str) -> None:
        self.fhir, self.label = fhir, label
        self.known: Found = {}

    def put(self, name: str, resource: Json) -> Json:
        meta = {"tag": [coding(self.label)]} | resource.get("meta", {})
        made = self.fhir.create(resource | {"meta": meta})
        self.known[made["id"]] = name
        return made

    def names(self, type: str, *query: tuple[str, str] | str, **more: str) -> str:
        """The names found, sorted: ``"a b"``. Queries are pairs or ``name=value`` texts."""
        pairs = [tuple(each.split("=", 1)) if isinstance(each, str) else each for each in query]
        pairs += [(f"{name}", value) for name, value in more.items()]
        ids = self.fhir.found(type, [*pairs, ("_tag", f"{SYSTEM}|{self.label}")])  # type: ignore[list-item]
        assert len(ids) == len(set(ids))
        return " ".join(sorted(self.known[id] for id in ids))


@pytest.fixture(scope="module")
def label() -> str:
    return f"s{uuid.uuid4().hex[:12]}"


# --- string -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people(fhir: Client, label: str) -> Iterator[Shelf]:
    shelf = Shelf(fhir, label)
    shelf.put("eve", patient("x", name=[{"family": "Müller", "given": ["Eve", "Anna"]}], gender="female"))
    shelf.put("van", patient("x", name=[{"family": "van Müllerstein", "given": ["Max"]}], gender="male"))
    shelf.put("lee", patient("x", name=[{"text": "Lee, Bruce"}], address=[{"city": "Old, Town", "use": "home"}]))
    shelf.put("none", {"resourceType": "Patient", "active": False})
    yield shelf


@requirement("search.html#string")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("family=müller", "eve"),
        ("family=MULL", "eve"),
        ("family=Müller,van", "eve van"),
        ("family:exact=Müller", "eve"),
        ("family:exact=müller", ""),
        ("family:contains=ÜLLER", "eve van"),
        ("given=ann", "eve"),
        ("name=max", "van"),
        ("name=lee", "lee"),
        ("address-city=old\\, t", "lee"),
        ("address-city=old,x", "lee"),
        ("family:missing=true", "lee none"),
        ("family:missing=false", "eve van"),
        ("family=", "eve lee none van"),
    ],
)
def test_string(people: Shelf, query: str, found: str) -> None:
    assert people.names("Patient", query) == found


@requirement("search.html#combining")
def test_repetition_is_and_and_a_comma_is_or(people: Shelf) -> None:
    assert people.names("Patient", "given=eve", "given=anna") == "eve"
    assert people.names("Patient", "given=eve", "given=max") == ""
    assert people.names("Patient", "given=eve,max") == "eve van"
    assert people.names("Patient", "gender=female,male", "family:contains=stein") == "van"


# --- token ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def coded(fhir: Client, label: str) -> Iterator[Shelf]:
    shelf = Shelf(fhir, label + "c")

    def with_code(name: str, **code: object) -> None:
        shelf.put(name, {"resourceType": "Observation", "status": "final", "code": code})

    with_code("both", coding=[coding("a", "urn:x:one"), coding("b", "urn:x:two")], text="Both of them")
    with_code("one", coding=[coding("a", "urn:x:one")])
    with_code("bare", coding=[{"code": "a", "display": "Alpha"}])
    shelf.put("active", patient("x", identifier=[identifier("v"), {"value": "w"}], active=True))
    shelf.put("mail", patient("x", telecom=[{"system": "email", "value": "a@example.org", "use": "home"}]))
    yield shelf


@requirement("search.html#token")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("code=a", "bare both one"),
        ("code=urn:x:one|a", "both one"),
        ("code=urn:x:two|b,|a", "bare both"),
        ("code=|a", "bare"),
        ("code=urn:x:one|", "both one"),
        ("code=urn:x:one|b", ""),
        ("code=A", "bare both one"),  # "when in doubt, case-insensitive"
        ("code:not=urn:x:one|a", "bare"),
        ("code:not=b", "bare one"),
        ("code:text=both of", "both"),
        ("code:text=alph", "bare"),
        ("status=final", "bare both one"),
        ("status:not=final", ""),
        ("code:missing=true", ""),
    ],
)
def test_token(coded: Shelf, query: str, found: str) -> None:
    assert coded.names("Observation", query) == found


@requirement("search.html#token")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"identifier={SYSTEM}|v", "active"),
        ("identifier=|w", "active"),
        ("identifier=w", "active"),
        (f"identifier={SYSTEM}|w", ""),
        ("active=true", "active"),
        ("active=false", ""),
        ("email=a@example.org", "mail"),
        ("telecom=email|a@example.org", "mail"),
        ("phone=a@example.org", ""),
    ],
)
def test_token_of_identifiers_booleans_and_contact_points(coded: Shelf, query: str, found: str) -> None:
    assert coded.names("Patient", query) == found


# --- date -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dated(fhir: Client, label: str) -> Iterator[Shelf]:
    shelf = Shelf(fhir, label + "d")

    def on(name: str, **when: object) -> None:
        shelf.put(name, {"resourceType": "Observation", "status": "final", "code": {"text": name}} | when)

    on("year", effectiveDateTime="2019")
    on("day", effectiveDateTime="2019-06-15")
    on("noon", effectiveDateTime="2019-06-15T12:00:00Z")
    on("zone", effectiveDateTime="2019-06-15T23:30:00-05:00")
    on("fine", effectiveDateTime="2019-06-15T12:00:00.250Z")
    on("span", effectivePeriod={"start": "2019-06-01", "end": "2019-06-30"})
    on("open", effectivePeriod={"start": "2019-07-01"})
    on("undated")
    yield shelf


@requirement("search.html#date")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("date=2019-06-15", "day fine noon"),
        ("date=2019-06", "day fine noon span zone"),
        ("date=2019", "day fine noon span year zone"),
        ("date=2019-06-16", "zone"),
        ("date=2019-06-15T12:00:00Z", "fine noon"),
        ("date=2019-06-15T14:00:00%2B02:00", "fine noon"),
        ("date=2019-06-15T12:00Z", "fine noon"),
        ("date=ne2019-06", "open year"),
        ("date=gt2019-06-30", "open year"),
        ("date=lt2019-06-01", "year"),
        ("date=ge2019-06-16", "open span year zone"),
        ("date=le2019-06-14", "span year"),
        ("date=sa2019-06-15", "open zone"),
        ("date=eb2019-06-15", ""),
        ("date=eb2019-06-16", "day fine noon"),
        ("date:missing=true", "undated"),
        ("date=ge2019-06-15&date=lt2019-06-16", "day fine noon span year"),
    ],
)
def test_date(dated: Shelf, query: str, found: str) -> None:
    parts = [part.replace("%2B", "+") for part in query.split("&")]
    assert dated.names("Observation", *parts) == found


@requirement("search.html#date")
def test_date_approximately(dated: Shelf) -> None:
    assert "day" in dated.names("Observation", "date=ap2019-06-15")
    assert dated.names("Observation", "date=ap1900-01-01") == ""


@requirement("search.html#date")
@pytest.mark.parametrize(
    "value", ["yesterday", "2019-13", "2019-02-30", "xx2019", "2019-06-15T25:00Z", "gt", "20190615"]
)
def test_a_malformed_date_is_400(fhir: Client, value: str) -> None:
    fhir.refused("GET", "Observation", query={"date": value}, expect=400)


# --- number and quantity ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured(fhir: Client, label: str) -> Iterator[Shelf]:
    shelf = Shelf(fhir, label + "q")
    for name, value, unit in (("g", 5400, "g"), ("kg", 5.4, "kg"), ("mg", 5.4, "mg"), ("heavy", 80, "kg")):
        shelf.put(name, observation("https://elsewhere.example/Patient/1", valueQuantity=weight(value, unit)))
    free = {"value": 5.4, "unit": "stone"}
    shelf.put("free", observation("https://elsewhere.example/Patient/1", valueQuantity=free))
    for name, score in (("low", 0.5), ("high", 0.95)):
        prediction = [{"probabilityDecimal": score}]
        subject = {"reference": "https://elsewhere.example/Patient/1"}
        body = {"resourceType": "RiskAssessment", "status": "final", "subject": subject, "prediction": prediction}
        shelf.put(name, body)
    yield shelf


@requirement("search.html#quantity")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("value-quantity=5.4|http://unitsofmeasure.org|kg", "g kg"),
        ("value-quantity=5400|http://unitsofmeasure.org|g", "g kg"),
        ("value-quantity=5.4||mg", "mg"),
        ("value-quantity=5.4", "free kg mg"),
        ("value-quantity=5.4||stone", "free"),
        ("value-quantity=gt5.4|http://unitsofmeasure.org|kg", "heavy"),
        ("value-quantity=ge5.4|http://unitsofmeasure.org|kg", "g heavy kg"),
        ("value-quantity=lt1|http://unitsofmeasure.org|kg", "mg"),
        ("value-quantity=le5400|http://unitsofmeasure.org|g", "g kg mg"),
        ("value-quantity=ne5.4|http://unitsofmeasure.org|kg", "heavy mg"),
        ("value-quantity=ap79|http://unitsofmeasure.org|kg", "heavy"),
        ("value-quantity=8e1|http://unitsofmeasure.org|kg", "heavy"),
        ("code-value-quantity=http://loinc.org|29463-7$gt70|http://unitsofmeasure.org|kg", "heavy"),
        ("code-value-quantity=http://loinc.org|0000-0$gt70|http://unitsofmeasure.org|kg", ""),
    ],
)
def test_quantity(measured: Shelf, query: str, found: str) -> None:
    assert measured.names("Observation", query) == found


@requirement("search.html#number")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("probability=0.5", "low"),
        ("probability=0.50", "low"),
        ("probability=gt0.5", "high"),
        ("probability=ge0.5", "high low"),
        ("probability=lt0.95", "low"),
        ("probability=ne0.5", "high"),
        ("probability=1", "high low"),
        ("probability=1e0", "high"),
        ("probability=0.9", ""),
        ("probability=ap0.9", "high"),
    ],
)
def test_number(measured: Shelf, query: str, found: str) -> None:
    assert measured.names("RiskAssessment", query) == found


@requirement("search.html#number")
@pytest.mark.parametrize("value", ["much", "1,x", "--1", "1e", "NaN", "Infinity"])
def test_a_malformed_number_is_400(fhir: Client, value: str) -> None:
    fhir.refused("GET", "RiskAssessment", query={"probability": value}, expect=400)


# --- reference and uri ------------------------------------------------------------------------------------------------


@requirement("search.html#reference")
def test_reference(fhir: Client, tag: str) -> None:
    shelf = Shelf(fhir, tag)
    made = shelf.put("person", patient(tag))
    group = shelf.put("group", {"resourceType": "Group", "type": "person", "actual": True})
    shelf.put("mine", observation(reference(made)))
    shelf.put("versioned", observation(f"{reference(made)}/_history/1"))
    shelf.put("group's", observation(reference(group)))
    shelf.put("far", observation(f"https://elsewhere.example/fhir/{reference(made)}"))
    shelf.put("logical", observation("", subject={"identifier": identifier(tag)}))
    assert shelf.names("Observation", f"subject={reference(made)}") == "mine versioned"
    assert shelf.names("Observation", f"subject={made['id']}") == "mine versioned"
    assert shelf.names("Observation", f"subject:Patient={made['id']}") == "mine versioned"
    assert shelf.names("Observation", f"subject:Group={group['id']}") == "group's"
    assert shelf.names("Observation", f"subject:Group={made['id']}") == ""
    assert shelf.names("Observation", f"patient={made['id']}") == "mine versioned"
    assert shelf.names("Observation", f"patient={group['id']}") == ""
    assert shelf.names("Observation", f"subject=https://elsewhere.example/fhir/{reference(made)}") == "far"
    assert shelf.names("Observation", f"subject:identifier={SYSTEM}|{tag}") == "logical"
    assert shelf.names("Observation", f"subject={reference(made)},{reference(group)}") == "group's mine versioned"
    assert shelf.names("Observation", "encounter:missing=true", f"subject={reference(made)}") == "mine versioned"


@requirement("search.html#uri")
def test_uri(fhir: Client, tag: str) -> None:
    shelf = Shelf(fhir, tag)
    for name in ("one", "one/two", "One"):
        url = f"http://example.org/{tag}/{name}"
        shelf.put(name, {"resourceType": "ValueSet", "status": "active", "url": url})
    base = f"url=http://example.org/{tag}/one"
    assert shelf.names("ValueSet", base) == "one"
    assert shelf.names("ValueSet", base.replace("url=", "url:below=")) == "one one/two"
    assert shelf.names("ValueSet", base.replace("url=", "url:above=") + "/two") == "one one/two"
    assert shelf.names("ValueSet", base.removesuffix("one")) == ""


# --- Parameters of all types ------------------------------------------------------------------------------------------


@requirement("search.html#all")
def test_common_parameters(fhir: Client, tag: str) -> None:
    shelf = Shelf(fhir, tag)
    meta = {"profile": ["http://example.org/p|1.0"], "security": [coding(tag + "s")], "source": "urn:x:lab"}
    made = shelf.put("made", patient(tag, meta=meta))
    other = shelf.put("other", patient(tag))
    moment = made["meta"]["lastUpdated"]
    assert shelf.names("Patient", f"_id={made['id']},{other['id']}") == "made other"
    assert shelf.names("Patient", f"_security={SYSTEM}|{tag}s") == "made"
    assert shelf.names("Patient", "_profile=http://example.org/p") == "made"
    assert shelf.names("Patient", "_profile=http://example.org/p|1.0") == "made"
    assert shelf.names("Patient", "_source=urn:x:lab") == "made"
    assert "made" in shelf.names("Patient", f"_lastUpdated={moment}")
    assert shelf.names("Patient", f"_lastUpdated=ge{moment}") == "made other"
    assert shelf.names("Patient", f"_lastUpdated=lt{moment}") == ""
    assert shelf.names("Patient", "_lastUpdated=gt2999") == ""


@requirement("search.html#all")
def test_type_chooses_types_at_the_base(fhir: Client, tag: str) -> None:
    shelf = Shelf(fhir, tag)
    person = shelf.put("person", patient(tag))
    shelf.put("mine", observation(reference(person)))
    shelf.put("place", {"resourceType": "Location", "name": tag})
    assert shelf.names("", "_type=Patient,Observation") == "mine person"
    assert shelf.names("", "_type=Location") == "place"
    assert shelf.names("") == "mine person place"
    fhir.refused("GET", "", query={"_type": "Patiens"}, expect=400)


@requirement("search.html#modifiers")
@pytest.mark.parametrize(
    "query",
    ["family:near=x", "gender:exact=male", "birthdate:contains=2", "organization:family=x", "name:missing=maybe"],
)
def test_a_modifier_it_does_not_know_is_400_even_when_lenient(fhir: Client, query: str) -> None:
    name, value = query.split("=")
    fhir.refused("GET", "Patient", query={name: value}, expect=400)
    fhir.refused("GET", "Patient", query={name: value}, expect=400, Prefer="handling=lenient")


@requirement("search.html#errors")
def test_an_unknown_parameter_names_the_nearest_one(fhir: Client) -> None:
    outcome = fhir.refused("GET", "Patient", query={"brithdate": "2000"}, expect=400)
    assert "birthdate" in str(outcome)
