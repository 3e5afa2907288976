"""Who may look at the patient's pages where there is a log-in: patients, and who cares for one of them.

OWASP ASVS 5.0 V8.2 (who may); 45 CFR 164.524 (access of individuals). All of the one record, labelled or not.
"""

from fhir_server.pages.my.clinic import CLIENT
from fhir_server.pages.secured_door import Rule
from resources.repository import Grant, Grants
from smart_auth.model import Person

_CHANGED = {"Appointment": "cu", "Communication": "c", "QuestionnaireResponse": "cu"}


def _grants(person: Person) -> Grants:
    inside = ("Patient", person.patient)
    changes = (Grant(type, letters, compartment=inside, confidential=True) for type, letters in _CHANGED.items())
    return Grants((Grant("*", "rs", compartment=inside, confidential=True), *changes))


PATIENTS = Rule("my", CLIENT, lambda person: bool(person.patient), "This page is for patients of the clinic.", _grants)
