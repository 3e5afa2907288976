"""Who waits for what becomes of a message: connections, for the application acknowledgement.

HL7 v2.5.1 section 2.9.3. Workers of this process tell at once; what another node applied is found by looking.
"""

import asyncio
import contextlib
import logging
from collections import OrderedDict

from hl7_bridge.ports import Ended, Journal, Outcome, State
from resources.errors import FhirError

log = logging.getLogger("hearth.hl7")

_RECENT, _MOMENT = 4096, 5.0
"""Ends that are remembered for whoever asks a moment too late, and that moment in seconds: not longer, because a person
may let a message begin anew."""
_LOOK, _LOOKED = 0.5, 500
"""Seconds between two looks into the journal, and messages that are looked for in one."""


class Outcomes:
    """Belongs to one event loop; ``told`` may be called from any thread."""

    def __init__(self, journal: Journal, loop: asyncio.AbstractEventLoop) -> None:
        self._journal, self._loop = journal, loop
        self._waiting: dict[int, list[asyncio.Future[Outcome]]] = {}
        self._looked = 0
        self._recent: OrderedDict[int, tuple[float, Outcome]] = OrderedDict()

    def told(self, ended: Ended) -> None:
        """A worker's word; what will be tried again is no end."""
        if ended.outcome is not None and ended.outcome.state is not State.RECEIVED:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._end, ended.id, ended.outcome)

    async def wait(self, id: int, seconds: float) -> Outcome | None:
        """What became of message ``id``; None when that takes longer."""
        known = self._recent.get(id)
        if known is not None and self._loop.time() - known[0] < _MOMENT:
            return known[1]
        future: asyncio.Future[Outcome] = self._loop.create_future()
        waiting = self._waiting.setdefault(id, [])
        waiting.append(future)
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return None
        finally:
            waiting.remove(future)
            if not waiting and self._waiting.get(id) is waiting:
                del self._waiting[id]

    async def watch(self) -> None:
        """Look for what other nodes brought to an end; runs until it is cancelled."""
        while True:
            await asyncio.sleep(_LOOK)
            ids = self._some()
            try:
                found = await self._loop.run_in_executor(None, self._journal.outcomes, ids) if ids else {}
            except FhirError as error:
                log.warning("the journal is away", extra={"code": error.code})
                continue
            for id, outcome in found.items():
                if outcome.state is not State.RECEIVED:
                    self._end(id, outcome)

    def _some(self) -> list[int]:
        """Those that wait, in turns when they are many: most are told of by workers of this process."""
        ids = [id for id in self._waiting if id > self._looked][:_LOOKED] or list(self._waiting)[:_LOOKED]
        self._looked = ids[-1] if len(ids) == _LOOKED else 0
        return ids

    def _end(self, id: int, outcome: Outcome) -> None:
        self._recent[id] = (self._loop.time(), outcome)
        self._recent.move_to_end(id)
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)
        for future in self._waiting.get(id, ()):
            if not future.done():
                future.set_result(outcome)
