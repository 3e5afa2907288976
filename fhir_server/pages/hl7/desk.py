"""One request for a page of the console: the visitor, the form, and how the page is answered.

RFC 9110 section 15.4.4 (303 turns a post into a get).
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, request

from fhir_server.pages.hl7.console import Console
from fhir_server.pages.hl7.door import Door, Visitor
from fhir_server.pages.hl7.rendering import guard, render
from resources.errors import NotFound

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
"""What a page says after an action that led to it, by the word in its address."""


@dataclass(frozen=True)
class Desk:
    """What a view is given."""

    console: Console
    door: Door
    visitor: Visitor

    def page(self, template: str, status: int = 200, *, tab: str, heading: str, **context: Any) -> Response:
        """A page with its tabs; ``error`` and ``notice`` are shown above it."""
        shared = {"tabs": TABS, "tab": tab, "heading": heading, "now": self.console.now(), "error": ""}
        shared["notice"] = DONE.get(request.args.get("done", ""), "")
        return show(self.door, self.visitor, template, status, shared | context)

    def go(self, path: str, **query: str) -> Response:
        """To a page of the console, after an action."""
        asked = urlencode({name: value for name, value in query.items() if value})
        url = f"{self.door.root}{path}" + (f"?{asked}" if asked else "")
        return self.door.finish(guard(Response(status=303, headers={"Location": url})), self.visitor)


def show(door: Door, visitor: Visitor | None, template: str, status: int, context: dict[str, Any]) -> Response:
    """A page in the frame of all pages."""
    frame = {"csrf": visitor.csrf if visitor else "", "here": "hl7", "handle": "", "tab": ""}
    return door.finish(render(door.root, template, frame | door.frame(visitor) | context, status), visitor)


def problem(door: Door, visitor: Visitor | None, status: int, heading: str, text: str) -> Response:
    """The error page."""
    shown = {"heading": heading, "text": text, "code": "", "link": None, "error": text, "notice": ""}
    return show(door, visitor, "problem.html", status, shown)


def no_message() -> NotFound:
    return NotFound("There is no such message; old ones are deleted when they were applied.")
