"""The spool of reads: an audit record is in a local file before the answer leaves, and in the table soon after.

A killed process loses no audited read: docs/adr/audit-chain.md.

A spool file is one future chain: its name is ``<chain, 16 hex digits>-<skip>.spool`` and its frame i (from 0) becomes
row n = i - skip + 1 of that chain. Where a file stands is therefore read from the table (its highest n), and storing a
frame twice is impossible, whatever is killed when. A file whose chain is too old for the checkpoints to watch is
renamed to a new chain, with the frames already stored as ``skip``.

Durability: ``write`` to an append-only file before the answer, so the death of the process loses nothing. The death of
the machine can lose what was written since the last flush; the drain flushes every period, and ``sync=True`` flushes
each append (at the price of a disk flush for each read).
"""

import itertools
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from time import time

from fhir_server.audit.chain import LIFETIME, born, genesis, link
from fhir_server.audit.record import ACTION_OF, AuditRecord, AuditRow, Interaction, Outcome
from fhir_server.audit.spool_file import DamagedSpool, SpoolFile
from fhir_server.audit.trail import Head, OpenTrail, Trail
from fhir_server.keys import KeyName, KeyProblem, Keyring
from resources.errors import Unavailable

_log = logging.getLogger("hearth.audit")
_BATCH = 500


class _Draining:
    """A spool file and how far the table has it: ``n`` rows of its chain, read up to ``offset``."""

    def __init__(self, file: SpoolFile, key: bytes) -> None:
        self.file = file
        self._key = key
        self._n, self._hash = 0, genesis(key, file.chain)
        self._offset = 0
        self._certain = False

    def drain(self, trail: Trail, end: int) -> tuple[int, int]:
        """Store the frames below ``end``; (rows, bytes) stored. After any exception the next call asks the table."""
        if not self._certain:
            self._resume(trail.head(self.file.chain))
        if time() - born(self.file.chain) > LIFETIME and self._offset < end:
            self._rechain()
        start, rows = self._offset, 0
        while batch := self._batch(end):
            self._certain = False
            trail.insert(batch[0])
            self._n, self._hash, self._offset, self._certain = batch[0][-1].n, batch[0][-1].hash, batch[1], True
            rows += len(batch[0])
        return rows, self._offset - start if rows else 0

    def _batch(self, end: int) -> tuple[list[AuditRow], int] | None:
        """The next rows and the offset behind them; what stands before a damaged frame comes first."""
        rows: list[AuditRow] = []
        digest, offset = self._hash, self._offset
        frames = self.file.read(offset, self.file.skip + self._n, end)
        try:
            for record, behind in itertools.islice(frames, _BATCH):
                rows.append(link(self._key, self.file.chain, self._n + len(rows) + 1, digest, record))
                digest, offset = rows[-1].hash, behind
        except DamagedSpool:
            if not rows:
                raise
        return (rows, offset) if rows else None

    def _resume(self, head: Head | None) -> None:
        """Go on behind the last stored row; the frames before ``skip`` are rows of an earlier chain."""
        frames = self.file.skip + (head.n if head else 0)
        done = self.file.skip + self._n if self._offset else 0
        self._offset = self.file.position(self._offset, frames - done)
        if head is not None:
            self._n, self._hash = head.n, head.hash
        self._certain = True

    def _rechain(self) -> None:
        self.file.rechain(self.file.skip + self._n)
        self._n, self._hash = 0, genesis(self._key, self.file.chain)


