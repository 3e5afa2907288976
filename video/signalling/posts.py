"""Who is connected: a mailbox for each member, and at most one socket, which a newer one takes over.

RFC 6455 section 7.4.2: closing codes of our own begin at 4000.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import WSCloseCode, web

from video.signalling.clock import Clock
from video.signalling.mailbox import Mailbox, encode

ENDED, TAKEN_OVER, LEFT, DENIED, TOO_OFTEN = 4000, 4001, 4002, 4003, 4008
CODES = {"ended": ENDED, "left": LEFT, "denied": DENIED}
"""Why the room parts with a member, as closing code."""

_PATIENCE = 2.0
"""Seconds for which a page that reads slowly may hold up a stop."""

Key = tuple[str, str]
"""Room and member."""


class Line:
    """One socket. ``sent``: the last number its page has; ``picture`` draws everything anew for who missed events."""

    def __init__(self, socket: web.WebSocketResponse, box: Mailbox, sent: int, picture: Callable[[], dict[str, Any]]):
        self.socket, self._box, self._sent, self._picture = socket, box, sent, picture
        self._code: int | None = None
        self.closed = asyncio.Event()

    async def write(self) -> None:
        """Sends what comes until the line ends."""
        while True:
            self._box.news.clear()
            for text in self._due():
                await self.socket.send_str(text)
            if self._code is not None and self._sent == self._box.n:
                await self.socket.close(code=self._code)
                self.closed.set()
                return
            if self._sent == self._box.n:
                await self._box.news.wait()

    def _due(self) -> list[str]:
        letters = self._box.after(self._sent)
        if letters is None:
            self._sent = self._box.n
            return [encode({"n": self._sent, "event": "state"} | self._picture())]
        if letters:
            self._sent = letters[-1].n
        return [letter.text for letter in letters]

    def anew(self) -> None:
        """The whole picture next."""
        self._sent = -1
        self._box.news.set()

    def end(self, code: int) -> None:
        """Once everything is sent."""
        self._code = code
        self._box.news.set()


class Posts:
    """Of all rooms."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._boxes: dict[Key, Mailbox] = {}
        self._lines: dict[Key, Line] = {}
        self._closings: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._lines)

    def box(self, key: Key) -> Mailbox:
        if key not in self._boxes:
            self._boxes[key] = Mailbox(self._clock.now())
        return self._boxes[key]

    def tell(self, key: Key, event: str, fields: dict[str, Any]) -> None:
        """Who never asked has no box and sees everything when they come."""
        if key in self._boxes:
            self._boxes[key].put(event, fields)

    def connect(self, key: Key, line: Line) -> None:
        """The newest socket is the member's."""
        earlier = self._lines.get(key)
        self._lines[key] = line
        if earlier is not None:
            closing = asyncio.ensure_future(earlier.socket.close(code=TAKEN_OVER))
            self._closings.add(closing)
            closing.add_done_callback(self._closings.discard)

    def disconnect(self, key: Key, line: Line) -> bool:
        """False when another socket had taken over before."""
        if self._lines.get(key) is not line:
            return False
        del self._lines[key]
        return True

    def part(self, key: Key, why: str) -> None:
        if key in self._lines:
            self._lines[key].end(CODES.get(why, ENDED))

    def forget(self, room: str) -> None:
        for key in [key for key in self._boxes if key[0] == room]:
            del self._boxes[key]

    async def close(self) -> None:
        """All sockets, because the server stops; the pages come back to the next one."""
        lines = list(self._lines.values())
        for line in lines:
            line.end(WSCloseCode.SERVICE_RESTART)
        closed = [asyncio.ensure_future(line.closed.wait()) for line in lines]
        if closed:
            _, slow = await asyncio.wait(closed, timeout=_PATIENCE)
            for task in slow:
                task.cancel()
        await asyncio.gather(*(line.socket.close(code=WSCloseCode.SERVICE_RESTART) for line in lines))
