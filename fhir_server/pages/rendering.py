"""Pages as bytes: templates within the frame and the look of the account pages, and the headers that guard them.

Content Security Policy Level 3, OWASP ASVS 5.0 V3.4, RFC 9111 (no page is ever cached; statics are, by their hash).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from flask import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

import smart_auth

_FRAME = Path(str(smart_auth.__file__)).resolve().parent / "pages"  # the package, not its parts, which load much
_SHARED = Path(__file__).resolve().parent

HEADERS = {
    "Cache-Control": "no-store",
    "Pragma": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Static(NamedTuple):
    """A file as it is served."""

    body: bytes
    type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What a page may do besides showing itself, as sources of Content Security Policy: whom its script asks, where its
    forms and the redirects that answer them lead, and the one origin that may frame it ('': none)."""

    connect: str = "'none'"
    forms: str = "'self'"
    framed_by: str = ""

    def headers(self) -> dict[str, str]:
        """X-Frame-Options has no word for one other origin; browsers that know frame-ancestors ignore it."""
        text = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {self.connect}; "
            f"base-uri 'none'; frame-ancestors {self.framed_by or NOBODY}; form-action {self.forms}"
        )
        return {"Content-Security-Policy": text} | ({} if self.framed_by else {"X-Frame-Options": "DENY"})


NOBODY = "'none'"
STRICT = Policy()
"""Of pages that need no more than to be shown."""


class Look:
    """The pages of one blueprint: its ``templates`` and ``static`` in ``folder``, served below ``/name``; behind
    them are those that several share."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder

    @cached_property
    def statics(self) -> Mapping[str, Static]:
        """Our files and those that are shared, by name."""
        paths = [path for folder in (_FRAME, _SHARED, self._folder) for path in sorted((folder / "static").iterdir())]
        return {path.name: _static(path) for path in paths if path.suffix in _TYPES}

    @cached_property
    def _environment(self) -> Environment:
        folders = [self._folder / "templates", _SHARED / "templates", _FRAME]
        environment = Environment(loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined)
        environment.trim_blocks = environment.lstrip_blocks = True
        environment.filters.update(moment=moment, span=span, clock=clock, grouped=grouped)
        return environment

    def render(
        self, root: str, template: str, context: Mapping[str, Any], status: int = 200, policy: Policy = STRICT
    ) -> Response:
        """A page; ``root`` as of Door."""

        def static(name: str) -> str:
            return f"{root}/{self.name}/static/{name}?v={self.statics[name].etag[:12]}"

        body = self._environment.get_template(template).render({"root": root, "static": static} | dict(context))
        response = Response(body, status, content_type="text/html; charset=utf-8")
        return guard(response, policy)


def _static(path: Path) -> Static:
    body = path.read_bytes()
    return Static(body, _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:32])


def guard(response: Response, policy: Policy = STRICT) -> Response:
    """Puts the headers on that keep a page out of caches, frames and other sites' hands."""
    if policy.framed_by:
        response.headers.pop("X-Frame-Options", None)
    response.headers.update(HEADERS | policy.headers())
    return response


def moment(ms: int) -> str:
    """Date and time to the second, UTC and saying so."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def clock(ms: int) -> str:
    """The same for lists whose head says UTC: 2026-11-22 18:40:12."""
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"


_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """A length of time in its two largest units: 3 h 20 min."""
    left = max(0, int(seconds))
    parts = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        parts.append(f"{count} {unit}" if count else "")
    first = next((n for n, part in enumerate(parts) if part), len(parts) - 1)
    return " ".join(filter(None, parts[first : first + 2])) or "0 s"


def grouped(number: int) -> str:
    """12345 as 12,345."""
    return f"{number:,}"