class Spool:
    """The audited reads of one process. Make it after any fork; ``append`` from any thread.

    ``open_trail`` is called in the draining thread; ``sealed`` encrypts the files (AT_REST=envelope); ``limit`` is the
    most bytes waiting for the database before reads are refused; ``roll`` the size at which a file gives way.
    """

    def __init__(
        self,
        folder: Path,
        keyring: Keyring,
        open_trail: OpenTrail,
        *,
        sealed: bool = False,
        limit: int = 256 << 20,
        roll: int = 8 << 20,
        period: float = 0.5,
        sync: bool = False,
    ) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._keyring, self._open_trail = folder, keyring, open_trail
        self._sealed, self._limit, self._roll, self._period, self._sync = sealed, limit, roll, period, sync
        self._chain_key = keyring.current(KeyName.AUDIT_CHAIN).secret
        self._append_lock = threading.Lock()
        self._drain_lock = threading.Lock()
        self._backlog = 0
        self._live = self._new_file()
        self._files = [_Draining(self._live, self._chain_key)]
        self._wake = threading.Event()
        self._stopping = self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def backlog(self) -> int:
        """Bytes that are appended and not yet in the table; for metrics."""
        return self._backlog

    def append(self, records: Sequence[AuditRecord]) -> None:
        """Spool ``records``; answer only after it returns. Raises Unavailable when the trail cannot take them."""
        with self._append_lock:
            if self._closed:
                raise Unavailable("The server is stopping.")
            if self._backlog > self._limit:
                raise Unavailable("The audit trail cannot be written: the database is away and the spool is full.")
            try:
                self._backlog += self._live.append(records, self._sync)
            except OSError as problem:
                raise Unavailable(f"The audit trail cannot be written: {problem.strerror or problem}.") from problem

    def start(self) -> None:
        """Start the draining thread; it takes over the files of dead processes first."""
        self._thread = threading.Thread(target=self._run, name="audit-spool", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """Store what is left (or leave it for the next start) and end the thread; waits ``timeout`` seconds at most."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def drain(self, trail: Trail) -> int:
        """One pass: store everything appended so far and take over orphans; rows stored. Raises Unavailable."""
        with self._drain_lock:
            self._roll_live()
            stored = sum(self._drain_one(item, trail) for item in list(self._files))
            return stored + sum(self._drain_one(item, trail) for item in self._orphans())

    def close(self, trail: Trail) -> None:
        """Store and delete every file of this process; what is appended later is refused. Raises Unavailable."""
        self.drain(trail)
        with self._append_lock:
            self._closed = True
        self.drain(trail)
        with self._drain_lock:
            for item in self._files:
                item.file.remove()
            self._files = []

    def _run(self) -> None:
        trail: Trail | None = None
        while not self._stopping:
            self._wake.wait(self._period)
            trail = self._pass(trail)
        try:
            self.close(trail or self._open_trail())
        except Exception:  # noqa: BLE001
            _log.exception("audit spool kept for the next start")

    def _pass(self, trail: Trail | None) -> Trail | None:
        """The draining thread outlives every problem: what cannot be stored now waits in the file."""
        try:
            trail = trail or self._open_trail()
            self.drain(trail)
            return trail
        except Exception:  # noqa: BLE001
            _log.exception("audit spool waits: %d bytes", self._backlog)
            return None

    def _new_file(self) -> SpoolFile:
        return SpoolFile.create(self._folder, self._keyring.current(KeyName.AUDIT_SPOOL) if self._sealed else None)

    def _roll_live(self) -> None:
        file = self._live
        if file.size < self._roll and time() - born(file.chain) < LIFETIME / 2:
            return
        fresh = self._new_file()
        with self._append_lock:
            self._live = fresh
        self._files.append(_Draining(fresh, self._chain_key))

    def _drain_one(self, item: _Draining, trail: Trail) -> int:
        mine = item in self._files
        try:
            rows, size = item.drain(trail, item.file.size)
        except DamagedSpool as problem:
            self._set_aside(item, str(problem))
            return 0
        if mine:
            with self._append_lock:
                self._backlog -= size
        if item.file is not self._live:
            self._forget(item)
            item.file.remove()
        elif rows:
            item.file.flush()
        return rows

    def _forget(self, item: _Draining) -> None:
        if item in self._files:
            self._files.remove(item)

    def _orphans(self) -> list[_Draining]:
        mine = {item.file.path for item in self._files}
        others = (path for path in sorted(self._folder.glob("*.spool")) if path not in mine)
        return [_Draining(file, self._chain_key) for path in others if (file := self._adopted(path)) is not None]

    def _adopted(self, path: Path) -> SpoolFile | None:
        try:
            return SpoolFile.adopt(path, lambda id: self._keyring.by_id(KeyName.AUDIT_SPOOL, id))
        except (DamagedSpool, KeyProblem, OSError, ValueError) as problem:
            _log.error("audit spool file %s cannot be taken over: %s", path.name, problem)
            return None

    def _set_aside(self, item: _Draining, problem: str) -> None:
        """A damaged file is evidence: it is kept, and the trail says that it is incomplete."""
        _log.error("audit spool file %s is damaged: %s", item.file.path.name, problem)
        if item.file is self._live:
            fresh = self._new_file()
            with self._append_lock:
                self._live = fresh
            self._files.append(_Draining(fresh, self._chain_key))
        self._forget(item)
        word = Interaction.SPOOL_DAMAGED
        name = item.file.path.stem
        loss = AuditRecord(int(time() * 1e6), 0, ACTION_OF[word], word, Outcome.MAJOR, "server", detail=name)
        with self._append_lock:
            self._backlog = max(0, self._backlog) + self._live.append([loss], True)
        item.file.set_aside()
