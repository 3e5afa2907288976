"""The pages of billers: finished visits without a charge, drafts to check, what became of them.

Ours; docs/billing.md.
"""

from fhir_server.pages.billing.clinic import CLIENT, Clinic
from fhir_server.pages.billing.routes import blueprint

__all__ = ["CLIENT", "Clinic", "blueprint"]
