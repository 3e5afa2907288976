"""One request for a page: what the pages work on, the visitor, and the way on after an action.

RFC 9110 section 15.4.4 (303 turns a post into a get).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Protocol, TypeVar

from flask import Response, request

from fhir_server.pages.door import Visitor
from fhir_server.pages.frame import Frame
from resources.repository import Caller, Repository


class Premises(Protocol):
    """What the pages of one blueprint work on."""

    @property
    def repository_of(self) -> Callable[[Caller], Repository]: ...


P = TypeVar("P", bound=Premises)


@dataclass(frozen=True)
class Desk(Generic[P]):
    """What a view is given; each blueprint says how its pages are shown."""

    clinic: P
    frame: Frame
    visitor: Visitor

    @cached_property
    def repository(self) -> Repository:
        """The record as the visitor may see and change it."""
        return self.clinic.repository_of(self.visitor.caller)

    def go(self, path: str, **query: str) -> Response:
        return self.frame.go(self.visitor, path, **query)


def notice(done: dict[str, str]) -> str:
    """What a page says after an action that led to it, by the word in its address."""
    return done.get(request.args.get("done", ""), "")
