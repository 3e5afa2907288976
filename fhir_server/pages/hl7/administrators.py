"""Who may look at the console where there is a log-in: administrators.

OWASP ASVS 5.0 V8.2 (who may).
"""

from fhir_server.pages.hl7.desk import LOOK
from fhir_server.pages.secured_door import Rule
from resources.repository import Grant, Grants
from smart_auth.model import Clearance, Person


def _grants(person: Person) -> Grants:
    """An administrator looks at what messages made, as far as the clearance goes, and answers codes."""
    all, some = person.clearance is Clearance.VERY_RESTRICTED, person.clearance is Clearance.RESTRICTED
    return Grants((Grant("*", "rs", confidential=all, restricted=some), Grant("ConceptMap", "cruds")))


ADMINISTRATORS = Rule(
    LOOK.name, "hearth console", lambda person: person.administrator, "This page is for administrators.", _grants
)
