"""The video service as a process of this server, and the child of it that writes the record.

docs/adr/video-record.md; `hearth serve video`. What the media loop must not wait for is done elsewhere: facts become
the record in a process of their own, links are looked up in threads.
"""

import asyncio
import logging
import multiprocessing
import signal
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from fhir_server import video
from fhir_server.audit.record import ACTION_OF, AuditRecord, Interaction, Outcome
from fhir_server.audit.refusals import PRESENTED
from fhir_server.http.address import behind_proxies
from fhir_server.memory import keep_what_is_there
from fhir_server.settings import VIDEO_PORT, SettingError, Settings
from fhir_server.visits.desk import Desk
from fhir_server.visits.nodes import BEAT
from fhir_server.visits.presence import PATH, answered
from fhir_server.visits.recording import WATCHER, Recorders
from fhir_server.wiring import Process
from video.errors import Refused
from video.media.backend import ForwardingBackend
from video.page.routes import routes
from video.ports import MediaBackend, Sealer
from video.room.events import Revoked
from video.room.model import Room, Rules, Standing
from video.signalling.invitation import Invitations
from video.signalling.service import VISITS, Options, VideoService
from video.signalling.visits import Visits
from video.turn import ice_servers

log = logging.getLogger("hearth.video")

_LOOK, _LONGEST = 0.5, 15.0
"""Seconds between two looks at the child, and at most before it is started again."""
_SETTLE, _LINKS = 30.0, 1.0
_CONTEXT = multiprocessing.get_context("spawn")


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingError when addresses, ports or TLS files cannot be used."""
    tls = _tls(settings)
    with Process(settings) as process:
        video.take_turns(process)
        asyncio.run(_serve(process, tls))


async def _serve(process: Process, tls: ssl.SSLContext | None) -> None:
    stop, settings = asyncio.Event(), process.settings
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    media, scribe = _media(settings), Scribe(settings)
    service = service_of(process, media, tls)
    recorders = Recorders(
        process.repository(WATCHER), video.folder(settings), video.sealer(process), service.visits, media
    )
    works = (
        scribe.run(), _settle(process), watch_links(process, service.visits), recorders.watch.run(),
        say_alive(process, service.visits),
    )  # fmt: skip
    beside = [asyncio.create_task(work) for work in works]
    keep_what_is_there()
    try:
        await service.run(stop, lambda port: log.info("listening", extra={"host": settings.video_host, "port": port}))
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        recorders.recorder.close()
        await media.close()
        await asyncio.to_thread(scribe.stop, float(settings.stop_seconds))


def _media(settings: Settings) -> ForwardingBackend:
    """The media server. Raises SettingError."""
    addresses, port = settings.video_media_addresses or (settings.video_host,), settings.video_media_port
    try:
        return ForwardingBackend(tuple(addresses), port)
    except (OSError, ValueError) as error:
        raise SettingError(f"VIDEO_MEDIA_ADDRESSES or VIDEO_MEDIA_PORT {port} cannot be used: {error}") from None


async def _settle(process: Process) -> None:
    """Refusals that were counted are told within a minute or two."""
    while True:
        await asyncio.sleep(_SETTLE)
        await asyncio.to_thread(process.refusals.settle)


async def watch_links(process: Process, visits: Visits) -> None:
    """Who came by a link that was revoked is out within a second or so, or as soon as the database answers again."""
    desk, away = video.desk(process), False
    while True:
        await asyncio.sleep(_LINKS)
        guests = {room.id: (room.encounter, room.appointment) for room in visits.live() if _has_guests(room)}
        try:
            found = await asyncio.to_thread(desk.put_out, guests)
        except Exception as error:  # noqa: BLE001 (whatever the database raises: links are looked at again)
            if not away:
                log.warning("links were not looked at", extra={"error": type(error).__name__})
            away = True
            continue
        away = False
        for room, member in found:
            visits.feed(room, Revoked(member))


async def say_alive(process: Process, visits: Visits) -> None:
    """Which visits are here is known where tickets are given; while the database is away nobody asks."""
    nodes, url = video.desk(process).nodes, process.settings.video_url
    while True:
        try:
            await asyncio.to_thread(nodes.beat, url, len(visits.live()), visits.draining)
        except Exception as error:  # noqa: BLE001 (whatever the database raises: it is said again)
            log.info("not said to be there", extra={"error": type(error).__name__})
        await asyncio.sleep(BEAT)


def _has_guests(room: Room) -> bool:
    return any(not member.practises and member.standing is not Standing.DENIED for member in room.members.values())


def service_of(process: Process, backend: MediaBackend, tls: ssl.SSLContext | None = None) -> VideoService:
    """The service over ``process``; made in the event loop."""
    settings = process.settings
    return VideoService(
        options_of(process, tls),
        backend,
        video.spool(process),
        video.sealer(process),
        video.AuditWatch(process.refusals),
        video.folder(settings) / "rooms.sqlite",
    )


def options_of(process: Process, tls: ssl.SSLContext | None) -> Options:
    settings, desk = process.settings, video.desk(process)
    base, api = urlsplit(settings.video_url), urlsplit(settings.base_url)
    turn, secret = settings.video_ice_servers, settings.video_ice_secret
    longest = settings.video_longest_hours * 3600

    def address(request: web.Request) -> str:
        told = ",".join(request.headers.getall("X-Forwarded-For", []))
        return behind_proxies(request.remote or "", told, settings.proxies)

    def pages(application: web.Application) -> None:
        Invitations(lambda link, whose: redeemed(process, desk, link, whose), address).add_to(application)
        application.router.add_get(PATH, partial(presence, video.sealer(process)))
        application.add_routes(routes(frames=(f"{api.scheme}://{api.netloc}",)))

    return Options(
        host=settings.video_host,
        port=settings.video_port or VIDEO_PORT,
        tls=tls,
        secure=base.scheme == "https",
        origins=(f"{base.scheme}://{base.netloc}",),
        connect=(f"{api.scheme}://{api.netloc}",),
        ice=lambda member: ice_servers(turn, secret, member, video.now() // 1000, longest),
        rules=Rules(longest=longest * 1000, recording=settings.video_recording),
        relay=settings.video_relay_only,
        files=video.files(process) if settings.video_file_max else None,
        file_largest=settings.video_file_max,
        address=address,
        chart=partial(chart_of, settings.issuer),
        pages=pages,
    )


def chart_of(issuer: str, record: Mapping[str, str]) -> str:
    """The address of the clinicians' page that stands beside the picture."""
    return f"{issuer}/visits/chart/{record['encounter'] or record['patient']}"


