"""Threads that apply what waits in the journal, and the thread that writes what comes in: group commit.

HL7 v2.5.1 section 2.9. Lanes and leases are the journal's; here is only who works when.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from hl7_bridge.ports import Ended, Incoming, Journal, Outcome, Receipt, Work
from resources.errors import FhirError, Unavailable

log = logging.getLogger("hearth.hl7")

LEASE = 60.0
"""Seconds after which another may take what this process claimed; longer than any message takes."""
_IDLE = 0.25
"""Seconds between two looks for what other nodes received or what is due again."""
_PATIENCE, _PAUSE = 20, 0.5
"""Times that a transaction is tried while the database is away, and seconds between them."""
_AWAY = 2.0
"""Seconds to wait while the database is away."""


class Releasing(Journal, Protocol):
    """The journal, which also takes back what was claimed and not begun."""

    def release(self, ids: Sequence[int]) -> None: ...


class Workers:
    """``count`` threads; ``apply`` says what became of each of up to ``together`` messages (None: it will be tried
    again), ``told`` is called with each end, from the worker's thread."""

    def __init__(
        self,
        journal: Releasing,
        apply: Callable[[Sequence[Work]], Sequence[Outcome | None]],
        told: Callable[[Ended], None],
        count: int = 2,
        together: int = 4,
    ) -> None:
        self._journal, self._apply, self._told = journal, apply, told
        self._count, self._most = count, together
        self._claimed: deque[Work] = deque()
        self._news = threading.Condition()
        self._claiming = threading.Lock()
        self._awake = self._stopping = False
        self._threads = [threading.Thread(target=self._run, name=f"hl7 worker {n}") for n in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There is something new."""
        with self._news:
            self._awake = True
            self._news.notify_all()

    def stop(self, seconds: float) -> None:
        """Let each finish what it is at, give back the rest."""
        self._stopping = True
        self.wake()
        for thread in self._threads:
            thread.join(seconds)
        rest = [work.id for work in self._claimed]
        if rest:
            try:
                self._journal.release(rest)
            except FhirError as error:  # their leases end by themselves
                log.warning("claimed messages not given back", extra={"code": error.code})

    def _run(self) -> None:
        while not self._stopping:
            try:
                works = self._next()
                for work, outcome in zip(works, self._apply(works) if works else (), strict=True):
                    self._told(Ended(work.id, work.sender, work.received, outcome))
                if works:
                    self.wake()  # their lanes are free for the next
                else:
                    self._wait(_IDLE)
            except FhirError as error:
                log.warning("the journal is away", extra={"code": error.code})
                self._wait(_AWAY)
            except Exception:
                log.error("a worker failed and goes on", exc_info=True)
                self._wait(_AWAY)

    def _next(self) -> list[Work]:
        """The share of one thread: of a few that wait each begins some, so that none waits for the others' end."""
        with self._claiming:
            if not self._claimed:
                self._awake = False
                self._claimed.extend(self._journal.claim(self._count * max(self._most, 4), LEASE))
            share = min(self._most, -(-len(self._claimed) // self._count))
            return [self._claimed.popleft() for _ in range(share)]

    def _wait(self, seconds: float) -> None:
        with self._news:
            if not self._awake and not self._stopping:
                self._news.wait(seconds)


Hand = Callable[[Callable[[], None]], object]
"""Runs what it is given: at once, or in the thread that wants to hear of it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A durable message; ``receipt`` comes when it stands in the journal, and fails when the bridge stops before."""

    receipt: "Future[Receipt]"


def at_once(journal: Journal) -> "Callable[[Sequence[Incoming]], list[Kept]]":
    """What keeps messages in ``journal`` itself."""

    def keep(incoming: Sequence[Incoming]) -> list[Kept]:
        made = []
        for receipt in journal.receive(incoming):
            made.append(Kept(Future()))
            made[-1].receipt.set_result(receipt)
        return made

    return keep


class Writer:
    """One thread that makes messages durable: all that wait are one transaction."""

    def __init__(
        self,
        keep: Callable[[Sequence[Incoming]], Sequence[Kept]],
        stored: Callable[[], None] = lambda: None,
        batch: int = 200,
        size: int = 1 << 24,
    ) -> None:
        """``keep`` makes messages durable in one transaction, ``stored`` is called after each; ``batch`` messages or
        about ``size`` bytes are one."""
        self._keep, self._stored, self._batch, self._size = keep, stored, batch, size
        self._waiting: deque[tuple[Incoming, Future[Kept]]] = deque()
        self._news = threading.Condition()
        self._stopping = False
        self._bytes = 0
        self._thread = threading.Thread(target=self._run, name="hl7 writer")
        self._hand: Hand = lambda told: told()

    def start(self, hand: Hand | None = None) -> None:
        """``hand`` settles the futures of a whole transaction at once; without it the writer's thread does."""
        self._hand = hand or self._hand
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def put(self, incoming: Incoming) -> "Future[Kept]":
        """Comes once it is durable, and raises FhirError when that could not be."""
        future: Future[Kept] = Future()
        future.set_running_or_notify_cancel()  # what is given is written, also when whoever gave it is gone
        with self._news:
            if self._stopping:
                future.set_exception(Unavailable("The bridge is stopping."))
                return future
            self._waiting.append((incoming, future))
            self._bytes += len(incoming.raw)
            self._news.notify()
        return future

    def stop(self) -> None:
        """Write what waits, then end."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._thread.join()

    def _run(self) -> None:
        while self._goes_on():
            pass

    def _goes_on(self) -> bool:
        """One transaction, of which nothing is held afterwards."""
        some = self._some()
        try:
            if some:
                self._write(some)
        except Exception:
            log.error("the journal's writer failed and goes on", exc_info=True)
        return bool(some)

    def _some(self) -> list[tuple[Incoming, "Future[Kept]"]]:
        """The next transaction's; [] when all is written and nothing may come."""
        with self._news:
            while not self._waiting and not self._stopping:
                self._news.wait()
            some: list[tuple[Incoming, Future[Kept]]] = []
            size = 0
            while self._waiting and len(some) < self._batch and size < self._size:
                some.append(self._waiting.popleft())
                size += len(some[-1][0].raw)
            self._bytes -= size
            return some

    def _write(self, some: list[tuple[Incoming, "Future[Kept]"]]) -> None:
        for _ in range(_PATIENCE):
            try:
                kept = self._keep([incoming for incoming, _ in some])
            except Unavailable as error:  # nobody has been answered yet, and most absences are short
                failure: Exception = error
                time.sleep(_PAUSE)
            except Exception as error:  # noqa: BLE001 goes to whoever waits for the receipt
                failure = error
                break
            else:
                self._hand(partial(_settle, some, kept))
                self._stored()
                return
        self._failed(some, failure)

    def _failed(self, some: list[tuple[Incoming, "Future[Kept]"]], error: Exception) -> None:
        """One message that the database does not take must not be the others' end."""
        log.error("messages could not be stored", extra={"count": len(some)}, exc_info=error)
        if len(some) > 1 and not isinstance(error, FhirError):
            for each in some:
                self._write([each])
            return
        self._hand(partial(_settle, some, [error] * len(some)))


def _settle(some: "Sequence[tuple[Incoming, Future[Kept]]]", ends: Sequence[Kept | Exception]) -> None:
    for (_, future), end in zip(some, ends, strict=True):
        if isinstance(end, Exception):
            future.set_exception(end)
        else:
            future.set_result(end)
