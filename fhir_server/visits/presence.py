"""Who is in front of which visit's door just now: asked of the video process, which alone knows, and told sealed.

Ours; docs/video.md. The two processes share the keyring: a question that it did not seal is not answered, and the
answer opens with its keys alone, so that no name travels in clear whatever lies between them.
"""

import binascii
import secrets
import ssl
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

import msgspec

from video.errors import Refused
from video.ports import Role, Sealer
from video.room.model import Room, Standing

PATH = "/visit/presence"
_QUESTION, _ANSWER = "visit presence question", "visit presence answer"
_LIFE = 60_000
"""ms for which a question is answered, either way: the two may be on machines whose clocks differ."""
_PATIENCE = 2.0
_SHOWN = (Standing.CHECKING, Standing.WAITING, Standing.ADMITTED)
_LONGEST = 4 * 1024 * 1024


class Sitting(msgspec.Struct, frozen=True):
    """One who is in a visit or before its door. ``actor`` is their reference, '' for a guest; ``since`` of the standing
    in ms since 1970 UTC; ``here`` while their page is connected."""

    encounter: str
    role: Role
    name: str
    actor: str
    standing: Standing
    since: int
    here: bool


class Question(msgspec.Struct, frozen=True):
    id: str
    at: int


class Answer(msgspec.Struct, frozen=True):
    """``id`` is that of the question: an old answer is none."""

    id: str
    sitting: list[Sitting]


def sitting(rooms: Iterable[Room]) -> list[Sitting]:
    """Everybody who has a seat in one of ``rooms``."""
    return [
        Sitting(room.encounter, one.role, one.name, one.actor, one.standing, one.since, one.present)
        for room in rooms
        for one in room.members.values()
        if one.standing in _SHOWN
    ]


def answered(sealer: Sealer, question: str, rooms: Iterable[Room], now: int) -> bytes:
    """The sealed answer to a sealed question. Raises Refused."""
    try:
        raw = urlsafe_b64decode(question.encode())
        asked = msgspec.msgpack.decode(sealer.open(_QUESTION, raw), type=Question)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise Refused("sealed", "This was not sealed here.", 403) from None
    if abs(now - asked.at) > _LIFE:
        raise Refused("sealed", "This is too old.", 403)
    return sealer.seal(_ANSWER, msgspec.msgpack.encode(Answer(asked.id, sitting(rooms))))


class Presence:
    """Asks the video process at ``url``; ``now`` in ms since 1970 UTC."""

    def __init__(self, url: str, sealer: Sealer, now: Callable[[], int]) -> None:
        self._url, self._sealer, self._now = urlsplit(url), sealer, now

    def __call__(self) -> list[Sitting] | None:
        """Everybody who is in or before a visit; None when the video process cannot be asked."""
        question = Question(secrets.token_urlsafe(12), self._now())
        sealed = urlsafe_b64encode(self._sealer.seal(_QUESTION, msgspec.msgpack.encode(question))).decode()
        try:
            body = self._get(sealed)
            answer = msgspec.msgpack.decode(self._sealer.open(_ANSWER, body), type=Answer)
        except (OSError, HTTPException, Refused, msgspec.MsgspecError):
            return None
        return answer.sitting if answer.id == question.id else None

    def _get(self, question: str) -> bytes:
        connection = self._connection()
        try:
            headers = {"Authorization": f"Bearer {question}"}
            connection.request("GET", f"{self._url.path.rstrip('/')}{PATH}", headers=headers)
            answer = connection.getresponse()
            return answer.read(_LONGEST) if answer.status == 200 else b""
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme != "https":
            return HTTPConnection(host, port, timeout=_PATIENCE)
        context = ssl.create_default_context()
        # What goes over the wire is sealed by itself; the certificate names the public host, we may ask the local one.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return HTTPSConnection(host, port, timeout=_PATIENCE, context=context)
