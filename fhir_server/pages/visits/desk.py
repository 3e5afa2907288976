"""One request for a clinicians' page: the visitor, who they are in the record, and how the page is answered.

Ours; docs/video.md.
"""

from pathlib import Path
from typing import Any

from flask import Response

from fhir_server.pages import desk
from fhir_server.pages.rendering import Look, Policy
from fhir_server.pages.visits.clinic import Clinic

LOOK = Look("visits", Path(__file__).resolve().parent)
IDLE = 900
"""Seconds after which who does nothing is logged off; the pages say so and hide what they show."""
OPEN = "open"
"""Who asks while there is no log-in."""
TABS = (
    ("/visits/", "Today", ""),
    ("/visits/patients", "Patients", "patients"),
    ("/visits/inbox", "Inbox", "inbox"),
)
"""Path, text, and what a page calls itself."""
DONE = {
    "answered": "Your answer is sent.",
    "reviewed": "It is marked as seen to.",
    "observed": "The measurements are saved.",
    "ordered": "It is ordered.",
    "saved": "The note is saved as a draft.",
    "signed": "The note is signed.",
}


class Desk(desk.Desk[Clinic]):
    """Of a clinician."""

    @property
    def who(self) -> str:
        """The visitor as the record names them, '' while there is no log-in."""
        who = self.visitor.caller.who
        return "" if who == OPEN else who

    @property
    def list_policy(self) -> Policy:
        """The form that joins a visit is answered with a redirect to the video process."""
        return Policy(connect="'self'", forms=f"'self' {self.clinic.origin}".strip())

    @property
    def chart_policy(self) -> Policy:
        return chart_policy(self.clinic)

    def page(self, template: str, status: int = 200, *, policy: Policy, heading: str, **context: Any) -> Response:
        """A page; it logs off by its own script, or by a header of its own for browsers without one."""
        shared = {
            "heading": heading,
            "error": "",
            "now": self.clinic.now(),
            "who": self.visitor.caller.who,
            "idle": IDLE,
            "tabs": TABS,
            "notice": desk.notice(DONE),
        }
        return self.frame.show(self.visitor, template, status, shared | context, policy, logs_off=False)


def chart_policy(clinic: Clinic) -> Policy:
    """Of the chart, which stands beside the picture."""
    return Policy(connect="'self'", framed_by=clinic.origin)
