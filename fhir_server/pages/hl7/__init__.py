"""The console of the HL7 v2 bridge: what came, what became of it, what waits for a person.

HL7 v2.5.1 chapter 2; OWASP ASVS 5.0 V3 (pages). For administrators, or for this machine while there is no log-in.
"""

from fhir_server.pages.hl7.console import Console
from fhir_server.pages.hl7.routes import blueprint

__all__ = ["Console", "blueprint"]
