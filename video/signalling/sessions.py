"""Sessions of a room: what a reload resumes. A ticket buys one; the page never sees it.

RFC 6265bis (cookies): HttpOnly, SameSite=Strict, Path=/visit; 256 random bits, of which only the SHA-256 is kept.
"""

import hashlib
import secrets

from aiohttp import web

from video.errors import Refused
from video.signalling.clock import Clock
from video.signalling.ledger import Ledger, Place

COOKIE = "hearth_visit"
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
            COOKIE, token, max_age=IDLE, path="/visit", httponly=True, samesite="Strict", secure=self._secure
        )

    def find(self, request: web.Request) -> Place:
        """Raises Refused (401) without one. What is used lasts longer."""
        token = request.cookies.get(COOKIE, "")
        hash = _hash(token[:_LONGEST])
        place = self._ledger.session(hash) if token else None
        if place is None or place.expires <= self._clock.now():
            raise Refused("session", "Please open the visit from your link again.", 401)
        if self._expiry() - place.expires > _SLIDE:
            self._ledger.put_session(hash, place._replace(expires=self._expiry()))
        return place

    def _expiry(self) -> int:
        return self._clock.now() + IDLE * 1000


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
