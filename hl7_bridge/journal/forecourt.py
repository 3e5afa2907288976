"""A file of its own in which messages are durable until they stand in the journal: for SQLite, whose one writer's place
is held for as long as a message is being applied.

HL7 v2.5.1 section 2.9.2 (an accept acknowledgement promises no more than safe storage). The journal's transaction keeps
how far it has taken over, so that each message gets there once, whoever is killed when; order is that of the numbers.
"""

import fcntl
import logging
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
from resources.errors import FhirError, Unavailable

log = logging.getLogger("hearth.hl7")

_SETUP = """PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;
CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, sealed BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS aside (id INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
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
        """Raises BlockingIOError when another process has the file, Unavailable when it is damaged."""
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
        try:
            with self._answering():
                self._connection.executescript(_SETUP)
            self.name = self._named()
        except Unavailable as error:
            self.close()
            raise Unavailable(f"{path} cannot be used ({error.__cause__}). {_DAMAGED}") from error

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
        while True:
            with self._answering():
                wanted = "SELECT id, sealed FROM message WHERE id > ? ORDER BY id LIMIT ?"
                rows = self._connection.execute(wanted, (number, count)).fetchall()
            found = {id: opened(self._sealing, sealed) for id, sealed in rows}
            closed = [id for id, incoming in found.items() if incoming is None]
            if not closed:
                return [Standing(id, incoming) for id, incoming in found.items() if incoming is not None]
            self._set_aside(closed)

    def _set_aside(self, numbers: Sequence[int]) -> None:
        """Those behind them are not to wait; they stay in the file."""
        each = [(number,) for number in numbers]
        with self._write() as connection:
            connection.executemany("INSERT INTO aside SELECT id, sealed FROM message WHERE id = ?", each)
            connection.executemany("DELETE FROM message WHERE id = ?", each)
        log.error("messages in the forecourt cannot be opened and are set aside", extra={"numbers": list(numbers)})

    @property
    def aside(self) -> int:
        """How many messages are set aside because they cannot be opened."""
        with self._answering():
            return int(self._connection.execute("SELECT count(*) FROM aside").fetchone()[0])

    def take_up(self) -> int:
        """Let those that were set aside and can be opened now stand behind all others; how many still cannot."""
        with self._answering():
            numbers = [row[0] for row in self._connection.execute("SELECT id FROM aside ORDER BY id")]
        left = 0
        for number in numbers:
            with self._write() as connection:
                [sealed] = connection.execute("SELECT sealed FROM aside WHERE id = ?", (number,)).fetchone()
                if opened(self._sealing, sealed) is None:
                    left += 1
                    continue
                connection.execute("INSERT INTO message (sealed) VALUES (?)", (sealed,))
                connection.execute("DELETE FROM aside WHERE id = ?", (number,))
        return left

    def forget(self, number: int) -> None:
        """What the journal has: all up to ``number``."""
        deleted = "DELETE FROM message WHERE id IN (SELECT id FROM message WHERE id <= ? ORDER BY id LIMIT ?)"
        gone, all = _AT_ONCE, 0
        while gone == _AT_ONCE:  # what comes meanwhile does not wait for all of it
            with self._write() as connection:
                gone = connection.execute(deleted, (number, _AT_ONCE)).rowcount
            all += gone
        if not all:
            self._shed()

    def _shed(self) -> None:
        """Nothing came since the last time: what was deleted leaves the files too, for it was a patient's. To overwrite
        it at each deletion would double the time that acknowledgements take."""
        with self._answering():
            is_empty = self._connection.execute("SELECT 1 FROM message LIMIT 1").fetchone() is None
            if is_empty and self._connection.execute("PRAGMA freelist_count").fetchone()[0]:
                self._connection.execute("VACUUM")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

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


def opened(sealing: Sealing, sealed: bytes) -> Incoming | None:
    """None when it cannot be read with the keys at hand, or is damaged."""
    try:
        return _read(sealing.open(sealed))
    except (FhirError, ValueError):
        return None


_DAMAGED = (
    "It may hold messages that were acknowledged and are not in the journal yet: keep a copy, restore it or move it "
    "away, and start again."
)


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
