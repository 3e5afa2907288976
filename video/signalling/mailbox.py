"""The events of one member, numbered, so that a page that lost its socket hears what it missed.

Ours; bounded: who was away for longer than the last 256 events gets the whole picture instead.
"""

import asyncio
from collections import deque
from typing import Any, NamedTuple

import msgspec

KEPT = 256


class Letter(NamedTuple):
    """An event as it goes over the wire."""

    n: int
    text: str


class Mailbox:
    """``first``: the number before the first event. Counted from the ms at which the box was made, numbers of a process
    that was killed are always smaller, so that they are never taken for ours."""

    def __init__(self, first: int) -> None:
        self.n = self._before = first
        self._letters: deque[Letter] = deque(maxlen=KEPT)
        self.news = asyncio.Event()

    def put(self, event: str, fields: dict[str, Any]) -> None:
        self.n += 1
        if len(self._letters) == KEPT:
            self._before = self._letters[0].n
        self._letters.append(Letter(self.n, encode({"n": self.n, "event": event} | fields)))
        self.news.set()

    def after(self, n: int) -> list[Letter] | None:
        """What came after ``n``; None when some of it is gone or ``n`` is not of this box."""
        if not self._before <= n <= self.n:
            return None
        return [letter for letter in self._letters if letter.n > n]


def encode(fields: dict[str, Any]) -> str:
    return msgspec.json.encode(fields).decode()
