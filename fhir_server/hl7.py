"""The HL7 v2 bridge as a process of this server: what it is given, and how it is started and stopped.

HL7 v2.5.1 section 2.9; docs/adr. The bridge itself knows neither store nor settings.
"""

import asyncio
import logging
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from fhir_server.audit.record import Interaction, event
from fhir_server.authorization.sealer import KeyringSealer
from fhir_server.hl7_applying import People, apply, derived, now_ms, record_of, take_turns
from fhir_server.hl7_metrics import BridgeMetrics
from fhir_server.keys import KeyName, KeyProblem
from fhir_server.memory import keep_what_is_there, share_one_heap
from fhir_server.repository import BoundRepository
from fhir_server.settings import SettingError, Settings
from fhir_server.store.sqlite import SqliteStore
from fhir_server.wiring import Process
from hl7_bridge.crew import Crew
from hl7_bridge.journal import MARKS, Sealing, SqlJournal
from hl7_bridge.mllp.listener import Limits
from hl7_bridge.outbound.delivery import Delivery
from hl7_bridge.outbound.follower import Follower
from hl7_bridge.ports import Ended
from hl7_bridge.reception import Times
from hl7_bridge.record import FollowUps
from hl7_bridge.renewal import Renewal
from hl7_bridge.service import Bridge, Options
from hl7_bridge.site.answers import Senders
from hl7_bridge.site.files import SiteError, read_site
from hl7_bridge.site.live import LiveSite
from hl7_bridge.site.model import Site
from hl7_bridge.worklist import Replays
from resources.errors import FhirError, Unavailable
from resources.repository import Caller

log = logging.getLogger("hearth.hl7")

PORT = 2575
"""Registered for HL7; taken when ``hearth serve hl7`` is told none."""
_UNFINISHED = 4
"""Messages of the largest size that may be on their way at once."""
_SWITCH = 0.0005
"""Seconds that a thread may keep the interpreter from another: each answer is a system call, after which the listener
would otherwise wait 5 ms for the thread that writes the journal."""
_PAUSE = 0.5
"""Seconds between two looks at the record's changes."""


class JournalSealer(KeyringSealer):
    """Of the journal's messages; what does not open is for the moment unavailable."""

    def open(self, purpose: str, sealed: bytes) -> bytes:
        try:
            return super().open(purpose, sealed)
        except KeyProblem as error:
            raise Unavailable(str(error)) from None


def journal_of(process: Process) -> SqlJournal:
    """The journal in the database of ``process``, whose store then knows the marks of it."""
    for name, sql in MARKS.items():
        process.store.register_mark(name, sql)
    sealer = JournalSealer(process.keyring, KeyName.HL7_JOURNAL)
    sealing = Sealing(derived(process, b"hl7 index"), sealer, encrypt=process.settings.at_rest == "envelope")
    court = _court(process) if isinstance(process.store, SqliteStore) else None
    return SqlJournal(process.settings.database_url, sealing, alone=partial(_alone, process), court=court)


def _court(process: Process) -> Path:
    """Where messages are durable on SQLite before they are in the journal."""
    return process.settings.data / "hl7-forecourt.db"


def _open_forecourt(process: Process) -> None:
    """On SQLite messages are durable in a file of their own before they are in the journal. Raises SettingError."""
    if not isinstance(process.store, SqliteStore):
        return
    path = _court(process)
    try:
        process.journal.open_forecourt(path)
    except BlockingIOError:
        raise SettingError(
            f"DATA_DIR {path.parent} is served by another HL7 bridge; stop that one, or give this one a folder of its "
            "own. Several bridges on one record need PostgreSQL."
        ) from None
    except Unavailable as error:
        raise SettingError(str(error)) from None


