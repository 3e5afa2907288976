"""Letters to patients as a part of this server: what the outbox is given, and the threads of the worker that run it.

docs/reminders.md, docs/adr/outbox.md. Nothing runs where neither SMTP_HOST nor WEBHOOK_URL says where letters go.
"""

import logging
from collections.abc import Callable
from threading import Event, Thread
from time import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from fhir_server.authorization.sealer import KeyringSealer
from fhir_server.keys import KeyName, KeyProblem
from fhir_server.outbox.addresses import Channel
from fhir_server.outbox.channels import ChannelOut, Smtp, Webhook
from fhir_server.outbox.delivery import Delivery, Site
from fhir_server.outbox.follower import Follower
from fhir_server.outbox.planning import Rules
from fhir_server.outbox.queue import MARKS, Queue
from resources import validation
from resources.errors import FhirError
from resources.repository import Caller, Grant, Grants
from video.visit.moments import moment

if TYPE_CHECKING:
    from fhir_server.settings import Settings
    from fhir_server.wiring import Process

log = logging.getLogger("hearth.outbox")

Json = dict[str, Any]

KEEPER = Caller(
    "outbox:letters",
    client="outbox",
    grants=Grants(
        (
            Grant("Appointment", "rs", confidential=True),
            Grant("Flag", "s", confidential=True),
            Grant("Patient", "r", confidential=True),
            Grant("Communication", "cu", confidential=True),
        )
    ),
)
"""Knows when a visit is and how its patient is reached; writes what it sent."""
_PAUSE = 2.0
"""Seconds between two looks."""
_SENDERS = 2
_DAY = 86_400_000
_KEPT = 30 * _DAY
_LEAST_DAYS, _MOST_DAYS = 100, 365
_INVITATION = "#invitation="


def start(process: "Process", stop: Event) -> list[Thread]:
    """Threads that plan and send letters until ``stop``; none where there is no way out."""
    if not process.settings.letters:
        return []
    validation.prepare()
    waiting, follower = queue(process), Follower(process.repository(KEEPER), queue(process), rules(process.settings))
    deliveries = [Delivery(process.repository(KEEPER), waiting, site(process)) for _ in range(_SENDERS)]
    steps: list[Callable[[], bool]] = [follower.step, *(each.step for each in deliveries)]
    # Daemons: a worker that breaks ends, and is started again.
    threads = [Thread(target=_run, args=(step, stop), name=f"letters {n}", daemon=True) for n, step in enumerate(steps)]
    for thread in threads:
        thread.start()
    return threads


def forget(process: "Process") -> None:
    """What is of visits long ago."""
    if process.settings.letters:
        queue(process).purge(now() - _KEPT)


def queue(process: "Process") -> Queue:
    """The letters in the database of ``process``, whose store then knows the marks of it."""
    for name, sql in MARKS.items():
        process.store.register_mark(name, sql)
    key = process.keyring.by_id(KeyName.INDEX, 1).secret  # not rotated: its hashes are stored
    return Queue(process.store.session, key, KeyringSealer(process.keyring, KeyName.OUTBOX), now)


def rules(settings: "Settings") -> Rules:
    return Rules(settings.reminders, settings.quiet_hours, ZoneInfo(settings.time_zone))


def site(process: "Process") -> Site:
    """How letters leave, and where they lead."""
    settings = process.settings
    visit_link, link_holds = _links(process) if settings.video and settings.letter_link == "visit" else (None, _never)
    return Site(
        channels=channels(settings),
        clinic=settings.clinic_name,
        zone=ZoneInfo(settings.time_zone),
        account=f"{settings.issuer}/my/",
        visit_link=visit_link,
        link_holds=link_holds,
    )


def channels(settings: "Settings") -> dict[Channel, ChannelOut]:
    found: dict[Channel, ChannelOut] = {}
    if settings.smtp_host:
        found["smtp"] = Smtp(
            host=settings.smtp_host,
            port=settings.smtp_port,
            tls=settings.smtp_tls,
            user=settings.smtp_user,
            password=settings.smtp_password,
            sender=settings.smtp_from,
            domain=urlsplit(settings.base_url).hostname or "localhost",
        )
    if settings.webhook_url:
        found["webhook"] = Webhook(settings.webhook_url, settings.webhook_secret, lambda: int(time()))
    return found


def _links(process: "Process") -> tuple[Callable[[Json], str], Callable[[str], bool]]:
    """What makes a link into a visit, and what says whether it still opens one."""
    from fhir_server import video
    from fhir_server.operations.visit import invited

    desk = video.desk(process)

    def made(appointment: Json) -> str:
        ahead = ((moment(appointment.get("start")) or 0) - now()) // _DAY + 2
        days = min(_MOST_DAYS, max(_LEAST_DAYS, ahead))
        return invited(desk, process.spool.append, KEEPER, appointment, days)

    return made, lambda link: desk.invitations.find(unquote(link.partition(_INVITATION)[2])) is not None


def _never(link: str) -> bool:
    return False


def _run(step: Callable[[], bool], stop: Event) -> None:
    while not stop.is_set():
        try:
            more = step()
        except (FhirError, KeyProblem) as error:
            log.warning("letters wait", extra={"error": type(error).__name__})
            more = False
        except Exception as error:  # noqa: BLE001 one letter that nobody foresaw must not hold up all others
            log.error("a letter cannot be planned or sent", extra={"error": type(error).__name__})
            more = False
        if not more:
            stop.wait(_PAUSE)


def now() -> int:
    """ms since 1970 UTC."""
    return int(time() * 1000)
