import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import BadSearch
from resources.search_param import compile_param, extract
from resources.search_param.terms import Key, Lookup, Post
from resources.search_param.tests.naive import finds

LOINC = "http://loinc.org"
OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": LOINC, "code": "8480-6", "display": "Systolic Blood Pressure"}], "text": "BP upper"},
    "category": [{"coding": [{"code": "Local"}]}],
    "method": {"text": "Slightly odd"},
}
PATIENT = {
    "resourceType": "Patient",
    "active": False,
    "gender": "female",
    "deceasedDateTime": "2020",
    "identifier": [
        {
            "system": "urn:mrn",
            "value": "A1",
            "type": {"coding": [{"system": "urn:t", "code": "MR"}], "text": "Chart number"},
        },
        {"value": "loose"},
    ],
    "telecom": [{"system": "email", "value": "Ann@Example.org"}, {"system": "phone", "value": "555-1"}],
}


@pytest.mark.parametrize(
    ("parameter", "value", "found"),
    [
        ("code", "8480-6", True),
        ("code", f"{LOINC}|8480-6", True),
        ("code", f"{LOINC}|", True),
        ("code", "|8480-6", False),
        ("code", "urn:x|8480-6", False),
        ("code", "x,8480-6", True),
        ("code", "8480", False),
        ("category", "local", True),
        ("category", "|LOCAL", True),
        ("category", "x|Local", False),
        ("status", "final", True),
        ("status", "http://hl7.org/fhir/observation-status|final", True),
        ("status", "http://hl7.org/fhir/observation-status|", True),
        ("status", "urn:x|final", False),
        ("code:not", "8480-6", False),
        ("code:not", "x,y", True),
        ("code:not", "x,8480-6", False),
        ("code:text", "systolic", True),
        ("code:text", "BP up", True),
        ("code:text", "blood", False),
        ("method:text", "slightly", True),
        ("method", "slightly", False),
        ("device-name", "x", None),
    ],
)
def test_codes(parameter, value, found):
    if found is None:
        with pytest.raises(BadSearch):
            finds(OBSERVATION, parameter, value)
    else:
        assert finds(OBSERVATION, parameter, value) == found


@pytest.mark.parametrize(
    ("parameter", "value", "found"),
    [
        ("identifier", "A1", True),
        ("identifier", "a1", False),
        ("identifier", "urn:mrn|A1", True),
        ("identifier", "urn:mrn|", True),
        ("identifier", "|A1", False),
        ("identifier", "|loose", True),
        ("identifier:of-type", "urn:t|MR|A1", True),
        ("identifier:of-type", "urn:t|MR|B", False),
        ("identifier:text", "chart", True),
        ("email", "ann@example.org", True),
        ("phone", "ann@example.org", False),
        ("phone", "555-1", True),
        ("telecom", "email|ANN@example.org", True),
        ("telecom", "555-1", True),
        ("active", "false", True),
        ("active", "true", False),
        ("gender", "female", True),
        ("deceased", "true", True),
        ("deceased", "false", False),
    ],
)
def test_identifiers_contacts_and_flags(parameter, value, found):
    assert finds(PATIENT, parameter, value) == found


def test_the_living():
    assert finds({"resourceType": "Patient"}, "deceased", "false")
    assert finds({"resourceType": "Patient", "deceasedBoolean": False}, "deceased", "false")
    assert finds({"resourceType": "Patient", "deceasedBoolean": True}, "deceased", "true")


def test_ucum_codes_keep_their_case():
    code = {"coding": [{"system": "http://unitsofmeasure.org", "code": "mG"}]}
    resource = {"resourceType": "Observation", "status": "final", "code": code}
    assert finds(resource, "code", "mG")
    assert finds(resource, "code", "http://unitsofmeasure.org|mG")
    assert not finds(resource, "code", "http://unitsofmeasure.org|mg")


def test_system_and_code_are_one_list_and_a_code_alone_a_lookup():
    key = Key("Observation", "Observation.code", "s|c", f"{LOINC}|8480-6")
    assert compile_param("Observation", "code", "", f"{LOINC}|8480-6") == Post(key)
    assert compile_param("Observation", "code", "", "1") == Lookup("Observation", "Observation.code", "s|c", code="1")
    [entry] = [d for d in extract(OBSERVATION).dictionary if d.key == key]
    assert (entry.system, entry.code, entry.display) == (LOINC, "8480-6", "systolic blood pressure")


@pytest.mark.parametrize(
    ("parameter", "modifier", "value"),
    [
        ("code", "", "|"),
        ("code", "in", "x"),
        ("code", "", ","),
        ("identifier", "of-type", "a|b"),
        ("code", "of-type", "a|b|c"),
    ],
)
def test_refused(parameter, modifier, value):
    with pytest.raises(BadSearch, match=parameter):
        compile_param("Patient" if parameter == "identifier" else "Observation", parameter, modifier, value)


words = st.text(alphabet="ab|,\\$é", min_size=1, max_size=5)


@given(words, words)
def test_whatever_is_written_is_found_when_escaped(system, code):
    def escaped(text):
        return "".join(f"\\{c}" if c in "\\,|$" else c for c in text)

    resource = {"resourceType": "Patient", "identifier": [{"system": system, "value": code}]}
    assert finds(resource, "identifier", f"{escaped(system)}|{escaped(code)}")
    assert finds(resource, "identifier", escaped(code))
    assert finds(resource, "identifier", f"{escaped(system)}|")
    assert not finds(resource, "identifier", f"|{escaped(code)}")


def test_long_codes_and_displays_fit_a_database_key():
    long = "x" * 5000
    resource = {"resourceType": "Observation", "code": {"coding": [{"system": "urn:s", "code": long, "display": long}]}}
    assert all(len(d.code) < 400 and len(d.display) < 400 for d in extract(resource).dictionary)
    for parameter, value in (("code", long), ("code", f"urn:s|{long}"), ("code:text", long)):
        assert finds(resource, parameter, value)
    assert not finds(resource, "code", long + "x")
