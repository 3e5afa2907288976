"""Facts on their way to the record, in a local SQLite file: durable when ``put`` returns, each taken once.

SQLite (https://www.sqlite.org/pragma.html#pragma_synchronous): FULL, so that a fact outlives a power failure. The
process that carries media puts, the one that writes the record takes; the file is all they share.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from video.ports import Fact, Sealer

WAITING, DELIVERED, SET_ASIDE = 0, 1, 2
RETENTION = 7 * 86_400_000
"""ms that the number of a delivered fact is remembered; its body goes with the delivery."""
_BUSY_SECONDS = 15
_SETUP = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS fact (
    room TEXT NOT NULL, number INTEGER NOT NULL, state INTEGER NOT NULL, tries INTEGER NOT NULL, due INTEGER NOT NULL,
    settled INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (room, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fact_open ON fact (state, room, number) WHERE state <> 1;
CREATE INDEX IF NOT EXISTS fact_settled ON fact (settled) WHERE state = 1;
"""
_PUT = "INSERT INTO fact VALUES (?, ?, 0, 0, 0, 0, '', ?) ON CONFLICT DO NOTHING"
_ROOMS = "SELECT DISTINCT room FROM fact WHERE state = 0 AND due <= ? ORDER BY room"
_NEXT = "SELECT number, tries, body FROM fact WHERE room = ? AND state = 0 ORDER BY number LIMIT ?"
_SETTLE = "UPDATE fact SET state = ?, settled = ?, reason = ?, body = CASE WHEN ? = 1 THEN x'' ELSE body END"
_ONE = " WHERE room = ? AND number = ? AND state = 0"
_LATER = "UPDATE fact SET due = ? WHERE room = ? AND state = 0"
_FAILED = """UPDATE fact SET tries = tries + 1, reason = ? WHERE room = ? AND state = 0
AND number = (SELECT min(number) FROM fact WHERE room = ? AND state = 0)"""
_ASIDE = "SELECT room, number, tries, settled, reason FROM fact WHERE state = 2 ORDER BY room, number"
_AGAIN = "UPDATE fact SET state = 0, tries = 0, due = 0, reason = '' WHERE state = 2 AND (? = '' OR room = ?)"
_HELD = "SELECT 1 FROM fact WHERE room = ? AND state <> 1 LIMIT 1"
_COUNTS = "SELECT state, count(*) FROM fact WHERE state <> 1 GROUP BY state"
_SWEEP = "DELETE FROM fact WHERE state = 1 AND settled < ?"


class Waiting(NamedTuple):
    """A fact that is to be written, and how often that failed."""

    fact: Fact
    tries: int


class Aside(NamedTuple):
    """A fact that could not be written, for a person: ``settled`` in ms since 1970 UTC, ``reason`` an issue code."""

    room: str
    number: int
    tries: int
    settled: int
    reason: str


class Damaged(Exception):
    """A body that does not open or is none: the number says which."""

    def __init__(self, number: int) -> None:
        super().__init__(f"fact {number} does not open")
        self.number = number


class FactSpool:
    """Meets video.ports.Spool; any thread may call. ``now`` in ms since 1970 UTC."""

    def __init__(self, path: Path, sealer: Sealer, now: Callable[[], int]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sealer, self._now, self._lock = sealer, now, threading.Lock()
        self._database = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        for statement in _SETUP:
            self._database.execute(statement)
        self._database.executescript(_SCHEMA)

    def put(self, facts: list[Fact]) -> None:
        """All of ``facts`` or none; those that are known are passed over."""
        rows = [(fact.room, fact.number, self._sealed(fact)) for fact in facts]
        with self._write() as database:
            database.executemany(_PUT, rows)

    def rooms(self) -> list[str]:
        """Those that have facts whose time has come."""
        return [row[0] for row in self._read(_ROOMS, (self._now(),))]

    def waiting(self, room: str, most: int) -> list[Waiting]:
        """The next facts of ``room``, by number. Raises Damaged when the first of them does not open."""
        found: list[Waiting] = []
        for number, tries, body in self._read(_NEXT, (room, most)):
            try:
                found.append(Waiting(self._opened(room, number, body), tries))
            except Exception:  # noqa: BLE001 - a wrong key, a cut file, another version: the fact waits for a person
                if found:
                    break
                raise Damaged(number) from None
        return found

    def delivered(self, facts: Sequence[Fact]) -> None:
        """They are in the record; their bodies are needed no more."""
        with self._write() as database:
            for fact in facts:
                database.execute(_SETTLE + _ONE, (DELIVERED, self._now(), "", DELIVERED, fact.room, fact.number))

    def later(self, room: str, due: int, reason: str, *, failed: bool) -> None:
        """The facts of ``room`` wait until ``due``; ``failed`` counts the try against the first of them."""
        with self._write() as database:
            database.execute(_LATER, (due, room))
            if failed:
                database.execute(_FAILED, (reason, room, room))

    def set_aside(self, room: str, number: int, reason: str) -> None:
        """The fact is kept for a person, and those after it go on."""
        with self._write() as database:
            database.execute(_SETTLE + _ONE, (SET_ASIDE, self._now(), reason, SET_ASIDE, room, number))
            database.execute(_LATER, (0, room))

    def aside(self) -> list[Aside]:
        """What waits for a person."""
        return [Aside(*row) for row in self._read(_ASIDE, ())]

    def again(self, room: str = "") -> int:
        """Try what was set aside once more, of ``room`` or of all; how many."""
        with self._write() as database:
            return database.execute(_AGAIN, (room, room)).rowcount

    def counts(self) -> tuple[int, int]:
        """How many wait to be written, and how many wait for a person."""
        found = dict(self._read(_COUNTS, ()))
        return found.get(WAITING, 0), found.get(SET_ASIDE, 0)

    def holds(self, room: str) -> bool:
        """Whether facts of ``room`` are not in the record yet, those that wait for a person among them."""
        return bool(self._read(_HELD, (room,)))

    def sweep(self) -> None:
        """Forget what was delivered long ago."""
        with self._write() as database:
            database.execute(_SWEEP, (self._now() - RETENTION,))

    def close(self) -> None:
        self._database.close()

    def _sealed(self, fact: Fact) -> bytes:
        return self._sealer.seal(_purpose(fact.room, fact.number), msgspec.msgpack.encode(fact))

    def _opened(self, room: str, number: int, body: bytes) -> Fact:
        return msgspec.msgpack.decode(self._sealer.open(_purpose(room, number), body), type=Fact)

    def _read(self, sql: str, values: Sequence[object]) -> list[Any]:
        with self._lock:
            return self._database.execute(sql, values).fetchall()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            except BaseException:
                self._database.rollback()
                raise


def _purpose(room: str, number: int) -> str:
    return f"visit fact {room} {number}"
