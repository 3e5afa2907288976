"""Hands facts over to the spool: in order, in a thread, again until it has them.

Ours; a disk that is slow or full holds up no media and no visit.
"""

import asyncio
import logging

from video.ports import Spool
from video.signalling.ledger import Ledger

log = logging.getLogger("hearth.video")

_AT_ONCE = 100
_FIRST, _LONGEST = 0.2, 5.0
"""Seconds before a second try, and at most."""


class Outbox:
    """One task runs it; ``news`` is set when the ledger owes something."""

    def __init__(self, ledger: Ledger, spool: Spool) -> None:
        self._ledger, self._spool = ledger, spool
        self.news = asyncio.Event()
        self.news.set()

    async def run(self) -> None:
        pause = _FIRST
        while True:
            await self.news.wait()
            try:
                await self.deliver()
                pause = _FIRST
            except Exception as error:  # noqa: BLE001 (a spool may raise whatever its disk does; the facts stay owed)
                log.error("facts not spooled", extra={"error": type(error).__name__})
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST)

    async def deliver(self) -> None:
        """All that is owed. Raises what the spool raises."""
        self.news.clear()
        try:
            while facts := self._ledger.owed(_AT_ONCE):
                await asyncio.to_thread(self._spool.put, facts)
                self._ledger.paid(facts)
        except BaseException:
            self.news.set()
            raise
