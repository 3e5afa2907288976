"""Sessions of a room: what a reload resumes. A ticket buys one; the page never sees it.

RFC 6265bis (cookies): HttpOnly, SameSite=Strict, Path=/visit; 256 random bits, of which only the SHA-256 is kept.
"""

import hashlib
import secrets

from aiohttp import web

from video.errors import Refused
from video.signalling.clock import Clock
from video.signalling.ledger import Ledger, Place

COOKIE = "hearth_visit_"
"""And a tag of the room: a clinician may be in two visits, and the page of one must never become that of the other."""
IDLE = 4 * 3600
"""Seconds for which a session lasts without being used; a visit that goes on uses it."""
_SLIDE = 5 * 60_000
_LONGEST = 64


class Sessions:
    """``secure``: the cookie goes over TLS only."""

    def __init__(self, ledger: Ledger, clock: Clock, *, secure: bool) -> None:
        self._ledger, self._clock, self._secure = ledger, clock, secure

    def begin(self, answer: web.StreamResponse, room: str, member: str) -> None:
        """Another session each time, so that nobody can have laid one out for the page."""
        token = secrets.token_urlsafe(32)
        self._ledger.put_session(_hash(token), Place(room, member, self._expiry()))
        answer.set_cookie(
            cookie_of(room), token, max_age=IDLE, path="/visit", httponly=True, samesite="Strict", secure=self._secure
        )

    def end(self, answer: web.StreamResponse, room: str) -> None:
        """The browser forgets it."""
        answer.del_cookie(cookie_of(room), path="/visit", httponly=True, samesite="Strict", secure=self._secure)

    def find(self, request: web.Request) -> Place:
        """Of the room that ``?room=`` names, without it of the only one. Raises Refused (401) when there is none, and
        (409) when nobody can say which. What is used lasts longer."""
        token = _token(request)
        hash = _hash(token[:_LONGEST])
        place = self._ledger.session(hash) if token else None
        if place is None or place.expires <= self._clock.now():
            raise Refused("session", "Please open the visit from your link again.", 401)
        if self._expiry() - place.expires > _SLIDE:
            self._ledger.put_session(hash, place._replace(expires=self._expiry()))
        return place

    def _expiry(self) -> int:
        return self._clock.now() + IDLE * 1000


def cookie_of(room: str) -> str:
    return COOKIE + hashlib.sha256(room.encode()).hexdigest()[:16]


def _token(request: web.Request) -> str:
    if "room" in request.query:
        return request.cookies.get(cookie_of(request.query["room"]), "")
    tokens = [token for name, token in request.cookies.items() if name.startswith(COOKIE)]
    if len(tokens) > 1:
        raise Refused("which", "You are in several visits. Please open this one from its link again.", 409)
    return tokens[0] if tokens else ""


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
