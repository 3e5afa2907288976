"""Ends waits that the database does not end: a commit waits without limit for a standby that is gone.

PostgreSQL 15, 27.2.8 (synchronous replication): statement_timeout is over when the commit begins. A cancelled wait
leaves the change committed and answers with a warning, of which `connection.Connection` makes OutcomeUnknown.
"""

import threading
from time import monotonic, sleep
from typing import Protocol
from weakref import WeakSet

GRACE = 5.0
"""Seconds beyond the time limit of a statement, after which the wait is cancelled, and then until it is cut off."""
_LOOK = 1.0


class Waiting(Protocol):
    """A connection: ``since`` is when its question was sent (`monotonic`), 0 between questions."""

    limit: float
    since: float

    def cancel(self) -> None: ...

    def cut(self) -> None: ...


class Overdue:
    """Watches connections in a thread of each process; nothing is held for its sake."""

    def __init__(self) -> None:
        self.forked()

    def forked(self) -> None:
        """In a child: the thread and the connections are the parent's."""
        self._all: WeakSet[Waiting] = WeakSet()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, waiting: Waiting) -> None:
        """From now on, as long as it lives."""
        with self._guard:
            self._all.add(waiting)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="overdue", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        cancelled: dict[int, float] = {}
        while True:
            sleep(_LOOK)
            with self._guard:
                late = [each for each in self._all if each.since and monotonic() - each.since > each.limit + GRACE]
            for each in late:
                self._end(each, cancelled)
            cancelled = {key: since for key, since in cancelled.items() if any(each.since == since for each in late)}

    @staticmethod
    def _end(each: Waiting, cancelled: dict[int, float]) -> None:
        since = each.since
        if cancelled.get(id(each)) != since:
            cancelled[id(each)] = since
            # Apart, for a server that hangs does not answer this either.
            threading.Thread(target=each.cancel, name="overdue cancel", daemon=True).start()
        elif since and monotonic() - since > each.limit + 2 * GRACE:
            each.cut()
