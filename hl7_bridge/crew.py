"""Processes that apply messages, kept running: taking messages and applying them must not wait for one interpreter.

Ours. A child ends when its parent does, however that ends: the pipe that wakes it is then closed. What it was at stands
in the journal; its leases are ended by whoever notices.
"""

import contextlib
import logging
import multiprocessing
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from hl7_bridge.ports import Applying, Ended

log = logging.getLogger("hearth.hl7")

_CONTEXT = multiprocessing.get_context("spawn")
_PAUSE = 0.5
"""Seconds before a dead child is followed by another."""
_ROUND = 2.0
"""Seconds between two rounds of a child's own upkeep."""
_BYTES = 4096
_NICE = 10
"""By how much a child steps back for its parent: senders wait for what the parent says, and a burst can wait in the
journal."""

Body = Callable[["Strand"], None]


@dataclass(frozen=True, slots=True)
class Strand:
    """A child's ends of the pipes to its parent; it can be given to a new process."""

    wakes: Connection
    words: Connection

    def follow(self, applying: Callable[[Callable[[Ended], None]], Applying], upkeep: Callable[[], None]) -> None:
        """Apply until the parent says stop or is gone; ``upkeep`` is called now and then."""
        os.nice(_NICE)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
        stopped = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stopped.set())
        speaking = threading.Lock()

        def tell(ended: Ended) -> None:
            with speaking, contextlib.suppress(OSError):
                self.words.send(ended)

        made = applying(tell)
        made.start()
        next_round = time.monotonic()
        while not stopped.is_set():
            if self._woken():
                if not os.read(self.wakes.fileno(), _BYTES):
                    break
                made.wake()
            if time.monotonic() >= next_round:
                upkeep()
                next_round = time.monotonic() + _ROUND
        made.stop(60)

    def _woken(self) -> bool:
        return bool(select.select([self.wakes.fileno()], [], [], _PAUSE)[0])


@dataclass(slots=True)
class _Member:
    process: BaseProcess
    waker: Connection
    words: Connection


class Crew:
    """``count`` processes that each run ``body``. Meets ports.Applying."""

    def __init__(
        self, body: Callable[..., None], arguments: tuple[Any, ...], count: int,
        told: Callable[[Ended], None], died: Callable[[], object],
    ) -> None:  # fmt: skip
        """``body(strand, *arguments)`` must be importable; ``died`` is called after a child's sudden end."""
        self._body, self._arguments, self._count = body, arguments, count
        self._told, self._died = told, died
        self._members: list[_Member] = []
        self._stopping = False
        self._listening = threading.Thread(target=self._listen, name="hl7 crew", daemon=True)

    def start(self) -> None:
        self._members = [self._hired() for _ in range(self._count)]
        self._listening.start()

    def wake(self) -> None:
        for member in list(self._members):
            # A full pipe wakes too, a closed one belongs to the dead.
            with contextlib.suppress(OSError):
                os.write(member.waker.fileno(), b"w")

    def stop(self, seconds: float) -> None:
        self._stopping = True
        for member in self._members:
            member.waker.close()
        deadline = time.monotonic() + seconds
        for member in self._members:
            member.process.join(max(0.0, deadline - time.monotonic()))
            if member.process.is_alive():
                member.process.kill()
        self._listening.join(1.0)

    def _hired(self) -> _Member:
        wakes, waker = _CONTEXT.Pipe(duplex=False)
        words, mouth = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=self._body, args=(Strand(wakes, mouth), *self._arguments))
        process.start()
        wakes.close()
        mouth.close()
        os.set_blocking(waker.fileno(), False)
        return _Member(process, waker, words)

    def _listen(self) -> None:
        """Pass on what children say; replace those that die."""
        while self._members:
            for each in wait([member.words for member in self._members], timeout=1.0):
                member = next(member for member in self._members if member.words is each)
                try:
                    self._told(member.words.recv())
                except (EOFError, OSError):
                    self._replace(member)
                    if self._stopping and not self._members:
                        return

    def _replace(self, member: _Member) -> None:
        member.words.close()
        if self._stopping:
            self._members = [each for each in self._members if each is not member]
            return
        member.process.join()
        log.warning("a process that applies messages died", extra={"status": member.process.exitcode})
        with contextlib.suppress(OSError):
            member.waker.close()
        time.sleep(_PAUSE)
        try:
            self._died()
        except Exception:
            log.error("leases of a dead process not ended; they end by themselves", exc_info=True)
        self._members = [each if each is not member else self._hired() for each in self._members]
