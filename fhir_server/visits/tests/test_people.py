import pytest

from fhir_server.visits.people import named, patient_of, role_of, seat_of, shown_name
from resources.errors import Unavailable
from video.ports import Role

APPOINTMENT = {
    "resourceType": "Appointment",
    "participant": [
        {"actor": {"reference": "Patient/1"}},
        {"actor": {"reference": "PractitionerRole/5"}},
        {"actor": {"reference": "Location/6"}},
        {"actor": {"display": "somebody"}},
        {"status": "accepted"},
    ],
}
ENCOUNTER = {
    "resourceType": "Encounter",
    "subject": {"reference": "Patient/1"},
    "participant": [{"individual": {"reference": "RelatedPerson/7"}}],
}
RESOURCES = {
    "PractitionerRole/5": {"practitioner": {"reference": "Practitioner/2"}},
    "Practitioner/2": {"name": [{"prefix": ["Dr"], "given": ["Lena"], "family": "Bergmann"}]},
    "Patient/1": {"name": [{"text": "Ada Okafor"}]},
}


def test_whom_the_two_name():
    assert named(APPOINTMENT, ENCOUNTER, None) == ["Patient/1", "PractitionerRole/5", "RelatedPerson/7"]
    assert patient_of(APPOINTMENT, ENCOUNTER) == "Patient/1"


def test_a_visit_of_two_patients_is_of_none():
    other = {"participant": [{"actor": {"reference": "Patient/9"}}]}
    assert patient_of(APPOINTMENT, other) == ""


@pytest.mark.parametrize(
    ("who", "seat"),
    [
        ("Patient/1", "Patient/1"),
        ("Practitioner/2", "Practitioner/2"),
        ("Practitioner/3", ""),
        ("Patient/2", ""),
        ("", ""),
        ("Location/6", ""),
    ],
)
def test_who_has_a_seat(who, seat):
    assert seat_of(who, named(APPOINTMENT), RESOURCES.get) == seat


@pytest.mark.parametrize(
    ("reference", "role"),
    [("Patient/1", Role.PATIENT), ("PractitionerRole/5", Role.PRACTITIONER), ("Group/1", None), ("open", None)],
)
def test_roles(reference, role):
    assert role_of(reference) is role


def test_names():
    assert shown_name("PractitionerRole/5", RESOURCES.get) == "Dr Lena Bergmann"
    assert shown_name("Patient/1", RESOURCES.get) == "Ada Okafor"
    assert shown_name("Patient/2", RESOURCES.get) == "Patient"

    def away(reference: str):
        raise Unavailable("away")

    assert shown_name("RelatedPerson/7", away) == "Relative"
