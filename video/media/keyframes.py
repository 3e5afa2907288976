"""Asking for key frames: not at once for each who asks, and never forgetting the last one.

RFC 4585 section 6.3.1 (PLI), RFC 5104 section 3.5.1 (why requests are gathered).
"""

import asyncio
from collections.abc import Callable

PAUSE = 0.5
"""Seconds between two requests for one picture."""


class KeyFrames:
    """``ask`` sends the request."""

    __slots__ = ("_ask", "_last", "_later")

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask = ask
        self._last = float("-inf")
        self._later: asyncio.TimerHandle | None = None

    def want(self) -> None:
        """Now, or when PAUSE is over: whoever came in between gets a key frame too."""
        if self._later is not None:
            return
        loop = asyncio.get_running_loop()
        self._later = loop.call_at(max(loop.time(), self._last + PAUSE), self._now)
        if self._last + PAUSE <= loop.time():
            self._later.cancel()
            self._now()

    def _now(self) -> None:
        self._later, self._last = None, asyncio.get_running_loop().time()
        self._ask()

    def stop(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
