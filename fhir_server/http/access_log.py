"""The access log: one JSON line per request; never a path, query, id, body or token.

Fields: time, level, logger, request_id, method, interaction (or rim route), type, status, ms, bytes.
"""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache

import msgspec

_LINE = (
    '{"time":"%s.%03dZ","level":"info","logger":"hearth.access","message":"request","request_id":"%s","method":"%s",'
    '"interaction":"%s","type":"%s","status":%d,"ms":%.2f,"bytes":%d}\n'
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_TOGETHER = 4096
"""Bytes that a pipe with several writers (POSIX PIPE_BUF, Linux) keeps in one piece."""


class Line(msgspec.Struct, frozen=True, gc=False):
    """A request: when it was answered (seconds since 1970), how long it took in seconds, the bytes of its answer."""

    at: float
    request_id: str
    method: str
    code: str
    type: str
    status: int
    seconds: float
    size: int

    def text(self) -> str:
        """All texts come from our own tables but the request id, which was checked, and the method, checked here."""
        method = self.method if self.method in _METHODS else "other"
        stamp, milliseconds = _stamp(int(self.at)), int(self.at % 1 * 1000)
        told = (self.request_id, method, self.code, self.type, self.status, self.seconds * 1000, self.size)
        return _LINE % (stamp, milliseconds, *told)


class AccessLog:
    """Writes to the file descriptor ``fd``."""

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd

    def write(self, lines: Iterable[Line]) -> None:
        """As few writes as keep every line whole."""
        waiting = ""
        for line in lines:
            text = line.text()
            if len(waiting) + len(text) > _TOGETHER:
                self._write(waiting)
                waiting = ""
            waiting += text
        self._write(waiting)

    def _write(self, text: str) -> None:
        with suppress(OSError):  # a reader of the log that went away is no reason to fail a request
            os.write(self._fd, text.encode())


@lru_cache(2)
def _stamp(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
