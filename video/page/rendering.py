"""The visit page as bytes: template, texts, statics under one digest, and the headers that guard them.

Content Security Policy Level 3, Permissions Policy, RFC 9111 and RFC 8246 (statics never change under their digest).
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_FOLDER = Path(__file__).resolve().parent
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FOR_EVER = "public, max-age=31536000, immutable"
_PERMISSIONS = (
    "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), screen-wake-lock=(self), "
    "geolocation=(), payment=(), usb=(), midi=(), serial=()"
)
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")


class Static(NamedTuple):
    """A file as it is served."""

    body: bytes
    type: str


def headers(host: str, frames: Sequence[str] = ()) -> dict[str, str]:
    """Of the page at ``host``; ``frames`` are the origins whose chart may stand beside the picture, besides our own."""
    # 'self' does not cover WebSockets in every browser.
    sockets = (f"ws://{host}", f"wss://{host}") if _HOST.fullmatch(host) else ()
    return GUARDS | {
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": _PERMISSIONS,
        "Content-Security-Policy": "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self'",
                " ".join(("connect-src", "'self'", *sockets)),
                " ".join(("frame-src", "'self'", *frames)),
                "worker-src 'self'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
                "trusted-types hearth-worker",
            )
        ),
    }


@cache
def statics() -> Mapping[str, Static]:
    """Style, modules and icon by name."""
    paths = sorted((_FOLDER / "static").iterdir())
    return {path.name: Static(path.read_bytes(), _TYPES[path.suffix]) for path in paths if path.suffix in _TYPES}


@cache
def digest() -> str:
    """Of all statics together: modules import each other by relative paths, so they change their address together."""
    whole = hashlib.sha256()
    for name, static in statics().items():
        whole.update(f"{name} {len(static.body)} ".encode() + static.body)
    return whole.hexdigest()[:16]


@cache
def texts() -> Mapping[str, str]:
    """What the page says, out of messages.js: a module whose only value is written as JSON, so both sides read it."""
    source = statics()["messages.js"].body.decode()
    found: dict[str, str] = json.loads(source.partition("export default")[2].strip().removesuffix(";"))
    return found


@cache
def page() -> bytes:
    """The page of everybody: it names nobody, who it is for is learnt from the session."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True, undefined=StrictUndefined
    )
    environment.trim_blocks = environment.lstrip_blocks = True
    modules = [name for name in statics() if name.endswith(".js")]
    context = {"static": lambda name: f"visit/static/{digest()}/{name}", "text": texts(), "modules": modules}
    return environment.get_template("visit.html").render(context).encode()
