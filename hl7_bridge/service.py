"""The process of the bridge: listener, journal writer, those who apply, and upkeep, until it is told to stop.

HL7 v2.5.1 section 2.9. A stop takes no more connections, answers and applies what is begun, and leaves the rest, which
is durable, to the next start or another node.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic, time

from hl7_bridge.door import Caps
from hl7_bridge.journal import SqlJournal
from hl7_bridge.mllp.listener import Limits, Listener
from hl7_bridge.outcomes import Outcomes
from hl7_bridge.ports import Applying, Ended
from hl7_bridge.reception import BridgeReception, Times
from hl7_bridge.record import FollowUps
from hl7_bridge.site.model import Site
from hl7_bridge.strangers import Strangers
from hl7_bridge.takeover import Takeover
from hl7_bridge.telemetry import Silent, Telemetry
from hl7_bridge.workers import Writer, at_once
from resources.errors import FhirError

log = logging.getLogger("hearth.hl7")

_ROUND = 2.0
"""Seconds between two rounds of upkeep."""
_PURGE = 3600.0
"""Seconds between two looks for messages that are old enough to go."""
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Options:
    """How the bridge runs. ``port`` 0 takes any; ``retention_days`` 0 keeps messages for ever."""

    host: str = "127.0.0.1"
    port: int = 2575
    tls: ssl.SSLContext | None = None
    is_open: bool = False
    retention_days: int = 0
    stop_seconds: float = 30.0
    limits: Limits = field(default_factory=Limits)
    caps: Caps = field(default_factory=Caps)
    times: Times = field(default_factory=Times)


class Bridge:
    """``appliers`` makes those who apply, given whom they tell. ``keeper`` gives the record as upkeep may change it.
    ``rounds`` are further upkeep, ``beside`` further tasks, given the event of the stop."""

    def __init__(
        self,
        site: Site,
        journal: SqlJournal,
        appliers: Callable[[Callable[[Ended], None]], Applying],
        follow_ups: Callable[[], FollowUps],
        options: Options,
        telemetry: Telemetry | None = None,
        rounds: Sequence[Callable[[], object]] = (),
        beside: Sequence[Callable[[asyncio.Event], Awaitable[None]]] = (),
    ) -> None:
        self._site, self._journal, self._follow_ups = site, journal, follow_ups
        self._options, self._telemetry = options, telemetry or Silent()
        self._rounds, self._beside = rounds, beside
        self._late: list[int] = []
        self._purged = -_PURGE
        self._appliers = appliers(self._told)
        self._takeover = Takeover(journal, self._appliers.wake) if journal.forecourt else None
        self._writer = Writer(self._takeover.keep) if self._takeover else Writer(at_once(journal), self._appliers.wake)
        self._outcomes: Outcomes | None = None
        self._reception: BridgeReception | None = None
        self._strangers = Strangers()
        self.listener: Listener | None = None

    def _backlog(self) -> int:
        return self._writer.backlog + (self._takeover.backlog if self._takeover else 0)

    def _told(self, ended: Ended) -> None:
        seconds = max(0.0, time() - ended.received / 1000)
        self._telemetry.ended(ended.sender, ended.outcome.state.value if ended.outcome else "postponed", seconds)
        if self._outcomes is not None:
            self._outcomes.told(ended)

    def renew(self, site: Site) -> None:
        """From now on messages are taken by ``site``; open connections stay."""
        self._site = site
        if self._reception is not None:
            self._reception.renew(site)

    # --- the process

    async def run(self, stop: asyncio.Event, started: Callable[[int], None] = lambda port: None) -> None:
        """Serve until ``stop`` is set; ``started`` is told the port. Raises OSError when it cannot listen."""
        loop = asyncio.get_running_loop()
        self._outcomes = Outcomes(self._journal, loop)
        self._reception = reception = BridgeReception(
            self._site,
            self._writer,
            self._backlog,
            self._outcomes,
            self._late.append,
            self._telemetry,
            caps=self._options.caps,
            times=self._options.times,
            is_open=self._options.is_open,
            counted=self._strangers,
        )
        self.listener = Listener(reception, self._options.limits)
        freed = await loop.run_in_executor(None, self._journal.release_dead)
        if freed:
            log.info("messages of a dead process taken over", extra={"count": freed})
        await self.listener.start(self._options.host, self._options.port, self._options.tls)
        if self._takeover:
            self._takeover.start(loop.call_soon_threadsafe)
        self._writer.start(loop.call_soon_threadsafe)
        self._appliers.start()
        tasks = [asyncio.ensure_future(self._outcomes.watch()), asyncio.ensure_future(self._upkeep())]
        beside = [asyncio.ensure_future(each(stop)) for each in self._beside]
        started(self.listener.ports[0])
        try:
            await stop.wait()
        finally:
            await self._finish(tasks, beside)

    async def _finish(self, tasks: "Sequence[asyncio.Future[None]]", beside: "Sequence[asyncio.Future[None]]") -> None:
        loop = asyncio.get_running_loop()
        assert self.listener is not None
        await self.listener.stop(self._options.stop_seconds / 2)
        await loop.run_in_executor(None, self._writer.stop)
        if self._takeover:
            await loop.run_in_executor(None, self._takeover.stop)
        await loop.run_in_executor(None, self._appliers.stop, self._options.stop_seconds / 2)
        if beside:
            await asyncio.wait(beside, timeout=self._options.stop_seconds / 2)
        for task in (*tasks, *beside):
            task.cancel()
        await asyncio.gather(*tasks, *beside, return_exceptions=True)

    async def _upkeep(self) -> None:
        """Lanes swept, late answers flagged, follow-ups done, old messages deleted; a fault waits for another round."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_ROUND)
            try:
                await loop.run_in_executor(None, self._round)
            except FhirError as error:
                log.warning("upkeep waits", extra={"code": error.code})
            except Exception:
                log.error("upkeep failed and goes on", exc_info=True)

    def _round(self) -> None:
        late, self._late[:] = self._late[:], []
        if late:
            self._journal.flag_late(late)
        if turned_away := self._strangers.drain():
            self._journal.note_strangers(turned_away)
        while self._journal.sweep():
            pass
        self._follow_ups().sweep()
        for each in self._rounds:
            each()
        days = self._options.retention_days
        if days and monotonic() > self._purged + _PURGE:
            self._purged = monotonic()
            self._journal.purge(int(time() * 1000) - days * _DAY_MS)
