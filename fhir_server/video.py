"""Visits as a part of this server: what the desk, the delivery and the video service are given, started and stopped.

docs/adr/video-record.md. Nothing of video knows store, keys or settings.
"""

import logging
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from time import time, time_ns
from typing import TYPE_CHECKING, Any

from fhir_server.audit.record import ACTION_OF, AuditRecord, Interaction, Outcome
from fhir_server.audit.refusals import PRESENTED, Refusals
from fhir_server.authorization.sealer import KeyringSealer
from fhir_server.keys import KeyName, KeyProblem
from fhir_server.lifeline import end_with_parent
from fhir_server.logs import start_logging
from fhir_server.settings import Settings
from fhir_server.store.sqlite import SqliteStore
from fhir_server.turns import Turns
from fhir_server.visits.desk import Desk
from fhir_server.visits.invitations import Invitations
from fhir_server.visits.nodes import Nodes
from fhir_server.visits.recording import ARCHIVIST, archiving
from resources import validation
from resources.errors import Unavailable
from resources.repository import Caller, Command, Grant, Grants, Mark, Version
from video.errors import Refused
from video.ports import Fact
from video.signalling.words import Word
from video.visit import ledger
from video.visit.delivery import Delivery
from video.visit.files import FileStore
from video.visit.spool import FactSpool
from video.visit.states import TABLE

if TYPE_CHECKING:
    from fhir_server.wiring import Process

log = logging.getLogger("hearth.video")

_FOLDER, _FACTS, _FILES = "video", "facts.sqlite", "files"
_PEOPLE = ("Patient", "Practitioner", "PractitionerRole", "RelatedPerson")
_CONSENTED = Grant("Consent", "ru", confidential=True)
_MADE = ("Communication", "Observation", "DocumentReference", "Binary")
_READS = tuple(Grant(type, "r", confidential=True) for type in _PEOPLE)
KEEPER = Caller(
    "video:desk",
    client="video",
    grants=Grants(
        (Grant("Encounter", "crsu", confidential=True), Grant("Appointment", "ru", confidential=True), *_READS)
    ),
)
"""Finds and begins the visits of those whom an Appointment names, who may be allowed to read no more than that."""
SCRIBE = Caller(
    "video:record",
    client="video",
    grants=Grants(
        (
            *(Grant(type, "ru", confidential=True) for type in ("Encounter", "Appointment")),
            *(Grant(type, "c", confidential=True) for type in _MADE),
            _CONSENTED,
            *_READS,
        )
    ),
)
"""Writes what happened; it can delete nothing, and search for nothing."""


class VisitSealer(KeyringSealer):
    """Of tickets, invitations and facts; meets video.ports.Sealer."""

    def open(self, purpose: str, sealed: bytes) -> bytes:
        try:
            return super().open(purpose, sealed)
        except (KeyProblem, Unavailable):
            raise Refused("sealed", "This was not sealed here.", 403) from None


def sealer(process: "Process") -> VisitSealer:
    return VisitSealer(process.keyring, KeyName.VIDEO)


def spool(process: "Process") -> FactSpool:
    """The facts on their way, in a file that the processes of one machine share."""
    return FactSpool(folder(process.settings) / _FACTS, sealer(process), now)


def files(process: "Process") -> FileStore:
    """The files that were sent in visits, until the record has them."""
    return FileStore(folder(process.settings) / _FILES, sealer(process))


def counts(process: "Process") -> tuple[int, int] | None:
    """How many facts wait to be written, and for a person; None where no visits are held."""
    if not (process.settings.data / _FOLDER / _FACTS).exists():
        return None
    facts = spool(process)
    try:
        return facts.counts()
    finally:
        facts.close()


def desk(process: "Process") -> Desk:
    """Who gets tickets, by the record and the keys of ``process``."""
    # Not rotated: rooms, members and the hashes of links must stay what they are.
    key = process.keyring.by_id(KeyName.VIDEO, 1).secret
    seals = sealer(process)
    return Desk(
        keeper=process.repository(KEEPER),
        invitations=Invitations(process.store.session, key, seals, now),
        nodes=Nodes(process.store.session, now),
        key=key,
        sealer=seals,
        ask=lambda sql, values: process.store.session().query(sql, values),
        base=process.settings.video_url,
        now=now,
    )