async def presence(sealer: Sealer, request: web.Request) -> web.Response:
    """Who is in front of which door, sealed, for a process that asks with the same keys. Raises Refused."""
    question = request.headers.get("Authorization", "").removeprefix("Bearer ")
    body = answered(sealer, question, request.app[VISITS].live(), video.now())
    return web.Response(body=body, content_type="application/octet-stream")


def redeemed(process: Process, desk: Desk, link: str, address: str = "") -> Mapping[str, str]:
    """A sealed ticket for the link of an invitation, and where to go with it when that is another process; told to the
    audit trail either way. Raises Refused."""
    try:
        seat = desk.redeem(link)
    except Refused as error:
        process.refusals(_ticket(Outcome.MINOR, address, detail=f"invitation: {error.code}"), PRESENTED)
        raise
    detail = f"invitation {seat.role} {seat.room}.{seat.member}"
    told = _ticket(Outcome.SUCCESS, address, patient=seat.patient, entity=seat.encounter, detail=detail)
    process.spool.append([told])
    here = seat.url.startswith(f"{process.settings.video_url}/visit#")
    return {"ticket": seat.ticket} if here else {"ticket": seat.ticket, "url": seat.url}


def _ticket(outcome: Outcome, address: str, **of: str) -> AuditRecord:
    word = Interaction.VIDEO_TICKET
    return AuditRecord(video.now() * 1000, 0, ACTION_OF[word], word, outcome, "", "video", address, **of)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.video_tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.video_tls_cert, settings.video_tls_key)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(f"VIDEO_TLS_CERT or VIDEO_TLS_KEY cannot be used: {error}") from None
    return context


class Scribe:
    """Keeps a process running that writes facts to the record, whatever becomes of it."""

    def __init__(self, settings: Settings, body: Callable[[dict[str, Any]], None] = video.deliver) -> None:
        self._values, self._body = dict(settings.values), body
        self.process: BaseProcess | None = None

    async def run(self) -> None:
        pause = _LOOK
        while True:
            self.process = _CONTEXT.Process(target=self._body, args=(self._values,), name="video scribe")
            self.process.start()
            begun = asyncio.get_running_loop().time()
            while self.process.is_alive():
                await asyncio.sleep(_LOOK)
            lived = asyncio.get_running_loop().time() - begun
            pause = _LOOK if lived > _LONGEST else min(_LONGEST, pause * 2)
            log.warning("the process that writes visits died", extra={"status": self.process.exitcode, "again": pause})
            await asyncio.sleep(pause)

    def stop(self, seconds: float) -> None:
        """It finishes what it has in hand; what waits then waits in the spool."""
        if self.process is None or not self.process.is_alive():
            return
        self.process.terminate()
        self.process.join(seconds)
        if self.process.is_alive():
            self.process.kill()
