"""Pages as bytes: templates, style and scripts of ``smart_auth/pages``, and the headers that guard them.

Content Security Policy Level 3, OWASP ASVS 5.0 V3.4, RFC 9111 (no page is ever cached; statics are, by their hash).
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).resolve().parent.parent / "pages"

HEADERS = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_SOURCE = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)


def policy(redirect_uri: str = "") -> str:
    """The Content-Security-Policy of a page. Chromium applies form-action to the redirect that answers a form too, so
    the pages of an authorization request also allow the origin of its validated redirect URI."""
    return f"{_POLICY} {_source(redirect_uri)}".rstrip()


def _source(uri: str) -> str:
    """The CSP source of a redirect URI: its origin, or its scheme where CSP has no word for the host (IPv6, apps)."""
    parts = urlsplit(uri)
    origin = f"{parts.scheme}://{parts.netloc}"
    if _SOURCE.fullmatch(origin):
        return origin
    return f"{parts.scheme}:" if parts.scheme else ""


class Static(NamedTuple):
    """A file of ``pages/static`` as it is served."""

    body: bytes
    type: str
    etag: str


def statics() -> dict[str, Static]:
    """All of them by name: small enough to keep in memory."""
    found = {}
    for path in sorted((FOLDER / "static").iterdir()):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            found[path.name] = Static(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:32])
    return found


@lru_cache
def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.filters.update(day=day, moment=moment)
    return environment


class Templates:
    """Renders a template. ``root`` is the path of the issuer ('' when it is at the top of its host)."""

    def __init__(self, root: str, files: Mapping[str, Static]) -> None:
        self._root, self._files = root, files
        self._shared = {"root": root, "static": self.url}

    def url(self, name: str) -> str:
        """The address of a static file; it changes with its content."""
        return f"{self._root}/auth/static/{name}?v={self._files[name].etag[:12]}"

    def render(self, template: str, context: Mapping[str, Any], status: int, redirect_uri: str) -> Response:
        body = _environment().get_template(template).render(self._shared | dict(context))
        response = Response(body, status, content_type="text/html; charset=utf-8")
        guard(response, redirect_uri)
        return response


def guard(response: Response, redirect_uri: str = "") -> Response:
    """Puts the headers on that keep a page out of caches, frames and other sites' hands."""
    response.headers.update(HEADERS)
    response.headers["Content-Security-Policy"] = policy(redirect_uri)
    return response


def day(seconds: int) -> str:
    """The date of ``seconds`` since 1970 UTC as people write it: 3 May 2026."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at.day} {at:%B %Y}"


def moment(seconds: int) -> str:
    """Date and time, UTC and saying so: the server does not know where the reader is."""
    return f"{day(seconds)}, {datetime.fromtimestamp(seconds, UTC):%H:%M} UTC"
