"""What stands beside a token: SMART App Launch 2.2 section 3.0; who reaches what."""

from smart_auth.model import Context, Person
from smart_auth.oauth.issue import context_fields, name, reach
from smart_auth.oauth.tests.rig import NOBODY, PATIENT, STAFF


def test_context_in_the_words_of_smart() -> None:
    assert context_fields(Context()) == {}
    context = Context(
        patient="p",
        encounter="e",
        fhir_context=({"reference": "List/1"},),
        intent="i",
        need_patient_banner=False,
        smart_style_url="https://ehr.example/style",
        tenant="t",
    )
    assert context_fields(context) == {
        "patient": "p",
        "encounter": "e",
        "fhirContext": [{"reference": "List/1"}],
        "intent": "i",
        "need_patient_banner": False,
        "smart_style_url": "https://ehr.example/style",
        "tenant": "t",
    }


def test_reach() -> None:
    relative = Person(id="r", login="r", name="R", fhir_user="RelatedPerson/r1", patient="p1")
    role = Person(id="s", login="s", name="S", fhir_user="PractitionerRole/1")
    confined = Person(id="c", login="c", name="C", fhir_user="Practitioner/2", patient="p1")
    unbound = Person(id="u", login="u", name="U", fhir_user="RelatedPerson/r2")
    found = [reach(person) for person in (STAFF, role, PATIENT, relative, confined, NOBODY, unbound, None)]
    assert found == ["all", "all", "Patient/p1", "Patient/p1", "Patient/p1", "", "", "all"]


def test_names_in_the_audit_trail() -> None:
    assert [name(person) for person in (STAFF, NOBODY, None)] == ["Practitioner/1", "nemo", ""]
