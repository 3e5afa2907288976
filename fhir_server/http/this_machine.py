"""Who may ask a server without authentication: what runs on this machine, and no page of somebody else's site.

RFC 9110 section 7.2 (Host), RFC 6454 (Origin). A browser lets every page that it shows send requests to loopback
addresses. Such a page is known by its Origin or, when its name was made to point here (DNS rebinding), by the Host.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from fhir_server.http.request import Request, client_address
from fhir_server.settings.loopback import is_loopback
from resources.errors import Forbidden
from resources.repository import WHOLE_RECORD, Caller

_REMEMBERED = 100


def open_caller(request: Request) -> Caller:
    """The caller while there is no authentication."""
    return Caller("open", address=client_address(request.environ), request_id=request.id, grants=WHOLE_RECORD)


class ThisMachine:
    """As ``open_caller``, for requests that this machine makes by itself. ``base_url`` is the server's public address,
    ``origins`` are those whose pages may ask all the same; ``*`` names none of them here."""

    def __init__(self, base_url: str, origins: Collection[str]) -> None:
        self._name, self._origins = _host(base_url), frozenset(origins) - {"*"}
        self._known: set[tuple[str, str]] = set()

    def __call__(self, request: Request) -> Caller:
        """Raises Forbidden."""
        asked = request.header("HOST"), request.header("ORIGIN")
        if asked not in self._known:
            self.check(*asked)
            self._known = {asked} | (self._known if len(self._known) < _REMEMBERED else set())
        return open_caller(request)

    def check(self, host: str, origin: str = "") -> None:
        """Raises Forbidden."""
        if host and not self._is_ours(f"//{host}"):
            raise Forbidden("This server is open to its own machine, under loopback addresses or PUBLIC_URL alone.")
        if origin and origin not in self._origins and not self._is_ours(origin):
            raise Forbidden("This server is open to pages of its own machine alone; CORS_ORIGINS can name others.")

    def _is_ours(self, url: str) -> bool:
        name = _host(url)
        return bool(name) and (name == self._name or is_loopback(name))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
