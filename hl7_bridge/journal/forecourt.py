"""A file of its own in which messages are durable until they stand in the journal: for SQLite, whose one writer's place
is held for as long as a message is being applied.

HL7 v2.5.1 section 2.9.2 (an accept acknowledgement promises no more than safe storage). The journal's transaction keeps
how far it has taken over, so that each message gets there once, whoever is killed when; order is that of the numbers.
"""

import fcntl
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hl7_bridge.journal.receiving import storable
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.ports import Incoming
from resources.errors import Unavailable

_SETUP = """PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS name (name TEXT NOT NULL) STRICT"""
_BUSY_SECONDS = 15
_AT_ONCE = 100


class Standing(NamedTuple):
    """A message of the file under its number; numbers grow and are never given twice."""

    number: int
    incoming: Incoming


class Forecourt:
    """The file of one process, for all its threads; ``name`` tells it from any other that lay or lies there. Every
    method raises Unavailable when the file cannot be used, and has done nothing then."""

    def __init__(self, path: Path, sealing: Sealing) -> None:
        """Raises BlockingIOError when another process has the file."""
        self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            options = {"timeout": _BUSY_SECONDS, "isolation_level": None, "check_same_thread": False}
            self._connection = sqlite3.connect(path, **options)  # type: ignore[call-overload]
        except OSError:
            os.close(self._lock)
            raise
        self._alone, self._sealing = threading.Lock(), sealing
        self._connection.executescript(_SETUP)
        self.name = self._named()

    def _named(self) -> str:
        with self._write() as connection:
            found = connection.execute("SELECT name FROM name").fetchone() or (secrets.token_hex(8),)
            connection.execute("INSERT INTO name SELECT ? WHERE NOT EXISTS (SELECT 1 FROM name)", found)
        return str(found[0])

    def begin_behind(self, number: int) -> None:
        """Give no number up to ``number``, which the journal has: this file may be a copy that is older than it."""
        with self._write() as connection:
            connection.execute("INSERT OR IGNORE INTO message (id, sealed) VALUES (?, x'')", (number,))
            connection.execute("DELETE FROM message WHERE id = ? AND sealed = x''", (number,))

    def keep(self, incoming: Sequence[Incoming]) -> list[Standing]:
        """Make all durable in one transaction."""
        # Sealed before the file is taken; nothing but the bytes and what was read of them is in it.
        sealed = [self._sealing.seal(_packed(each)) for each in incoming]
        with self._write() as connection:
            numbers = [
                connection.execute("INSERT INTO message (sealed) VALUES (?)", (each,)).lastrowid for each in sealed
            ]
        return [Standing(number or 0, each) for number, each in zip(numbers, incoming, strict=True)]

    def after(self, number: int, count: int) -> list[Standing]:
        """The first ``count`` messages behind ``number``."""
        with self._answering():
            wanted = "SELECT id, sealed FROM message WHERE id > ? ORDER BY id LIMIT ?"
            rows = self._connection.execute(wanted, (number, count)).fetchall()
        return [Standing(id, _read(self._sealing.open(sealed))) for id, sealed in rows]

    def forget(self, number: int) -> None:
        """What the journal has: all up to ``number``."""
        deleted = "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE id <= ? ORDER BY id LIMIT ?)"
        gone = _AT_ONCE
        while gone == _AT_ONCE:  # what comes meanwhile does not wait for all of it
            with self._write() as connection:
                gone = connection.execute(deleted, (number, _AT_ONCE)).rowcount

    def close(self) -> None:
        with self._alone:
            self._connection.close()
        os.close(self._lock)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._answering():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _answering(self) -> Iterator[None]:
        with self._alone:
            try:
                yield
            except sqlite3.Error as error:
                raise Unavailable(
                    "The file of HL7 messages that just came cannot be used; try again shortly."
                ) from error


def _packed(incoming: Incoming) -> bytes:
    try:
        return msgspec.msgpack.encode(incoming)
    except UnicodeEncodeError:
        texts: dict[str, Any] = {
            name: storable(value) for name, value in asdict(incoming).items() if type(value) is str
        }
        lanes = tuple(map(storable, incoming.lanes))
        return msgspec.msgpack.encode(replace(incoming, lanes=lanes, **texts))


def _read(packed: bytes) -> Incoming:
    return msgspec.msgpack.decode(packed, type=Incoming)
