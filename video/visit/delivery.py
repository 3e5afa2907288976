"""Takes facts from the spool and writes what they come to: one transaction for the facts of a room that wait.

docs/adr/video-record.md. The record may be away for as long as it likes; nothing is lost, nothing is done twice, and a
fact that cannot be written waits for a person while the others go on.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from itertools import takewhile
from typing import Any, Protocol

from resources.errors import Conflict, FhirError, Gone, NotFound, PreconditionFailed, Unavailable
from resources.json_codec import decode_stored
from resources.literal_reference import local
from resources.repository import Command, Create, Mark, Put, Version
from video.ports import Fact, FactKind
from video.visit.consent import KINDS, agreement_of, consent, consent_id
from video.visit.documents import place, with_content
from video.visit.files import FileStore
from video.visit.ledger import mark
from video.visit.spool import Damaged, FactSpool, Waiting
from video.visit.states import changed

log = logging.getLogger("hearth.video")

Json = dict[str, Any]

MOST = 50
"""Facts of a room that go into one transaction."""
TRIES = 5
"""After so many failures that are not the database's absence a fact waits for a person."""
_RACES = 8
_PAUSE = 0.1
"""Seconds between two looks at an empty spool."""
_LONGEST = 15_000
_SWEEP = 3_600_000


class Record(Protocol):
    """The clinical record as a service sees it that may change visits and nothing else. Raises FhirError."""

    def read(self, type: str, id: str) -> Version: ...

    def commit(self, commands: Sequence[Command], marks: Sequence[Mark], told: Sequence[Fact]) -> None:
        """All or nothing; ``told`` are the facts that the audit trail hears of, in the same transaction."""
        ...

    def written(self, facts: Sequence[Fact]) -> frozenset[int]:
        """The numbers of those of ``facts`` that the record has."""
        ...

    def over(self, room: str) -> bool:
        """Whether the record knows that ``room`` has ended."""
        ...


def _batch(waiting: Sequence[Waiting]) -> list[Fact]:
    """What goes into one transaction: a file alone, for its size; what failed before alone, so that it alone is held to
    account."""
    if waiting[0].tries or waiting[0].fact.kind is FactKind.FILE:
        return [waiting[0].fact]
    return [one.fact for one in takewhile(lambda one: one.fact.kind is not FactKind.FILE, waiting)]


def _consent_of(fact: Fact) -> str:
    return f"Consent/{consent_id(fact.room, agreement_of(fact))}"


def _put(resource: Json, held: Version | None) -> Put:
    """Over the version that was read, or as the first one."""
    type, id = resource["resourceType"], resource["id"]
    return Put(resource, type, id, if_match=held.version) if held else Put(resource, type, id, if_none_match=True)


