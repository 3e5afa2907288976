"""Who may bill where there is a log-in: staff of the clinic, and what they may do there.

OWASP ASVS 5.0 V8.2 (who may); HIPAA 164.502(b): the minimum that billing needs, no notes and no results.
"""

from fhir_server.pages.billing.clinic import CLIENT
from fhir_server.pages.secured_door import Rule, cleared
from resources.repository import Grants
from smart_auth.model import Person

_READ = (
    *("Encounter", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization", "Location"),
    *("Condition", "Coverage", "Account"),
)
_WRITTEN = {"ChargeItem": "crus", "Claim": "crus", "Provenance": "c"}


def _grants(person: Person) -> Grants:
    return cleared(person, dict.fromkeys(_READ, "rs") | _WRITTEN)


STAFF = Rule("billing", CLIENT, lambda person: person.staff, "This page is for staff of the clinic.", _grants)
