"""What outlives a kill of the process: used tickets, sessions, rooms, facts that the spool has not got yet.

Ours; a local SQLite file. Bodies are sealed: a room holds names, a fact holds what was said.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from video.ports import Fact, Sealer
from video.room.model import Phase, Room

_SCHEMA = """
CREATE TABLE IF NOT EXISTS used (id TEXT PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
  hash BLOB PRIMARY KEY, room TEXT NOT NULL, member TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS room (id TEXT PRIMARY KEY, body BLOB NOT NULL, ended INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owed (
  place INTEGER PRIMARY KEY AUTOINCREMENT, room TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL,
  UNIQUE (room, number));
"""
# NORMAL: a commit survives a kill of the process without waiting for the disk, which the media of everybody would wait
# for too; the spool makes facts durable, in a thread of its own. Checkpoints wait for the disk, so a thread does them.
_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "wal_autocheckpoint = 0",
    "secure_delete = ON",
    "busy_timeout = 5000",
)


class Place(NamedTuple):
    """Whose session it is; ``expires`` in ms since 1970 UTC."""

    room: str
    member: str
    expires: int


class Ledger:
    """``path`` ':memory:' for one that outlives nothing. Used by the thread of the event loop only."""

    def __init__(self, path: Path | str, sealer: Sealer) -> None:
        self._path, self._sealer = path, sealer
        if isinstance(path, Path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        for pragma in _PRAGMAS:
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def checkpoint(self) -> None:
        """Moves what was written into the file proper; for a thread, because it waits for the disk."""
        if str(self._path) == ":memory:":
            return
        beside = sqlite3.connect(self._path)
        try:
            beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            beside.close()

    def use(self, id: str, expires: int) -> bool:
        """False when the ticket ``id`` was used before; remembered until ``expires`` (s since 1970 UTC)."""
        return self._db.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", (id, expires)).rowcount == 1

    def put_session(self, hash: bytes, place: Place) -> None:
        self._db.execute("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)", (hash, *place))

    def session(self, hash: bytes) -> Place | None:
        row = self._db.execute("SELECT room, member, expires FROM session WHERE hash = ?", (hash,)).fetchone()
        return Place(*row) if row else None

    def save(self, room: Room, facts: Sequence[Fact]) -> None:
        """The room as it is now together with the facts that led there: both or neither."""
        ended = room.phase_since if room.phase is Phase.ENDED else None
        sealed = self._sealer.seal(f"visit room {room.id}", msgspec.msgpack.encode(room))
        rows = [(fact.room, fact.number, self._sealed(fact)) for fact in facts]
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR REPLACE INTO room VALUES (?, ?, ?)", (room.id, sealed, ended))
            self._db.executemany("INSERT OR IGNORE INTO owed (room, number, body) VALUES (?, ?, ?)", rows)

    def room(self, id: str) -> Room | None:
        row = self._db.execute("SELECT body FROM room WHERE id = ?", (id,)).fetchone()
        return self._opened(id, row[0]) if row else None

    def rooms(self) -> Iterable[Room]:
        """All, also those that are over."""
        for id, body in self._db.execute("SELECT id, body FROM room").fetchall():
            yield self._opened(id, body)

    def owed(self, count: int) -> list[Fact]:
        """The oldest facts that the spool has not got, in the order in which they happened."""
        rows = self._db.execute("SELECT body FROM owed ORDER BY place LIMIT ?", (count,)).fetchall()
        return [msgspec.msgpack.decode(self._sealer.open("visit fact", body), type=Fact) for (body,) in rows]

    def paid(self, facts: Iterable[Fact]) -> None:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            rows = [(fact.room, fact.number) for fact in facts]
            self._db.executemany("DELETE FROM owed WHERE room = ? AND number = ?", rows)

    def sweep(self, now: int, keep: int) -> None:
        """Forgets what has expired at ``now`` and rooms that ended more than ``keep`` ago (ms)."""
        self._db.execute("DELETE FROM used WHERE expires < ?", (now // 1000 - 60,))
        self._db.execute("DELETE FROM session WHERE expires < ?", (now,))
        self._db.execute("DELETE FROM room WHERE ended < ?", (now - keep,))

    def _sealed(self, fact: Fact) -> bytes:
        return self._sealer.seal("visit fact", msgspec.msgpack.encode(fact))

    def _opened(self, id: str, body: bytes) -> Room:
        return msgspec.msgpack.decode(self._sealer.open(f"visit room {id}", body), type=Room)
