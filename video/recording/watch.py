"""Looks all the time whether the consents of those who are recorded, or about to be, still hold in the record.

Ours; docs/adr/video-recording.md. A look that fails or takes too long is none: after PATIENCE without one nobody is
recorded, and what came since the last one is never kept.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from video.ports import Recorder
from video.room.events import Consents, Unwatched
from video.room.model import Room
from video.signalling.visits import Visits

log = logging.getLogger("hearth.video")

PAUSE = 0.25
"""Seconds between two looks."""
PATIENCE = 3.0
"""Seconds without a look after which a recording ends."""


class Found(NamedTuple):
    """Agreements of a room that hold in the record, and that hold no more."""

    active: frozenset[int]
    void: frozenset[int]


Look = Callable[[Mapping[str, frozenset[int]]], Mapping[str, Found]]
"""By room, of the agreements asked for; called in a thread, raises whatever the database does."""


def agreements(room: Room) -> frozenset[int]:
    return frozenset(member.agreed for member in room.members.values() if member.agreed)


class Watch:
    """``look`` at the agreements of ``visits``, told to them and to ``recorder``."""

    def __init__(self, visits: Visits, recorder: Recorder, look: Look, patience: float = PATIENCE) -> None:
        self._visits, self._recorder, self._look, self._patience = visits, recorder, look, patience
        self._seen: dict[str, float] = {}
        self._looking: asyncio.Future[Any] | None = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PAUSE)
            asked = {room.id: agreements(room) for room in self._visits.live() if room.recorder}
            self._seen = {room: self._seen.get(room, loop.time()) for room in asked}
            if asked:
                await self._round(asked, loop.time())
                self._end_unseen(loop.time())

    async def _round(self, asked: Mapping[str, frozenset[int]], began: float) -> None:
        """One look at a time, also when it hangs."""
        if self._looking is not None and not self._looking.done():
            await asyncio.wait([self._looking], timeout=PAUSE)
            return
        self._looking = asyncio.ensure_future(asyncio.to_thread(self._look, asked))
        self._looking.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.wait([self._looking], timeout=self._patience / 2)
        if not self._looking.done() or self._looking.cancelled():
            return
        if error := self._looking.exception():
            log.warning("consents were not looked at", extra={"error": type(error).__name__})
            return
        for room, found in self._looking.result().items():
            self._tell(room, found, began)

    def _tell(self, room: str, found: Found, began: float) -> None:
        """First the room, which ends what does not hold; what is then still on held when the look began."""
        if room not in self._seen:
            return
        self._seen[room] = began
        self._visits.feed(room, Consents(active=found.active, void=found.void))
        self._recorder.confirm(room, began)

    def _end_unseen(self, now: float) -> None:
        for room, seen in self._seen.items():
            if now - seen > self._patience:
                self._visits.feed(room, Unwatched())
