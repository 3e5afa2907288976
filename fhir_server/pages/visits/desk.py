"""One request for a clinicians' page: the visitor, who they are in the record, and how the page is answered.

Ours; docs/video.md.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Response, request

from fhir_server.pages.door import Visitor
from fhir_server.pages.frame import Frame
from fhir_server.pages.rendering import Look, Policy
from fhir_server.pages.visits.clinic import Clinic
from resources.repository import Repository

LOOK = Look("visits", Path(__file__).resolve().parent)
IDLE = 900
"""Seconds after which who does nothing is logged off; the pages say so and hide what they show."""
OPEN = "open"
"""Who asks while there is no log-in."""
DONE = {
    "observed": "The measurements are saved.",
    "saved": "The note is saved as a draft.",
    "signed": "The note is signed.",
}
"""What a page says after an action that led to it, by the word in its address."""


@dataclass(frozen=True)
class Desk:
    """What a view is given."""

    clinic: Clinic
    frame: Frame
    visitor: Visitor

    @cached_property
    def repository(self) -> Repository:
        """The record as the visitor may see and change it."""
        return self.clinic.repository_of(self.visitor.caller)

    @property
    def who(self) -> str:
        """The visitor as the record names them, '' while there is no log-in."""
        who = self.visitor.caller.who
        return "" if who == OPEN else who

    @property
    def list_policy(self) -> Policy:
        """The form that joins a visit is answered with a redirect to the video process."""
        return Policy(connect="'self'", forms=f"'self' {self.clinic.origin}")

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
        }
        shared["notice"] = DONE.get(request.args.get("done", ""), "")
        return self.frame.show(self.visitor, template, status, shared | context, policy, logs_off=False)

    def go(self, path: str, **query: str) -> Response:
        return self.frame.go(self.visitor, path, **query)


def chart_policy(clinic: Clinic) -> Policy:
    """Of the chart, which stands beside the picture."""
    return Policy(connect="'self'", framed_by=clinic.origin)
