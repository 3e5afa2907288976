"""Links for those without an account: kept as a hash, revocable, good until the visit is over.

Ours; the secret is 256 random bits, of which the database has a keyed hash (NIST SP 800-107) and nothing else.
"""

import secrets
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import Any, Protocol

import msgspec

from resources.errors import BusinessRule, NotFound
from video.ports import Role, Sealer

MOST = 20
"""Links of one visit that are good at a time."""
DAY = 86_400_000
_PURPOSE = "visit invitation {}"


class Session(Protocol):
    """Statements with $1.. placeholders on the session of the calling thread."""

    def query(self, sql: str, values: Any = ...) -> Any: ...

    def transaction(self) -> AbstractContextManager[Any]: ...


class Guest(msgspec.Struct, frozen=True):
    """For whom a link is: ``visit`` is Appointment/1 or Encounter/1; ``actor`` '' for who is nobody of the record."""

    visit: str
    role: Role
    name: str
    actor: str
    by: str


class Invitation(msgspec.Struct, frozen=True):
    """A row; times in ms since 1970 UTC, 0 for never."""

    id: str
    guest: Guest
    made: int
    expires: int
    revoked: int
    used: int

    def is_good(self, now: int) -> bool:
        return not self.revoked and now < self.expires


_COLUMNS = "id, body, made, expires, revoked, used"
_ADD = (
    "INSERT INTO video_invitation (id, visit, secret, body, made, expires, revoked, used) "
    "VALUES ($1, $2, $3, $4, $5, $6, 0, 0)"
)
_LIST = f"SELECT {_COLUMNS} FROM video_invitation WHERE visit = $1 ORDER BY made, id"
_FIND = f"SELECT {_COLUMNS} FROM video_invitation WHERE secret = $1"
_REVOKE = "UPDATE video_invitation SET revoked = $1 WHERE id = $2 AND visit = $3 AND revoked = 0"
_REVOKED = "SELECT visit, id FROM video_invitation WHERE revoked > 0 AND visit IN ({})"
_USE = "UPDATE video_invitation SET used = $1 WHERE id = $2"


class Invitations:
    """Table ``video_invitation``; any thread may call. ``now`` in ms since 1970 UTC."""

    def __init__(self, session: Callable[[], Session], key: bytes, sealer: Sealer, now: Callable[[], int]) -> None:
        self._session, self._key, self._sealer, self._now = session, key, sealer, now

    def add(self, guest: Guest, days: int) -> tuple[Invitation, str]:
        """The invitation and the secret of its link, told this once. Raises BusinessRule when there are too many."""
        if sum(one.is_good(self._now()) for one in self.of(guest.visit)) >= MOST:
            raise BusinessRule(f"A visit has at most {MOST} invitations at a time; revoke one first.")
        secret, id, now = secrets.token_urlsafe(32), secrets.token_hex(16), self._now()
        made = Invitation(id, guest, now, now + days * DAY, 0, 0)
        body = self._sealer.seal(_PURPOSE.format(id), msgspec.msgpack.encode(guest))
        with self._session().transaction():
            row = (id, self._hash("visit", guest.visit), self._secret(secret), body, made.made, made.expires)
            self._session().query(_ADD, row)
        return made, secret

    def of(self, visit: str) -> list[Invitation]:
        """All that ever were of Appointment/1 or Encounter/1, oldest first."""
        return [self._opened(row) for row in self._session().query(_LIST, (self._hash("visit", visit),))]

    def revoke(self, visit: str, id: str) -> None:
        """The link buys no more tickets. Raises NotFound when ``visit`` has no such invitation."""
        if not any(one.id == id for one in self.of(visit)):
            raise NotFound("This visit has no such invitation.")
        with self._session().transaction():
            self._session().query(_REVOKE, (self._now(), id, self._hash("visit", visit)))

    def revoked(self, visits: Collection[str]) -> list[tuple[str, str]]:
        """Those of ``visits`` (Appointment/1, Encounter/1) whose links were revoked, each with the invitation's id."""
        hashes = {self._hash("visit", visit): visit for visit in visits}
        if not hashes:
            return []
        rows = self._session().query(_REVOKED.format(_places(len(hashes))), tuple(hashes))
        return [(hashes[hash], id) for hash, id in rows]

    def find(self, secret: str) -> Invitation | None:
        """The invitation of a link that is good now."""
        for row in self._session().query(_FIND, (self._secret(secret),)):
            found = self._opened(row)
            return found if found.is_good(self._now()) else None
        return None

    def used(self, id: str) -> None:
        with self._session().transaction():
            self._session().query(_USE, (self._now(), id))

    def _opened(self, row: Any) -> Invitation:
        id, body, *times = row
        guest = msgspec.msgpack.decode(self._sealer.open(_PURPOSE.format(id), bytes(body)), type=Guest)
        return Invitation(id, guest, *(int(time) for time in times))

    def _secret(self, secret: str) -> bytes:
        return blake2b(secret[:200].encode("utf-8", "replace"), key=self._key, person=b"visit link").digest()

    def _hash(self, purpose: str, text: str) -> str:
        return blake2b(text.encode(), key=self._key, person=purpose.encode(), digest_size=16).hexdigest()


def _places(count: int) -> str:
    return ", ".join(f"${number}" for number in range(1, count + 1))
