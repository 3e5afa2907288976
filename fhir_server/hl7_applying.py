"""The processes of the HL7 v2 bridge that apply messages: what each is given, and what is the same for all of them.

HL7 v2.5.1 section 2.9.3. Each is a child of the bridge with a journal, a store and threads of its own.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from threading import Lock
from time import time
from typing import Any

from fhir_server.keys import KeyName
from fhir_server.logs import start_logging
from fhir_server.memory import keep_what_is_there, share_one_heap
from fhir_server.repository import BoundRepository
from fhir_server.settings import Settings
from fhir_server.store.sqlite import SqliteStore
from fhir_server.turns import Turns
from fhir_server.wiring import INTEGRITY, Process
from hl7_bridge.applier import Applier
from hl7_bridge.crew import Strand
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.outbound.segments import own_system
from hl7_bridge.ports import Outcome, Work
from hl7_bridge.record import Record
from hl7_bridge.site.answers import Senders
from hl7_bridge.site.live import LiveSite
from hl7_bridge.site.model import Site
from hl7_bridge.workers import Workers
from resources import validation
from resources.errors import FhirError
from resources.repository import WHOLE_RECORD, Caller

log = logging.getLogger("hearth.hl7")

_TOGETHER = {"postgresql": 8, "sqlite": 4}
"""Messages of one commit at most: it costs what one costs, and as many rows; on SQLite others wait for its end."""
_YOUNG = 300_000
"""Objects of the messages that are being applied: none of them is garbage before the commit, and to walk them every
20,000 objects took a tenth of the time of a message."""
_THREADS = {"postgresql": 2, "sqlite": 1}
"""Of each process that applies: while one waits for the database the other works. On SQLite a second one would only
make the first hold the only writer's place for longer."""


def derived(process: Process, purpose: bytes) -> bytes:
    """A key of its own from that of the index, which is never rotated either: its hashes are stored."""
    secret = process.keyring.current(KeyName.INDEX).secret
    return hashlib.blake2b(key=secret, digest_size=32, person=purpose).digest()


def take_turns(process: Process) -> None:
    """Of the processes of the bridge on one SQLite file; on PostgreSQL nobody waits for the whole database."""
    if isinstance(process.store, SqliteStore):
        process.store.writing = Turns(process.settings.data)


def apply(strand: Strand, values: dict[str, Any], live: LiveSite) -> None:
    """A child of the bridge: applies until it is told to stop, or the bridge is gone; ``values`` of its settings."""
    share_one_heap()
    settings = Settings(values)
    start_logging(settings.log_level)
    validation.prepare()
    with Process(settings) as process:
        take_turns(process)
        hand = Hand(process, live)
        threads, together = _THREADS[process.store.dialect], _TOGETHER[process.store.dialect]
        keep_what_is_there(_YOUNG)
        strand.follow(lambda told: Workers(process.journal, hand.apply, told, threads, together), hand.refresh)


class Hand:
    """What applies messages over ``process`` by the site kit and the answers as they are now."""

    def __init__(self, process: Process, live: LiveSite) -> None:
        self._process, self._live, self._looking = process, live, Lock()
        self._made = applier_of(process, live.site)

    def apply(self, works: Sequence[Work]) -> list[Outcome | None]:
        """See Applier.apply_all. Who took the messages may know a site kit that was not seen here yet."""
        if any(self._made[0].sender_of(work.sender) is None for work in works):
            self.refresh(at_once=True)
        return self._made[0].apply_all(works)

    def refresh(self, *, at_once: bool = False) -> None:
        """Take up what is new."""
        with self._looking:
            if self._live.look(at_once=at_once):
                made = applier_of(self._process, self._live.site)
                made[1]()
                self._made = made
            else:
                self._made[1]()


def applier_of(process: Process, site: Site) -> tuple[Applier, Callable[[], None]]:
    """What applies messages over ``process``, and what makes it see new answers to unmapped codes."""
    journal, people = process.journal, People(process)
    senders = Senders(site, lambda: journal.worklist(answered=True))

    def refresh() -> None:
        try:
            senders.refresh()
        except FhirError as error:
            log.warning("answers not read", extra={"code": error.code})

    applier = Applier(
        site=site,
        journal=journal,
        sender_of=senders,
        repository_of=lambda sender: people.repository(sender.name),
        keeper=lambda: people.repository("upkeep"),
        mapper=map_message,
        record=record_of(process, site),
    )
    return applier, refresh


def record_of(process: Process, site: Site) -> Record:
    return Record(process.journal.stamps, derived(process, b"hl7 stamps"), now_ms, own_system(site))


class People:
    """The record as each peer may see and change it."""

    def __init__(self, process: Process) -> None:
        self._services = process.services(INTEGRITY[process.settings.referential_integrity])

    def repository(self, name: str) -> BoundRepository:
        return BoundRepository(self._services, Caller(f"hl7:{name}", client="hl7", grants=WHOLE_RECORD))


def now_ms() -> int:
    return int(time() * 1000)
