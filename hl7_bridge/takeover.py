"""Messages are answered for once they stand in the forecourt, and taken over into the journal behind that.

HL7 v2.5.1 section 2.9.2. Where there is no forecourt (PostgreSQL) the journal's own commit is both.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from time import sleep
from typing import Protocol

from hl7_bridge.ports import Incoming, Receipt, State
from hl7_bridge.workers import Hand, Kept
from resources.errors import FhirError, Unavailable

log = logging.getLogger("hearth.hl7")

_BATCH, _SIZE = 200, 1 << 24
"""Messages, and about bytes, of one transaction."""
_PAUSE = 0.01
"""Seconds between two transactions: one for each message would take too much of the listener's interpreter."""
_AWAY = 0.5
"""Seconds until what the database did not take is given to it again."""


class Standing(Protocol):
    """A message of the forecourt, see journal.forecourt."""

    @property
    def number(self) -> int: ...

    @property
    def incoming(self) -> Incoming: ...


class Journal(Protocol):
    """A journal with a forecourt."""

    def keep(self, incoming: Sequence[Incoming]) -> Sequence[Standing]:
        """Make all durable in the forecourt."""
        ...

    def left(self, after: int, count: int) -> Sequence[Standing]:
        """What stands in the forecourt behind number ``after`` and is not in the journal."""
        ...

    def take_over(self, standing: Sequence[tuple[int, Incoming]]) -> list[Receipt]:
        """Make them the journal's, in one transaction, each once; they are the next in the order of numbers."""
        ...


class Takeover:
    """Keeps in the forecourt, and has a thread that takes over; ``stored`` is called after each transaction of it."""

    def __init__(self, journal: Journal, stored: Callable[[], None]) -> None:
        self._journal, self._stored = journal, stored
        self._waiting: deque[tuple[int, Incoming, Future[Receipt]]] = deque()
        self._bytes = 0
        self._news = threading.Condition()
        self._stopping = False
        self._hand: Hand = lambda told: told()
        self._thread = threading.Thread(target=self._run, name="hl7 takeover")

    def start(self, hand: Hand) -> None:
        """``hand`` as of workers.Writer."""
        self._hand = hand
        self._thread.start()

    @property
    def backlog(self) -> int:
        """Bytes that wait."""
        return self._bytes

    def keep(self, incoming: Sequence[Incoming]) -> list[Kept]:
        """By one thread at a time, so that what is taken over is in the order of numbers."""
        standing = self._journal.keep(incoming)
        made = [(each.number, each.incoming, Future[Receipt]()) for each in standing]
        with self._news:
            self._waiting.extend(made)
            self._bytes += sum(len(each.raw) for each in incoming)
            self._news.notify()
        return [Kept(receipt) for _, _, receipt in made]

    def stop(self) -> None:
        """Take over what waits, if the database is there; what is left stays for the next start."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._thread.join()
        for _, _, receipt in self._waiting:
            self._hand(partial(receipt.set_exception, Unavailable("The bridge is stopping.")))

    def _run(self) -> None:
        self._take_over_left()
        while self._goes_on():
            sleep(_PAUSE)

    def _goes_on(self) -> bool:
        """One transaction; whether there may be more."""
        some = self._some()
        while some and not (receipts := self._tried([(number, incoming) for number, incoming, _ in some])):
            if self._is_over():
                return False
        if some:
            self._done(some, receipts)
        return bool(some)

    def _take_over_left(self) -> None:
        """What an earlier process left; nothing of ours is before it."""
        last = 0
        while True:
            left = self._left(last)
            if left is None:
                if self._is_over():
                    return
                continue
            with self._news:
                ours = self._waiting[0][0] if self._waiting else None
            some = [(each.number, each.incoming) for each in left if ours is None or each.number < ours]
            while some and not self._tried(some):
                if self._is_over():
                    return
            if not some:
                return
            last = some[-1][0]
            self._tell()

    def _left(self, last: int) -> Sequence[Standing] | None:
        """None when it has to be tried again."""
        try:
            return self._journal.left(last, _BATCH)
        except FhirError as error:
            log.warning("messages of an earlier process wait in the forecourt", extra={"code": error.code})
        except Exception:
            log.error("the forecourt cannot be read", exc_info=True)
        return None

    def _some(self) -> "list[tuple[int, Incoming, Future[Receipt]]]":
        """The next transaction's, which wait until they are done; [] when all is and nothing may come."""
        with self._news:
            while not self._waiting and not self._stopping:
                self._news.wait()
            some: list[tuple[int, Incoming, Future[Receipt]]] = []
            size = 0
            for each in self._waiting:
                if len(some) >= _BATCH or size >= _SIZE:
                    break
                some.append(each)
                size += len(each[1].raw)
            return some

    def _tried(self, some: list[tuple[int, Incoming]]) -> list[Receipt]:
        """[] when it has to be tried again."""
        try:
            return self._journal.take_over(some)
        except FhirError as error:
            log.warning("messages wait in the forecourt", extra={"count": len(some), "code": error.code})
            return []
        except Exception:
            log.error("messages not taken over", extra={"count": len(some)}, exc_info=True)
        receipts = [receipt for each in some for receipt in self._one(each)]
        return receipts if len(receipts) == len(some) else []

    def _one(self, each: tuple[int, Incoming]) -> list[Receipt]:
        """A message that the database does not take, whyever, must not stop those behind it: a person has to look."""
        number, incoming = each
        bare = Incoming(
            incoming.sender, incoming.raw, incoming.received, "", "", "", "", (), state=State.DEAD, reason=_REASON
        )
        for tried in (incoming, bare):
            try:
                return self._journal.take_over([(number, tried)])
            except FhirError:
                return []
            except Exception:
                log.error("a message not taken over", extra={"number": number}, exc_info=True)
        return []

    def _done(self, some: "list[tuple[int, Incoming, Future[Receipt]]]", receipts: list[Receipt]) -> None:
        with self._news:
            for _, incoming, _ in some:
                self._waiting.popleft()
                self._bytes -= len(incoming.raw)
        self._tell(partial(_settle, some, receipts))

    def _tell(self, settle: Callable[[], None] = lambda: None) -> None:
        """Whoever waits, if anybody still does: without this thread no message would get any further."""
        for told in (partial(self._hand, settle), self._stored):
            try:
                told()
            except Exception:
                log.error("what was taken over could not be told", exc_info=True)

    def _is_over(self) -> bool:
        """A pause; whether the bridge stops meanwhile."""
        with self._news:
            if not self._stopping:
                self._news.wait(_AWAY)
            return self._stopping


def _settle(some: "list[tuple[int, Incoming, Future[Receipt]]]", receipts: list[Receipt]) -> None:
    for (_, _, future), receipt in zip(some, receipts, strict=True):
        future.set_result(receipt)


_REASON = "It could not be stored in the journal as it was read; its bytes are here."
