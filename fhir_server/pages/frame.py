"""Pages as one visitor gets them: a look behind a door, the error page, and the way on after an action.

RFC 9110 section 15.4.4 (303 turns a post into a get).
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response

from fhir_server.pages.door import Door, Visitor
from fhir_server.pages.rendering import STRICT, Look, Policy, guard


@dataclass(frozen=True)
class Frame:
    """What all pages of one blueprint share. ``back`` is the (path, text) that its error pages lead to."""

    look: Look
    door: Door
    back: tuple[str, str]

    def show(
        self,
        visitor: Visitor | None,
        template: str,
        status: int,
        context: dict[str, Any],
        policy: Policy = STRICT,
        *,
        logs_off: bool = True,
    ) -> Response:
        """A page in the frame of all pages."""
        shared = {"csrf": visitor.csrf if visitor else "", "here": self.look.name, "handle": "", "tab": ""}
        page = self.look.render(self.door.root, template, shared | self.door.frame(visitor) | context, status, policy)
        return self.door.finish(page, visitor, logs_off=logs_off)

    def problem(self, visitor: Visitor | None, status: int, heading: str, text: str) -> Response:
        """The error page."""
        shown = {"heading": heading, "text": text, "code": "", "link": None, "error": text, "notice": ""}
        return self.show(visitor, "problem.html", status, shown | {"back": self.back})

    def go(self, visitor: Visitor | None, path: str, **query: str) -> Response:
        """To a page below the root, after an action."""
        asked = urlencode({name: value for name, value in query.items() if value})
        return self.leave(visitor, f"{self.door.root}{path}" + (f"?{asked}" if asked else ""))

    def leave(self, visitor: Visitor | None, url: str, policy: Policy = STRICT) -> Response:
        """To a URL that was made here."""
        return self.door.finish(guard(Response(status=303, headers={"Location": url}), policy), visitor)
