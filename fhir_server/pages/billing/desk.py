"""One request for a biller's page: the visitor, who they are in the record, and how the page is answered.

Ours; docs/billing.md.
"""

from pathlib import Path
from typing import Any

from flask import Response

from fhir_server.billing.checking import Hand
from fhir_server.pages import desk
from fhir_server.pages.billing.clinic import Clinic
from fhir_server.pages.rendering import Look

LOOK = Look("billing", Path(__file__).resolve().parent)
DONE = {
    "charged": "The visit is charged. Please check the draft.",
    "waits": "The visit is charged. Its claim waits.",
    "saved": "The draft is saved.",
    "checked": "The claim is checked.",
    "off": "The visit is not billed.",
}


class Desk(desk.Desk[Clinic]):
    """Of a biller."""

    @property
    def hand(self) -> Hand:
        """Who acts, and now."""
        who = self.visitor.caller.who
        return Hand(who if "/" in who else "", self.clinic.charging.now())

    def page(self, template: str, status: int = 200, *, heading: str, **context: Any) -> Response:
        shared = {"heading": heading, "error": "", "notice": desk.notice(DONE), "zone": str(self.clinic.zone)}
        return self.frame.show(self.visitor, template, status, shared | context)
