"""Who may look at the clinicians' pages where there is a log-in: practitioners, and what they may do there.

OWASP ASVS 5.0 V8.2 (who may); HIPAA 164.308(a)(4). No more types than the pages show or write.
"""

from fhir_server.pages.secured_door import Rule, cleared
from fhir_server.pages.visits.clinic import CLIENT
from resources.repository import Grants
from smart_auth.model import Person

_READ = (
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Location",
    "AllergyIntolerance",
    "Condition",
    "MedicationStatement",
    "Medication",
    "QuestionnaireResponse",
    "DiagnosticReport",
    "Organization",
    "Binary",
)
_WRITTEN = {
    "Encounter": "crus",
    "Appointment": "rus",
    "Observation": "crs",
    "ServiceRequest": "crs",
    "MedicationRequest": "crs",
    "DocumentReference": "crus",
    "Communication": "crs",
    "Provenance": "crus",
}


def grants(person: Person) -> Grants:
    """As far as the clearance of ``person`` goes."""
    return cleared(person, dict.fromkeys(_READ, "rs") | _WRITTEN)


STAFF = Rule("visits", CLIENT, lambda person: person.staff, "This page is for practitioners of the clinic.", grants)
