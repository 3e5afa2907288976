"""What every answer carries, and the one shape of every refusal.

W3C Content Security Policy 3, Permissions Policy; RFC 6797 (HSTS); WHATWG Fetch (Origin).
"""

import logging
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from video.errors import Refused
from video.ports import Watch
from video.signalling.limits import TooOften
from video.signalling.tickets import BadTicket
from video.signalling.words import Word

log = logging.getLogger("hearth.video")

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "media-src 'self' blob:; worker-src 'self'; connect-src {connect}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_FIXED = {
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self), "
    "picture-in-picture=(self), speaker-selection=(self), screen-wake-lock=(self), autoplay=(self), geolocation=(), "
    "payment=(), usb=(), midi=(), serial=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_HSTS = "max-age=31536000"


def secured(connect: Sequence[str], *, tls: bool) -> Middleware:
    """Headers on every answer that has not its own; ``connect``: other origins that the pages may call."""

    @web.middleware
    async def headers(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await handler(request)
        if not answer.prepared:
            for name, value in _headers(request, connect, tls).items():
                answer.headers.setdefault(name, value)
        return answer

    return headers


def _headers(request: web.Request, connect: Sequence[str], tls: bool) -> dict[str, str]:
    # 'self' does not cover WebSockets in every browser.
    own = f"{'wss' if tls else 'ws'}://{request.host}" if _HOST.fullmatch(request.host) else ""
    allowed = " ".join(word for word in ("'self'", own, *connect) if word)
    policy = {"Content-Security-Policy": _POLICY.format(connect=allowed)}
    return _FIXED | policy | ({"Strict-Transport-Security": _HSTS} if tls else {})


def refusals(watch: Watch) -> Middleware:
    """Every refusal as {"refused": code, "text": ...}; what nobody foresaw as 500 without a word about it."""

    @web.middleware
    async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            _watched(watch, refused)
            return refusal(refused)
        except web.HTTPRequestEntityTooLarge:
            watch.refused(Word.TOO_LARGE, "", "")
            return refusal(Refused("too-large", "That is too large.", 413))
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return refusal(Refused("http", error.reason, error.status), error.headers.get("Allow", ""))
        except Exception as error:  # noqa: BLE001 (a traceback may hold what a patient said)
            log.error("request failed", extra={"path": request.path, "error": type(error).__name__})
            return refusal(Refused("broken", "Something went wrong on our side.", 500))

    return errors


_WORDS = {"session": Word.SESSION_UNKNOWN, "origin": Word.ORIGIN, "too-often": Word.TOO_OFTEN, "media": Word.MEDIA}


def _watched(watch: Watch, refused: Refused) -> None:
    if isinstance(refused, BadTicket):
        watch.refused(refused.word, refused.room, refused.member)
    elif refused.code in _WORDS:
        watch.refused(_WORDS[refused.code], "", "")


def refusal(refused: Refused, allow: str = "") -> web.Response:
    answer = web.json_response({"refused": refused.code, "text": refused.text}, status=refused.status)
    if isinstance(refused, TooOften):
        answer.headers["Retry-After"] = str(refused.retry)
    elif refused.status == 503:
        answer.headers["Retry-After"] = "60"
    if allow:
        answer.headers["Allow"] = allow
    return answer


_SAFE = frozenset({"GET", "HEAD"})


def same_origin(origins: Sequence[str]) -> Middleware:
    """Nothing is changed, and no WebSocket opened, for a page of another origin. There is no CORS.

    ``origins``: under which the pages are served; empty: whatever host the request was sent to.
    """

    @web.middleware
    async def origin(request: web.Request, handler: Handler) -> web.StreamResponse:
        upgrade = "upgrade" in request.headers.get("Connection", "").lower() or "Upgrade" in request.headers
        if (request.method not in _SAFE or upgrade) and not _is_ours(request, origins):
            raise Refused("origin", "This page does not belong to this server.", 403)
        return await handler(request)

    return origin


def _is_ours(request: web.Request, origins: Sequence[str]) -> bool:
    given = request.headers.get("Origin", "")
    if origins:
        return given in origins
    parts = urlsplit(given)
    return parts.scheme in ("http", "https") and parts.netloc.lower() == request.host.lower()
