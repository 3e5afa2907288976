"""The video service: parts tied together in one event loop, served, drained and stopped.

Ours; it knows neither the FHIR server nor its settings: the wiring hands in what it needs.
"""

import asyncio
import logging
import sqlite3
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from video.ports import Files, MediaBackend, Sealer, Spool, Watch
from video.room.model import Rules
from video.signalling.calls import Calls
from video.signalling.clock import Clock
from video.signalling.headers import refusals, same_origin, secured
from video.signalling.ledger import Ledger
from video.signalling.limits import LIMITS, Limit, Limits
from video.signalling.outbox import Outbox
from video.signalling.routes import LARGEST, Parts, Routes
from video.signalling.sessions import Sessions
from video.signalling.shared_files import SharedFiles
from video.signalling.socket import Sockets
from video.signalling.visits import Visits

log = logging.getLogger("hearth.video")

_LOOK, _SWEEP = 3.0, 60.0
_KEEP = 30 * 24 * 3600 * 1000
"""ms for which a room that is over is known as such."""
_LAST = 5.0
"""Seconds for which a stop waits for the spool; what is owed then is owed to the next process."""


VISITS: web.AppKey[Visits] = web.AppKey("visits", Visits)
"""The visits of the process, for routes that the wiring adds."""


def nowhere(member: str) -> list[dict[str, Any]]:
    """No ICE server: the media server's own address is in its answer."""
    return []


def no_chart(record: Mapping[str, str]) -> str:
    """Nothing stands beside the picture."""
    return ""


def peer(request: web.Request) -> str:
    return request.remote or ""


class Options(msgspec.Struct, frozen=True):
    """``origins`` under which the pages are served (empty: the host asked for); ``connect``: origins that the pages may
    call besides; ``secure``: the browser's side is TLS, here or at a proxy; ``pages`` adds the pages' own routes;
    ``files`` keeps what is sent (None: nothing can be), at most ``file_largest`` bytes each;
    ``relay``: pages use nothing but the TURN servers that ``ice`` gives;
    ``chart``: what stands beside a practitioner's picture, an address for ``encounter``, ``appointment``, ``patient``.
    """

    host: str = "127.0.0.1"
    port: int = 8081
    tls: ssl.SSLContext | None = None
    secure: bool = False
    origins: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    slots: int = 3
    rules: Rules = Rules()
    limits: dict[str, Limit] = msgspec.field(default_factory=lambda: dict(LIMITS))
    ice: Callable[[str], list[dict[str, Any]]] = nowhere
    relay: bool = False
    chart: Callable[[Mapping[str, str]], str] = no_chart
    address: Callable[[web.Request], str] = peer
    pages: Callable[[web.Application], None] | None = None
    files: Files | None = None
    file_largest: int = 10 * 1024 * 1024


class VideoService:
    """Made in the event loop. ``port`` is known once it is started."""

    def __init__(
        self, options: Options, backend: MediaBackend, spool: Spool, sealer: Sealer, watch: Watch, ledger: Path | str
    ) -> None:
        clock = Clock()
        self._options, self._clock, self._watch = options, clock, watch
        self._ledger = Ledger(ledger, sealer)
        self._outbox = Outbox(self._ledger, spool)
        self.visits = Visits(backend, self._ledger, self._outbox, clock, options.rules)
        self._calls = Calls(self.visits, backend, clock)
        self._sealer = sealer
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.port = options.port

    def application(self) -> web.Application:
        """The aiohttp application over this service."""
        options, tls = self._options, self._options.secure or self._options.tls is not None
        made = web.Application(
            middlewares=[secured(options.connect, tls=tls), refusals(self._watch), same_origin(options.origins)],
            client_max_size=LARGEST,
        )
        limits = Limits(asyncio.get_running_loop().time, options.limits)
        parts = Parts(
            sealer=self._sealer,
            ledger=self._ledger,
            visits=self.visits,
            calls=self._calls,
            sessions=Sessions(self._ledger, self._clock, secure=tls),
            sockets=Sockets(self.visits, self._calls, limits, self._watch),
            limits=limits,
            clock=self._clock,
            ice=options.ice,
            relay=options.relay,
            chart=options.chart,
            address=options.address,
            slots=options.slots,
            shared=SharedFiles(self.visits, options.files, options.file_largest),
        )
        made[VISITS] = self.visits
        Routes(parts).add_to(made)
        if options.pages is not None:
            options.pages(made)
        return made

    async def start(self) -> None:
        """Rooms of before are there again before the first request is."""
        self.visits.restore()
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._options.host, self._options.port, ssl_context=self._options.tls)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._tasks = [
            asyncio.create_task(self._outbox.run()),
            asyncio.create_task(_every(_LOOK, self._look)),
            asyncio.create_task(_every(_SWEEP, self._sweep)),
        ]

    async def stop(self) -> None:
        """Tells everybody and ends nothing: sessions and rooms wait in the ledger for the next process."""
        self.visits.drain()
        await self.visits.posts.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self.visits.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._hand_over()
        self._ledger.close()

    async def _hand_over(self) -> None:
        try:
            await asyncio.wait_for(self._outbox.deliver(), _LAST)
        except Exception as error:  # noqa: BLE001 (whatever the spool raises: the next process delivers)
            log.warning("facts left for the next start", extra={"error": type(error).__name__})

    async def run(self, stop: asyncio.Event, ready: Callable[[int], None]) -> None:
        """Serves until ``stop``; ``ready`` is told the port."""
        await self.start()
        ready(self.port)
        try:
            await stop.wait()
        finally:
            await self.stop()

    async def _look(self) -> None:
        self._calls.look()
        self.visits.save_what_is_left()

    async def _sweep(self) -> None:
        self._clock.follow()
        self._ledger.sweep(self._clock.now(), _KEEP)
        await asyncio.to_thread(self._ledger.checkpoint)


async def _every(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await do()
        except (sqlite3.Error, OSError) as error:
            log.error("round failed", extra={"error": type(error).__name__})