def _alone(process: Process) -> AbstractContextManager[Any]:
    """On SQLite the lock that the record's writers of this process hold."""
    return getattr(process.store, "writing", None) or nullcontext()


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingError when the site kit or the TLS files cannot be used."""
    try:
        site = read_site(settings.hl7_site)
    except SiteError as error:
        raise SettingError(f"HL7_SITE {settings.hl7_site} cannot be used:\n{error}") from None
    tls = _tls(settings)
    share_one_heap()
    settings.metrics_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with Process(settings) as process:
        take_turns(process)
        asyncio.run(_serve(process, site, tls))


async def _serve(process: Process, site: Site, tls: ssl.SSLContext | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    metrics = BridgeMetrics()
    made = bridge(process, site, metrics, tls)
    keep_what_is_there()
    sys.setswitchinterval(_SWITCH)
    metrics.watch(
        lambda: made.listener.connections if made.listener else 0,
        lambda: process.journal.forecourt.aside if process.journal.forecourt else 0,
    )
    await made.run(stop, lambda port: log.info("listening", extra={"host": process.settings.hl7_host, "port": port}))


def bridge(process: Process, site: Site, metrics: BridgeMetrics, tls: ssl.SSLContext | None = None) -> Bridge:
    """The bridge over ``process``; others apply, in processes of their own."""
    settings, journal = process.settings, process.journal
    _open_forecourt(process)
    people, live = People(process), LiveSite(settings.hl7_site, site)
    _follower(site, journal, people.repository)  # whatever changes once somebody can reach us is told

    def crew(told: Callable[[Ended], None]) -> Crew:
        return Crew(apply, (dict(settings.values), live), settings.hl7_workers, told, journal.release_dead)

    renewal = Renewal(live, lambda now: _outbound(now, journal, people.repository), lambda now: made.renew(now))
    made = Bridge(
        site=site,
        journal=journal,
        appliers=crew,
        follow_ups=lambda: FollowUps(record_of(process, live.site), people.repository("upkeep")),
        options=_options(settings, tls),
        telemetry=metrics,
        rounds=(metrics.sample, lambda: _reread(process, live.site)),
        beside=(renewal.run,),
    )
    return made


def _reread(process: Process, site: Site) -> None:
    """Messages that hold a code somebody answered, a round of them, noted as that person's replays."""

    def note(id: int, who: str) -> None:
        caller = Caller(who, client="hl7")
        process.spool.append([event(caller, Interaction.HL7_MESSAGE, entity=f"hl7/{id}", detail="replay")])

    Replays(process.journal, Senders(site, lambda: ()), now_ms).follow(note)


def _options(settings: Settings, tls: ssl.SSLContext | None) -> Options:
    return Options(
        host=settings.hl7_host,
        port=settings.hl7_port or PORT,
        tls=tls,
        is_open=settings.open,
        retention_days=settings.hl7_retention_days,
        stop_seconds=settings.stop_seconds,
        limits=Limits(
            settings.hl7_message_max,
            _UNFINISHED * settings.hl7_message_max,
            settings.hl7_connections,
            idle=settings.hl7_idle_seconds,
        ),
        times=Times(original=settings.hl7_answer_seconds),
    )


def _follower(site: Site, journal: SqlJournal, repository_for: Callable[[str], BoundRepository]) -> Follower:
    follower = Follower(site, repository_for("outbound"), journal.outbox, journal.stamps)
    follower.begin()
    return follower


def _outbound(
    site: Site, journal: SqlJournal, repository_for: Callable[[str], BoundRepository]
) -> tuple[Callable[[asyncio.Event], Awaitable[None]], ...]:
    """What follows the record and what delivers; nothing when nobody is to be told."""
    if not site.receivers:
        return ()
    follower = _follower(site, journal, repository_for)
    delivery = Delivery(site, journal, journal.outbox.about, repository_for, now_ms)

    async def follow(stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                more = await asyncio.to_thread(follower.step)
            except FhirError as error:
                log.warning("changes cannot be followed", extra={"code": error.code})
                more = False
            if not more:
                await asyncio.wait({asyncio.ensure_future(stop.wait())}, timeout=_PAUSE)

    return follow, delivery.run


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.hl7_tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.hl7_tls_cert, settings.hl7_tls_key)
        if settings.hl7_tls_ca:
            context.load_verify_locations(settings.hl7_tls_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise SettingError(f"HL7_TLS_CERT, HL7_TLS_KEY or HL7_TLS_CA cannot be used: {error}") from None
    return context