class VisitRecord:
    """Meets video.visit.delivery.Record over ``process``."""

    def __init__(self, process: "Process", caller: Caller = SCRIBE) -> None:
        for name, sql in ledger.MARKS.items():
            process.store.register_mark(name, sql)
        self._store, self._repository = process.store, process.repository(caller)

    def read(self, type: str, id: str) -> Version:
        return self._repository.read(type, id)

    def commit(self, commands: Sequence[Command], marks: Sequence[Mark], told: Sequence[Fact]) -> None:
        self._repository.commit(commands, marks, told=[record for fact in told for record in audited(fact)])

    def written(self, facts: Sequence[Fact]) -> frozenset[int]:
        return ledger.written(lambda sql, values: self._store.session().query(sql, values), facts)

    def over(self, room: str) -> bool:
        return ledger.is_over(lambda sql, values: self._store.session().query(sql, values), room)


def audited(fact: Fact) -> list[AuditRecord]:
    """What the audit trail hears of ``fact``, of when it happened; nothing where the resource it makes says it all."""
    word = TABLE[fact.kind].audit
    if word is None:
        return []
    interaction = Interaction(word.word)
    said = (str(fact.detail[name]) for name in word.detail if name in fact.detail)
    return [
        AuditRecord(
            recorded=fact.at * 1000,
            tenant=0,
            action=ACTION_OF[interaction],
            interaction=interaction,
            outcome=Outcome.MINOR if word.refused else Outcome.SUCCESS,
            who=fact.actor or fact.role or "video",
            client="video",
            request=f"{fact.room}.{fact.number}",
            patient=fact.patient,
            entity=fact.encounter,
            detail=" ".join((fact.kind.value, fact.role, *said)).replace("  ", " ").strip(),
        )
    ]


class AuditWatch:
    """Meets video.ports.Watch: what the service refused, a row each up to a number, then counted."""

    def __init__(self, refusals: Refusals) -> None:
        self._refusals = refusals

    def refused(self, what: str, room: str, member: str) -> None:
        joins = what.startswith("ticket") or what == Word.SESSION_UNKNOWN
        interaction = Interaction.VIDEO_JOIN if joins else Interaction.REFUSED
        request = f"{room}.{member}".strip(".")
        record = AuditRecord(
            time_ns() // 1000, 0, ACTION_OF[interaction], interaction, Outcome.MINOR, "", "video",
            request=request, detail=what,
        )  # fmt: skip
        try:
            self._refusals(record, PRESENTED)
        except Unavailable as error:
            log.error("a refusal is not in the audit trail", extra={"what": what, "code": error.code})


# --- the process that writes the record


def deliver(values: dict[str, Any]) -> None:
    """A child of the video service: writes facts to the record until it is told to stop, or the service is gone."""
    end_with_parent()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from fhir_server.wiring import Process

    settings = Settings(values)
    start_logging(settings.log_level)
    validation.prepare()
    with Process(settings) as process:
        take_turns(process)
        facts = spool(process)
        archive = archiving(folder(settings), sealer(process), VisitRecord(process, ARCHIVIST), now, stop)
        archive.start()
        try:
            Delivery(facts, files(process), VisitRecord(process), now).run(stop)
        finally:
            stop.set()
            archive.join()
            facts.close()


def take_turns(process: "Process") -> None:
    """Of several processes on one SQLite file; on PostgreSQL nobody waits for the whole database."""
    if isinstance(process.store, SqliteStore):
        process.store.writing = Turns(process.settings.data)


def folder(settings: Settings) -> Path:
    """Where the processes that hold visits keep what outlives them."""
    made = settings.data / _FOLDER
    made.mkdir(mode=0o700, parents=True, exist_ok=True)
    return made


def now() -> int:
    """ms since 1970 UTC."""
    return int(time() * 1000)
