import pytest

from resources.errors import BadSearch
from resources.search_param import compile_param
from resources.search_param.parameters import parameters
from resources.search_param.reference import targets
from resources.search_param.tests.naive import finds

URL = "http://elsewhere.org/fhir/Patient/9"


def observation(**subject):
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject}


@pytest.mark.parametrize(
    ("parameter", "value", "found"),
    [
        ("subject", "Patient/1", True),
        ("subject", "1", True),
        ("subject", "Group/1", False),
        ("subject", "2", False),
        ("patient", "Patient/1", True),
        ("patient", "1", True),
        ("subject:Patient", "1", True),
        ("subject:Patient", "Patient/1", True),
        ("subject:Group", "1", False),
        ("subject", "Patient/1/_history/3", True),
        ("subject", "2,Patient/1", True),
        ("encounter", "1", False),
    ],
)
def test_local_references(parameter, value, found):
    assert finds(observation(reference="Patient/1"), parameter, value) == found
    assert finds(observation(reference="Patient/1/_history/7"), parameter, value) == found


def test_absolute_references():
    assert finds(observation(reference=URL), "subject", URL)
    assert finds(observation(reference=URL), "patient", URL)
    assert finds(observation(reference=f"{URL}/_history/2"), "subject", URL)
    assert not finds(observation(reference=URL), "subject", "Patient/9")
    assert finds(observation(reference="urn:uuid:1"), "subject", "urn:uuid:1")


def test_a_patient_is_no_group():
    assert not finds(observation(reference="Group/1"), "patient", "1")
    assert finds(observation(reference="Group/1"), "subject", "1")


def test_references_by_identifier():
    resource = observation(identifier={"system": "urn:mrn", "value": "7"})
    assert finds(resource, "subject:identifier", "urn:mrn|7")
    assert finds(resource, "patient:identifier", "7")
    assert not finds(resource, "subject:identifier", "urn:mrn|8")
    assert not finds(resource, "subject", "7")


def test_contained_references_are_not_searched():
    assert not finds(observation(reference="#p"), "subject", "p")


def test_canonicals_with_and_without_version():
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "instantiatesCanonical": ["http://x.org/p|2"],
    }
    assert finds(plan, "instantiates-canonical", "http://x.org/p")
    assert finds(plan, "instantiates-canonical", r"http://x.org/p\|2")
    assert finds(plan, "instantiates-canonical", "http://x.org/p|2")
    assert not finds(plan, "instantiates-canonical", "http://x.org/p|3")


def test_a_resource_in_a_bundle():
    bundle = {
        "resourceType": "Bundle",
        "type": "document",
        "entry": [{"resource": {"resourceType": "Composition", "id": "c"}}],
    }
    assert finds(bundle, "composition", "Composition/c")
    assert finds(bundle, "composition", "c")


@pytest.mark.parametrize(
    ("parameter", "modifier", "value"),
    [
        ("patient", "", "Group/1"),
        ("subject", "", "Nonsense/1"),
        ("subject", "", "a b"),
        ("subject", "Medication", "1"),
        ("subject", "Patient", "Group/1"),
        ("subject", "exact", "1"),
    ],
)
def test_refused(parameter, modifier, value):
    with pytest.raises(BadSearch, match=parameter):
        compile_param("Observation", parameter, modifier, value)


def test_targets():
    known = parameters("Observation")
    assert targets(known["patient"]) == ("Patient",)
    assert "Group" in targets(known["subject"])
