"""The queue of letters: planned with the place reached in the record's changes, leased to one sender at a time.

docs/adr/outbox.md. A letter is sent at least once; its id is the same each time, so that who gets it can tell.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import msgspec

from fhir_server.outbox.planning import Plan, Planned, Template
from resources.repository import Mark

LEASE = 300_000
"""ms for which a sender has a letter to itself: longer than any attempt, each part of which has a limit of its own."""
_PURPOSE, _LINK = "outbox {}", "outbox link {}"

SENT = "outbox-sent"
ENDED = "outbox-ended"
MARKS: dict[str, str] = {
    SENT: """UPDATE outbox_letter SET state = 'sent', ended = CAST(:now AS bigint), lease = 0, body = :empty
WHERE id = :id AND state <> 'sent' RETURNING 1""",
    ENDED: """UPDATE outbox_letter SET state = :state, reason = :reason, ended = CAST(:now AS bigint), lease = 0,
    body = :empty WHERE id = :id AND holder = :holder AND state = 'queued' RETURNING 1""",
}

_OF = "SELECT template, start, since, state, attempts, lease FROM outbox_letter WHERE about = $1"
_ADD = """INSERT INTO outbox_letter (id, key, about, template, state, holder, reason, since, lead, start, due, attempts,
    lease, made, ended, body)
VALUES ($1, $2, $3, $4, $5, '', '', $6, $7, $8, $9, 0, 0, $10, $11, $12) ON CONFLICT (key) DO NOTHING"""
_CALL_BACK = """UPDATE outbox_letter SET state = 'cancelled', reason = 'changed', ended = $1, body = $2
WHERE about = $3 AND state = 'queued' AND lease <= $4"""
_DUE = "SELECT 1 FROM outbox_letter WHERE state = 'queued' AND due <= $1 AND lease <= $2 LIMIT 1"
_TAKE = """UPDATE outbox_letter SET lease = $1, holder = $2, attempts = attempts + 1
WHERE state = 'queued' AND lease <= $3 AND id = (
    SELECT id FROM outbox_letter WHERE state = 'queued' AND due <= $4 AND lease <= $5 ORDER BY due, id LIMIT 1)
