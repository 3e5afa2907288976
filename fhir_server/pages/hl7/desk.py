"""One request for a page of the console: the visitor, the form, and how the page is answered.

RFC 9110 section 15.4.4 (303 turns a post into a get).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Response

from fhir_server.pages.desk import notice
from fhir_server.pages.door import Visitor
from fhir_server.pages.frame import Frame
from fhir_server.pages.hl7.console import Console
from fhir_server.pages.rendering import Look
from resources.errors import NotFound

LOOK = Look("hl7", Path(__file__).resolve().parent)
TABS = (
    ("/hl7/", "Overview", "overview"),
    ("/hl7/messages", "Messages", "messages"),
    ("/hl7/codes", "Unmapped codes", "codes"),
    ("/hl7/receivers", "Receivers", "receivers"),
)
DONE = {
    "replayed": "The message is read again.",
    "resent": "The message waits to be sent again.",
    "aside": "The message is set aside: it will not be applied unless somebody replays it.",
    "waits": "Nothing was done: the message still waits, or its sender is not in the site kit.",
}


@dataclass(frozen=True)
class Desk:
    """What a view is given."""

    console: Console
    frame: Frame
    visitor: Visitor

    def page(self, template: str, status: int = 200, *, tab: str, heading: str, **context: Any) -> Response:
        """A page with its tabs; ``error`` and ``notice`` are shown above it."""
        shared = {"tabs": TABS, "tab": tab, "heading": heading, "now": self.console.now(), "error": ""}
        shared["notice"] = notice(DONE)
        return self.frame.show(self.visitor, template, status, shared | context)

    def go(self, path: str, **query: str) -> Response:
        """To a page of the console, after an action."""
        return self.frame.go(self.visitor, path, **query)


def no_message() -> NotFound:
    return NotFound("There is no such message; old ones are deleted when they were applied.")
