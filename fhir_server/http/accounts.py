"""What is told of requests once they are answered: the metrics, the access log and counts, of many at a time.

A write to the log gives up the interpreter's lock: one for each request costs a tenth of a read's CPU.
"""

import threading
from collections import deque
from collections.abc import Callable

from fhir_server.http.access_log import AccessLog, Line
from fhir_server.http.metrics import Metrics

PAUSE = 0.1
"""Seconds by which a line of the log may come after its answer: those of the last moment before a kill are lost."""
MOST_WAITING = 5000
"""Requests to be told of before the next one waits for the reader of the log."""


class Accounts:
    """Tells at once until ``start``, then from a thread of its own until ``stop``. ``settle`` is called there too, for
    what is counted elsewhere and told now and then."""

    def __init__(self, metrics: Metrics, log: AccessLog | None, settle: Callable[[], None] = lambda: None) -> None:
        self._metrics, self._log, self._settle = metrics, log, settle
        self._waiting: deque[Line] = deque()
        self._telling = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, line: Line) -> None:
        """``line`` is of a request that is answered, or about to be."""
        self._waiting.append(line)
        if self._thread is None or len(self._waiting) > MOST_WAITING:
            self.tell()

    def tell(self) -> None:
        """Tell of every request added so far."""
        with self._telling:
            lines = [self._waiting.popleft() for _ in range(len(self._waiting))]
            for line in lines:
                self._metrics.observe(line.code, line.status, line.seconds)
            if self._log is not None:
                self._log.write(lines)

    def start(self) -> None:
        """Start the thread; not before a fork, which would lose it."""
        self._thread = threading.Thread(target=self._run, name="accounts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell the rest and end the thread; what is added later is told at once."""
        thread, self._thread = self._thread, None
        self._stopping.set()
        if thread is not None:
            thread.join()
        self.tell()

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE):
            self.tell()
            self._metrics.sample()
            self._settle()
