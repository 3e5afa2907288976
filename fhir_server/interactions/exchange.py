"""What an interaction is given: the request, the caller's repository and the few values of the service it needs.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from fhir_server.http.negotiation import Format, sent
from fhir_server.http.prefer import Prefer, parse_prefer
from fhir_server.http.request import Request
from fhir_server.http.response import Response
from resources import json_codec, xml_codec
from resources.errors import BadSyntax
from resources.repository import Repository

_DECODERS = {Format.JSON: json_codec.decode, Format.XML: xml_codec.decode}


@dataclass(frozen=True, slots=True)
class Service:
    """``base`` is the public base URL without a final slash; ``statement`` gives the CapabilityStatement's bytes."""

    base: str
    statement: Callable[[], bytes]
    body_max: int = 64 * 1024 * 1024
    page_count: int = 50
    page_count_max: int = 1000
    lenient: bool = False


class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One interaction under way. ``type``, ``id`` and ``rest`` come from the path: ``rest`` is the version id,
    the other type of a compartment search, or the operation's name."""

    request: Request
    repository: Repository
    service: Service
    dispatch: "Callable[[Exchange], Response]"
    type: str = ""
    id: str = ""
    rest: str = ""

    @property
    def prefer(self) -> Prefer:
        header = self.request.environ.get("HTTP_PREFER")
        return parse_prefer(header) if header else _NOTHING_PREFERRED

    @property
    def lenient(self) -> bool:
        handling = self.prefer.handling
        return handling == "lenient" if handling else self.service.lenient

    def body(self) -> bytes:
        return self.request.body(self.service.body_max)

    def resource(self) -> dict[str, Any]:
        """The resource in the body. Raises UnsupportedMediaType, TooLarge, BadSyntax."""
        sent(self.request.content_type)  # a wrong type is told before the body is read
        return self.parsed(self.body() or _refuse_empty())

    def parsed(self, body: bytes) -> dict[str, Any]:
        """The resource that ``body`` holds by the request's Content-Type. Raises UnsupportedMediaType, BadSyntax."""
        return _named(_DECODERS[sent(self.request.content_type)](body, self.service.body_max))


_NOTHING_PREFERRED = Prefer()


def _refuse_empty() -> bytes:
    raise BadSyntax("The body is empty; a resource is expected.")


def _named(resource: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(resource.get("resourceType"), str):
        raise BadSyntax("The resource lacks resourceType.", expression="resourceType")
    return resource