class Delivery:
    """From ``spool`` and ``files`` to ``record``; ``now`` in ms since 1970 UTC. One at a time takes from a spool."""

    def __init__(self, spool: FactSpool, files: FileStore, record: Record, now: Callable[[], int]) -> None:
        self._spool, self._files, self._record, self._now = spool, files, record, now
        self._swept = 0

    def run(self, stop: threading.Event) -> None:
        """Until ``stop``."""
        while not stop.is_set():
            if not self.step():
                stop.wait(_PAUSE)

    def step(self) -> int:
        """What waits now, once; how many facts were written or set aside."""
        if self._now() - self._swept > _SWEEP:
            self._swept = self._now()
            self._spool.sweep()
            self._tidy(self._files.rooms())
        return sum(self._room(room) for room in self._spool.rooms())

    def _room(self, room: str) -> int:
        try:
            waiting = self._spool.waiting(room, MOST)
        except Damaged as error:
            return self._give_up(room, error.number, "damaged")
        if not waiting:
            return 0
        facts = _batch(waiting)
        done = self._together(facts) if len(facts) > 1 else self._alone(facts[0], waiting[0].tries)
        if done and self._files.holds(room):
            self._tidy([room])
        return done

    def _tidy(self, rooms: Sequence[str]) -> None:
        """Erases the files of those that are over and of which the record has all; else the next sweep does."""
        try:
            for room in rooms:
                if self._record.over(room) and not self._spool.holds(room):
                    self._files.erase(room)
        except (FhirError, OSError) as error:
            log.warning("files of visits are kept for now", extra={"error": type(error).__name__})

    def _together(self, facts: Sequence[Fact]) -> int:
        try:
            self._write(facts)
        except Unavailable as error:
            return self._later(facts[0].room, 0, error.code, failed=False)
        except Exception:  # noqa: BLE001 - one of them will say why
            return self._alone(facts[0], 0)
        self._spool.delivered(facts)
        return len(facts)

    def _alone(self, fact: Fact, tries: int) -> int:
        try:
            self._write([fact])
        except Unavailable as error:
            return self._later(fact.room, tries, error.code, failed=False)
        except Exception as error:  # noqa: BLE001 - whatever it is, the visit's other facts must not wait for it
            return self._failed(fact, tries, error)
        self._spool.delivered([fact])
        return 1

    def _failed(self, fact: Fact, tries: int, error: Exception) -> int:
        word = error.issues[0].code if isinstance(error, FhirError) else type(error).__name__
        where = {"room": fact.room, "number": fact.number, "kind": fact.kind.value, "code": word}
        log.warning("a fact could not be written", extra=where, exc_info=not isinstance(error, FhirError))
        if tries + 1 < TRIES:
            return self._later(fact.room, tries + 1, word, failed=True)
        try:  # what happened is told at least, whatever the resource says against it
            self._record.commit((), (), [fact])
        except FhirError:
            return self._later(fact.room, tries + 1, word, failed=True)
        return self._give_up(fact.room, fact.number, word)

    def _give_up(self, room: str, number: int, word: str) -> int:
        log.error("a fact waits for a person", extra={"room": room, "number": number, "code": word})
        self._spool.set_aside(room, number, word)
        return 1

    def _later(self, room: str, tries: int, word: str, *, failed: bool) -> int:
        pause = min(_LONGEST, 250 * 2 ** min(tries, 10)) if failed else 500
        self._spool.later(room, self._now() + pause, word, failed=failed)
        return 0

    def _write(self, facts: Sequence[Fact]) -> None:
        """Raises FhirError; then nothing is written, or all was before."""
        left = list(facts)
        if facts[0].kind is FactKind.FILE and self._record.written(facts):  # its content may be erased already
            return
        for attempt in range(_RACES):
            try:
                self._commit(left)
                return
            except (Conflict, PreconditionFailed):  # somebody else wrote, or we did and did not hear of it
                known = self._record.written(facts)
                left = [fact for fact in facts if fact.number not in known]
                if not left:
                    return
                if attempt == _RACES - 1:
                    raise

    def _commit(self, facts: Sequence[Fact]) -> None:
        named = {reference for fact in facts for reference in (fact.encounter, fact.appointment)}
        held = self._read(named | {_consent_of(fact) for fact in facts if fact.kind in KINDS})
        before = {reference: decode_stored(version.doc) for reference, version in held.items()}
        after, made = dict(before), list[Create]()
        for fact in facts:
            changes = changed(fact, after.get(fact.encounter), after.get(fact.appointment))
            pairs = ((fact.encounter, changes.encounter), (fact.appointment, changes.appointment))
            after |= {reference: resource for reference, resource in pairs if resource is not None}
            if fact.kind in KINDS:
                after[_consent_of(fact)] = consent(fact, after.get(_consent_of(fact)))
            made += self._created(fact, list(changes.new))
        puts = [_put(resource, held.get(name)) for name, resource in after.items() if resource is not before.get(name)]
        self._record.commit([*made, *puts], [mark(fact) for fact in facts], facts)

    def _created(self, fact: Fact, new: list[Json]) -> list[Create]:
        """What ``fact`` makes; a file with its content. Raises FileNotFoundError: then it waits for a person."""
        if fact.kind is not FactKind.FILE or not new:
            return [Create(one) for one in new]
        new, binary = with_content(new, fact, self._files.read(fact.room, str(fact.detail["file"])))
        return [Create(binary, full_url=place(fact)), *map(Create, new)]

    def _read(self, references: Collection[str]) -> dict[str, Version]:
        """Those that the record has: what was deleted meanwhile changes no more, and the audit trail still hears."""
        found: dict[str, Version] = {}
        for reference in sorted(references):
            target = local(reference)
            try:
                if target is not None:
                    found[reference] = self._record.read(*target)
            except (NotFound, Gone):
                continue
        return found
