"""The access log: one JSON line per request, written at once; never a path, query, id, body or token.

Fields: time, level, logger, request_id, method, interaction (or rim route), type, status, ms, bytes.
"""

import os
import time
from contextlib import suppress

_LINE = (
    '{"time":"%s.%03dZ","level":"info","logger":"hearth.access","message":"request","request_id":"%s","method":"%s",'
    '"interaction":"%s","type":"%s","status":%d,"ms":%.2f,"bytes":%d}\n'
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class AccessLog:
    """Writes to the file descriptor ``fd``. All texts it is given come from our own tables but the request id, which
    was checked, and the method, which is checked here."""

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd
        self._second = (0, "")

    def write(self, request_id: str, method: str, code: str, type: str, status: int, seconds: float, size: int) -> None:
        """One line; ``seconds`` is how long the request took, ``size`` the bytes of the body sent."""
        now = time.time()
        method = method if method in _METHODS else "other"
        stamp, milliseconds = self._stamp(int(now)), int(now % 1 * 1000)
        line = _LINE % (stamp, milliseconds, request_id, method, code, type, status, seconds * 1000, size)
        with suppress(OSError):  # a reader of the log that went away is no reason to fail a request
            os.write(self._fd, line.encode())

    def _stamp(self, second: int) -> str:
        kept, text = self._second
        if kept != second:
            text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = (second, text)
        return text
