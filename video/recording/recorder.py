"""Captures packets of those who agreed and keeps them, once it is confirmed that they still did when they were sent.

video.ports.Recorder; docs/adr/video-recording.md. What waits to be confirmed is in memory alone. A thread seals and
writes, so that media waits for no disk.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from video.ports import Captured, MediaBackend, Recording, Sealer
from video.recording.vault import Vault, forget_begun

log = logging.getLogger("hearth.video")

MOST = 32 * 1024 * 1024
"""Bytes of one recording that may wait to be confirmed, and again to be written."""
TAIL = 1.0
"""Seconds after the last time that the consents were confirmed for which an end keeps what came since."""
FRESH = 20.0
"""Seconds between two key frames that are asked for: where players may jump to and parts begin."""


class _Run:
    """One recording that runs."""

    def __init__(self, recording: Recording, began: float) -> None:
        self.recording, self.began, self.confirmed = recording, began, began
        self.waiting: deque[Captured] = deque()
        self.size = self.unwritten = 0
        self.vault: Vault | None = None
        self.broken = False
        self.timer: asyncio.TimerHandle | None = None

    def taken(self, until: float) -> list[Captured]:
        """What came before ``until``, which waits no more."""
        taken = []
        while self.waiting and self.waiting[0].at <= until:
            taken.append(self.waiting.popleft())
            self.size -= len(taken[-1].packet)
        return taken


class VaultRecorder:
    """Meets video.ports.Recorder; made in the event loop, writes into ``folder``."""

    def __init__(self, folder: Path, sealer: Sealer, backend: MediaBackend) -> None:
        self._folder, self._sealer, self._backend = folder, sealer, backend
        self._runs: dict[str, _Run] = {}
        self._failed: Callable[[str, int], None] = lambda room, number: None
        self._loop = asyncio.get_running_loop()
        self._writer = ThreadPoolExecutor(1, "video recorder")
        forget_begun(folder)

    def listen(self, failed: Callable[[str, int], None]) -> None:
        self._failed = failed

    def running(self) -> int:
        return len(self._runs)

    def capture(self, recording: Recording) -> None:
        run = self._runs.get(recording.room)
        if run is not None and run.recording.number != recording.number:
            self.release(recording.room, run.recording.number, tail=False)
            run = None
        if run is None:
            run = self._runs[recording.room] = _Run(recording, self._loop.time())
            self._write(run, lambda: self._open(run), 0)
        run.recording = recording
        self._tap(run)

    def _tap(self, run: _Run) -> None:
        if run.timer is not None:
            run.timer.cancel()
        run.timer = self._loop.call_later(FRESH, self._tap, run)
        members = frozenset(one.member for one in run.recording.members)
        self._backend.tap(run.recording.room, members, lambda captured: self._heard(run, captured))

    def _heard(self, run: _Run, captured: Captured) -> None:
        run.waiting.append(captured)
        run.size += len(captured.packet)
        if run.size > MOST:
            self._fail(run, "unconfirmed")

    def confirm(self, room: str, at: float) -> None:
        run = self._runs.get(room)
        if run is not None:
            run.confirmed = at
            self._keep(run, at)

    def _keep(self, run: _Run, until: float) -> None:
        packets = run.taken(until)
        size = sum(len(captured.packet) for captured in packets)
        if run.unwritten + size > MOST:
            self._fail(run, "slow disk")
        elif packets:
            self._write(run, lambda: run.vault.add(packets) if run.vault else None, size)

    def release(self, room: str, number: int, *, tail: bool) -> None:
        run = self._runs.get(room)
        if run is None or run.recording.number != number:
            return
        self._untap(run)
        if tail:
            self._keep(run, run.confirmed + TAIL)
        self._write(run, lambda: run.vault.close() if run.vault else None, 0)

    def _untap(self, run: _Run) -> None:
        self._backend.tap(run.recording.room, frozenset(), None)
        self._runs.pop(run.recording.room, None)
        if run.timer is not None:
            run.timer.cancel()

    def close(self) -> None:
        """The process stops: what is confirmed is written, and the next process ends what was on."""
        for run in list(self._runs.values()):
            self._untap(run)
            self._write(run, lambda run=run: run.vault.abandon() if run.vault else None, 0)  # type: ignore[misc]
        self._writer.shutdown(wait=True)

    # In the thread

    def _open(self, run: _Run) -> None:
        run.vault = Vault(self._folder, self._sealer, run.recording, run.began)

    def _write(self, run: _Run, work: Callable[[], None], size: int) -> None:
        if run.broken:
            return
        run.unwritten += size
        self._writer.submit(work).add_done_callback(lambda done: self._tell(run, size, done))

    def _tell(self, run: _Run, size: int, done: "Future[None]") -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._written, run, size, done)

    def _written(self, run: _Run, size: int, done: "Future[None]") -> None:
        run.unwritten -= size
        error = done.exception()
        if error is not None:
            self._fail(run, type(error).__name__)

    def _fail(self, run: _Run, why: str) -> None:
        """What was written until then counts; the room hears of it, which ends the recording."""
        if run.broken:
            return
        log.error("a visit cannot be recorded any further", extra={"room": run.recording.room, "why": why})
        self._untap(run)
        if run.vault is not None:
            self._writer.submit(run.vault.abandon)
        run.broken = True
        self._loop.call_soon(self._failed, run.recording.room, run.recording.number)
