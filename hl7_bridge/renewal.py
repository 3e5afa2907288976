"""While the bridge runs: a changed site kit reaches who takes messages and who sends them; no connection ends for it.

Ours. Those who apply look for themselves, see site.live.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from hl7_bridge.site.live import LiveSite
from hl7_bridge.site.model import Site

ROUND = 2.0
"""Seconds between two looks."""

Task = Callable[[asyncio.Event], Awaitable[None]]
"""Goes on until the event is set."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """``outbound`` makes the tasks that send, which begin anew when what they go by has changed; ``taken`` is told of
    each new site."""

    live: LiveSite
    outbound: Callable[[Site], Sequence[Task]]
    taken: Callable[[Site], None]
    seconds: float = ROUND

    async def run(self, stop: asyncio.Event) -> None:
        """Look and send until ``stop`` is set."""
        while not stop.is_set():
            ended = asyncio.Event()
            tasks = [asyncio.ensure_future(task(ended)) for task in self.outbound(self.live.site)]
            try:
                await self._same(stop)
            finally:
                ended.set()
                if tasks:
                    await asyncio.wait(tasks)

    async def _same(self, stop: asyncio.Event) -> None:
        """Until ``stop``, or until those who send have to begin anew."""
        before = _sending(self.live.site)
        while not stop.is_set() and _sending(self.live.site) == before:
            await asyncio.wait({waiting := asyncio.ensure_future(stop.wait())}, timeout=self.seconds)
            waiting.cancel()
            if await asyncio.to_thread(self.live.look):
                self.taken(self.live.site)


def _sending(site: Site) -> object:
    return site.receivers, site.application, site.facility, site.authorities
