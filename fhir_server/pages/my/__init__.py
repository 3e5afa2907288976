"""The patient's own pages: appointments, results, messages, who looked, everything to take along.

Ours; docs/patient-pages.md.
"""

from fhir_server.pages.my.clinic import CLIENT, Clinic
from fhir_server.pages.my.routes import blueprint

__all__ = ["CLIENT", "Clinic", "blueprint"]