RETURNING id, template, start, attempts, body"""
_LATER = """UPDATE outbox_letter SET due = $1, lease = 0, reason = $2
WHERE id = $3 AND holder = $4 AND state = 'queued'"""
_POSITION = "SELECT position FROM outbox_follower WHERE name = $1"
_BEGIN = "INSERT INTO outbox_follower (name, position) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
_MOVE = "UPDATE outbox_follower SET position = $1 WHERE name = $2 AND position = $3 RETURNING 1"
_LINK_OF = "SELECT body FROM outbox_link WHERE about = $1"
_KEEP_LINK = """INSERT INTO outbox_link (about, made, body) VALUES ($1, $2, $3)
ON CONFLICT (about) DO UPDATE SET made = excluded.made, body = excluded.body"""
_COUNTS = """SELECT state, count(*), coalesce(min(due), 0) FROM outbox_letter WHERE state IN ('queued', 'failed')
GROUP BY state"""
_FAILED = """SELECT id, template, start, reason, ended, attempts FROM outbox_letter WHERE state = 'failed'
ORDER BY ended DESC LIMIT $1"""
_PURGE = ("DELETE FROM outbox_letter WHERE start < $1", "DELETE FROM outbox_link WHERE made < $1")

_FOLLOWER = "appointments"


class Sealer(Protocol):
    def seal(self, purpose: str, secret: bytes) -> bytes: ...

    def open(self, purpose: str, sealed: bytes) -> bytes: ...


class Session(Protocol):
    """Statements with $1.. placeholders on the session of the calling thread."""

    def query(self, sql: str, params: Any = ...) -> Any: ...

    def transaction(self) -> AbstractContextManager[Any]: ...

    def mark(self, marks: Any) -> None: ...


class About(msgspec.Struct, frozen=True):
    """Of what a letter is: references."""

    appointment: str
    patient: str


class Taken(NamedTuple):
    """A letter that this sender has to itself; ``attempts`` counts this one."""

    id: str
    template: Template
    start: int
    attempts: int
    about: About


class Failure(NamedTuple):
    """A letter that did not leave; times in ms since 1970 UTC."""

    id: str
    template: str
    start: int
    reason: str
    ended: int
    attempts: int


class Queue:
    """The tables of the outbox; any thread may call. ``key`` hashes what letters are about; ``now`` in ms since 1970
    UTC."""

    def __init__(self, session: Callable[[], Session], key: bytes, sealer: Sealer, now: Callable[[], int]) -> None:
        self._session, self._key, self._sealer, self.now = session, key, sealer, now
        self._holder = secrets.token_hex(8)

    # --- planning

    def position(self) -> int | None:
        """The place in the changes that is planned; None before the first time."""
        rows = self._session().query(_POSITION, (_FOLLOWER,))
        return int(rows[0][0]) if rows else None

    def begin(self, position: int) -> None:
        """Plan from ``position`` on, unless another process has begun."""
        with self._session().transaction():
            self._session().query(_BEGIN, (_FOLLOWER, position))

    def before(self, appointment: str) -> list[Planned]:
        """What was planned for Appointment/1."""
        rows = self._session().query(_OF, (self._hash(appointment),))
        return [_planned(row, self.now()) for row in rows]

    def add(self, plans: Sequence[tuple[About, int, Plan]], before: int | None = None, after: int = 0) -> bool:
        """All of ``plans`` (of what, its version, what is wanted), and the place ``after``; nothing and False when
        another process has moved on from ``before`` meanwhile (None: the place stays)."""
        session = self._session()
        with session.transaction():
            if before is not None and not session.query(_MOVE, (after, _FOLLOWER, before)):
                return False
            for about, since, plan in plans:
                self._add(session, about, since, plan)
        return True

    def _add(self, session: Session, about: About, since: int, plan: Plan) -> None:
        hash, now = self._hash(about.appointment), self.now()
        if plan.call_back:
            session.query(_CALL_BACK, (now, b"", hash, now))
        for one in plan.letters:
            id, known = secrets.token_hex(16), one.template is Template.KNOWN
            body = b"" if known else self._sealer.seal(_PURPOSE.format(id), msgspec.msgpack.encode(about))
            key = self._hash(f"{about.appointment} {since} {one.template} {one.lead}")
            state, ended = ("sent", now) if known else ("queued", 0)
            row = (id, key, hash, one.template.value, state, since, one.lead, one.start, one.due, now, ended, body)
            session.query(_ADD, row)

    # --- sending

    def take(self) -> Taken | None:
        """The letter that has been due for longest, for LEASE ms; None when there is none."""
        now = self.now()
        if not self._session().query(_DUE, (now, now)):  # who only looks keeps no writer waiting
            return None
        with self._session().transaction():
            rows = self._session().query(_TAKE, (now + LEASE, self._holder, now, now, now))
        if not rows:
            return None
        id, template, start, attempts, body = rows[0]
        about = msgspec.msgpack.decode(self._sealer.open(_PURPOSE.format(id), bytes(body)), type=About)
        return Taken(id, Template(template), int(start), int(attempts), about)

    def sent(self, taken: Taken) -> Mark:
        """By which the commit that records the letter ends it. Who was late, and whose letter another sender sent too,
        finds it sent: then the whole commit fails with Conflict."""
        return Mark(SENT, {"now": self.now(), "empty": b"", "id": taken.id}, rows=1)

    def ended(self, taken: Taken, state: str, reason: str) -> Mark:
        """As ``sent``, for a letter that does not leave: ``state`` is failed or cancelled."""
        values = {"now": self.now(), "empty": b"", "id": taken.id, "holder": self._holder}
        return Mark(ENDED, values | {"state": state, "reason": reason}, rows=1)

    def settle(self, mark: Mark) -> None:
        """Do ``mark`` by itself, where the record has nothing to say."""
        with self._session().transaction():
            self._session().mark([mark])

    def later(self, taken: Taken, due: int, reason: str) -> None:
        """Try again at ``due``."""
        with self._session().transaction():
            self._session().query(_LATER, (due, reason, taken.id, self._holder))

    # --- links

    def link(self, taken: Taken) -> str:
        """That which letters of this visit to this patient carry, '' when there is none yet."""
        hash = self._visit(taken)
        rows = self._session().query(_LINK_OF, (hash,))
        return self._sealer.open(_LINK.format(hash), bytes(rows[0][0])).decode() if rows else ""

    def keep_link(self, taken: Taken, link: str) -> None:
        hash = self._visit(taken)
        body = self._sealer.seal(_LINK.format(hash), link.encode())
        with self._session().transaction():
            self._session().query(_KEEP_LINK, (hash, self.now(), body))

    def _visit(self, taken: Taken) -> str:
        """Of the Appointment and of the patient: a link is somebody's, and an Appointment may become another's."""
        return self._hash(f"{taken.about.appointment} {taken.about.patient}")

    # --- for operators

    def counts(self) -> dict[str, tuple[int, int]]:
        """By state (queued, failed): how many, and when the first of them was due."""
        return {state: (int(count), int(due)) for state, count, due in self._session().query(_COUNTS)}

    def failed(self, most: int) -> list[Failure]:
        """The last ones."""
        return [Failure(*row) for row in self._session().query(_FAILED, (most,))]

    def purge(self, before: int) -> None:
        """Forget what is of visits, and links made, before ``before``: also letters that could not be ended since their
        key is gone, and which would be taken up for ever."""
        for sql in _PURGE:
            with self._session().transaction():
                self._session().query(sql, (before,))

    def _hash(self, text: str) -> str:
        return blake2b(text.encode(), key=self._key[:64], person=b"outbox", digest_size=16).hexdigest()


def _planned(row: Any, now: int) -> Planned:
    template, start, since, state, attempts, lease = row
    waits = state == "queued"
    reached = state == "sent" or (waits and attempts > 0)
    return Planned(Template(template), int(start), int(since), waits and lease <= now, reached)
