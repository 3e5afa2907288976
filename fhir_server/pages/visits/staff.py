"""Who may look at the clinicians' pages where there is a log-in: practitioners, and what they may do there.

OWASP ASVS 5.0 V8.2 (who may); HIPAA 164.308(a)(4). No more types than the pages show or write.
"""

from fhir_server.pages.secured_door import Rule
from fhir_server.pages.visits.clinic import CLIENT
from resources.repository import Grant, Grants
from smart_auth.model import Clearance, Person

_READ = (
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Location",
    "AllergyIntolerance",
    "Condition",
    "MedicationRequest",
    "MedicationStatement",
    "Medication",
)
_WRITTEN = {"Encounter": "crus", "Appointment": "rus", "Observation": "crs", "DocumentReference": "crus"}


def grants(person: Person) -> Grants:
    """As far as the clearance of ``person`` goes."""
    all, some = person.clearance is Clearance.VERY_RESTRICTED, person.clearance is Clearance.RESTRICTED
    types = dict.fromkeys(_READ, "rs") | _WRITTEN | {"Provenance": "c"}
    return Grants(Grant(type, letters, confidential=all, restricted=some) for type, letters in types.items())


STAFF = Rule("visits", CLIENT, lambda person: person.staff, "This page is for practitioners of the clinic.", grants)
