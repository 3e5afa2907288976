"""Cross-origin requests: preflight answers and the headers of actual answers.

WHATWG Fetch, HTTP CORS protocol; FHIR R4 recommends CORS for browser apps (https://hl7.org/fhir/R4/security.html#cors).
"""

from collections.abc import Collection
from typing import Any

from fhir_server.http.response import Headers, Response

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_ALLOWED = (
    "Accept, Authorization, Content-Encoding, Content-Type, If-Match, If-Modified-Since, If-None-Exist, "
    "If-None-Match, Origin, Prefer, X-Request-Id, X-Requested-With, X-Security-Context"
)
_EXPOSED = (
    "Content-Location, Content-Type, ETag, Last-Modified, Location, WWW-Authenticate, X-Request-Id, X-Security-Context"
)
_ONE_DAY = "86400"


class Cors:
    """Adds CORS headers for ``origins`` (``*`` for any). Credentials are tokens in headers, never cookies, so a
    wildcard gives nothing away."""

    def __init__(self, origins: Collection[str]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origins)

    def headers(self, origin: str) -> Headers:
        """The headers of an actual answer to ``origin``."""
        if self._any:
            return [("Access-Control-Allow-Origin", "*"), ("Access-Control-Expose-Headers", _EXPOSED)]
        if origin in self._origins:
            return [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Expose-Headers", _EXPOSED),
                ("Vary", "Origin"),
            ]
        return [("Vary", "Origin")]

    def preflight(self, environ: dict[str, Any]) -> Response | None:
        """The answer to a preflight request, None for any other."""
        if environ["REQUEST_METHOD"] != "OPTIONS" or "HTTP_ACCESS_CONTROL_REQUEST_METHOD" not in environ:
            return None
        permitted = [
            ("Access-Control-Allow-Methods", _METHODS),
            ("Access-Control-Allow-Headers", _ALLOWED),
            ("Access-Control-Max-Age", _ONE_DAY),
        ]
        return Response(204, headers=permitted, content_type="")
