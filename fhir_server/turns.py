"""Writers of several processes on one SQLite file take turns, instead of napping until they happen to find it free.

SQLite has one writer at a time and lets others sleep for up to 100 ms and look again (sqlite3_busy_timeout), so that
two busy threads of one process can keep another process waiting for seconds. Linux flock(2) wakes who waits.
"""

import fcntl
import os
import threading
from pathlib import Path
from types import TracebackType


class Turns:
    """In place of the ``writing`` lock of a SqliteStore. Who waits stands first in ``queue``, so that whoever has just
    written cannot come before. The kernel frees what a killed process held."""

    def __init__(self, folder: Path) -> None:
        self._mine = threading.Lock()
        self._queue, self._hold = (_opened(folder / f"writing.{name}") for name in ("queue", "lock"))

    def acquire(self, timeout: float = -1) -> bool:
        """False when another thread of this process kept it for ``timeout`` seconds; other processes are waited for."""
        if not self._mine.acquire(timeout=timeout):
            return False
        fcntl.flock(self._queue, fcntl.LOCK_EX)
        fcntl.flock(self._hold, fcntl.LOCK_EX)
        fcntl.flock(self._queue, fcntl.LOCK_UN)
        return True

    def release(self) -> None:
        fcntl.flock(self._hold, fcntl.LOCK_UN)
        self._mine.release()

    def close(self) -> None:
        for descriptor in (self._queue, self._hold):
            os.close(descriptor)

    def __enter__(self) -> "Turns":
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
