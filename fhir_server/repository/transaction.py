"""Several commands, or conditional ones, as one atomic commit.

FHIR R4 http.html#trules: locks first, then every condition and conditional reference against the record as it was,
then all writes, then the reads. A lost race rolls back and the whole is tried again.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_server.audit.record import AuditRecord
from fhir_server.repository.criteria import Identities, criteria_of, single, the_one, the_ones, type_of
from fhir_server.repository.faults import fault
from fhir_server.repository.guard import Guard
from fhir_server.repository.holds import Holds
from fhir_server.repository.links import Links
from fhir_server.repository.records import write_record
from fhir_server.repository.services import Services
from fhir_server.repository.single import ATTEMPTS, PAUSE, next_version, outcome, refresh
from fhir_server.repository.stale import refuse_stale
from fhir_server.repository.versions import written
from fhir_server.store import LostRace, Session, Stored, StoreError, Write
from resources import json_codec
from resources.errors import FhirError, Invalid, Issue, NotFound, TooCostly
from resources.logical_id import new_id
from resources.repository import Caller, Command, Create, Delete, Find, Mark, Outcome, Patch, Put, Read
from resources.validation import check

# The order in which a transaction is processed; reads come after, in the same database transaction.
_ORDER: tuple[type, ...] = (Delete, Create, Put, Patch)

MOST_READ = 64 * 1024 * 1024
"""Bytes of documents that the reads and searches of one transaction give together."""


@dataclass(slots=True)
class Step:
    """One command on its way: where it stands in the bundle, and which resource it turned out to mean."""

    command: Command
    place: str
    id: str = ""
    existing: Stored | None = None
    write: Write | None = None
    outcome: Outcome | None = None
    twin: "Step | None" = None
    """An earlier create with the same criteria, whose resource this one finds."""


class Commit:
    """``commands`` as one transaction of the database; ``answer`` serves Read and Find inside it."""

    def __init__(
        self,
        services: Services,
        caller: Caller,
        commands: Sequence[Command],
        marks: Sequence[Mark],
        answer: Callable[[Any], Outcome],
        guard: Guard,
        bundled: bool = False,
        told: Sequence[AuditRecord] = (),
    ) -> None:
        self.services, self.caller, self.marks, self.answer, self.told = services, caller, marks, answer, told
        self.commands, self.guard = commands, guard
        self.bundled = bundled or len(commands) > 1
        self.holds = Holds(services.store.hasher, caller.tenant, commands)
        self.reads_only = not marks and not told and all(isinstance(command, Read | Find) for command in commands)

    def run(self) -> list[Outcome]:
        """All outcomes in the order of the commands. Raises FhirError: nothing is stored, but with OutcomeUnknown."""
        _validate(self._steps())
        for attempt in range(1, ATTEMPTS + 1):
            steps = self._steps()
            try:
                with self.services.store.parameters.pinned():
                    return self._attempt(steps)
            except LostRace as error:
                if attempt == ATTEMPTS:
                    raise self._fault(error, steps) from None
                refresh(self.services, error)
                time.sleep(random.uniform(0, PAUSE * attempt))
            except StoreError as error:
                raise self._fault(error, steps) from None
        raise AssertionError("unreachable")

    def _steps(self) -> list[Step]:
        return [Step(command, f"Bundle.entry[{n}]" if self.bundled else "") for n, command in enumerate(self.commands)]

    def _attempt(self, steps: list[Step]) -> list[Outcome]:
        session = self.services.store.session()
        with self.services.audited(()), session.transaction(snapshot=self.reads_only):
            if not self.reads_only:
                self._write(session, steps)
            self._read(steps)
        return [step.outcome for step in steps if step.outcome]

    def _read(self, steps: list[Step]) -> None:
        """Answer what only asks. Raises TooCostly: a small bundle may ask for much, and all of it is held here."""
        size = 0
        for step in steps:
            if isinstance(step.command, Read | Find):
                with _naming(step.place):
                    step.outcome = self.answer(step.command)
                    size += _size(step.outcome)
                    if size > MOST_READ:
                        raise TooCostly("This transaction reads more than one answer may hold; ask in parts.")

    def _write(self, session: Session, steps: list[Step]) -> None:
        self.holds.take(session)
        self._identify(session, steps)
        referred = self._prepare(session, steps)
        if len(steps) > 1 or referred:  # one resource that depends on no other is safe by its version
            self._hold_found(session, steps, referred)
        self._store(session, steps)

    def _hold_found(self, session: Session, steps: list[Step], referred: Iterable[Stored]) -> None:
        by_criteria = [step for step in steps if step.existing and criteria_of(step.command) is not None]
        self.holds.found(
            session,
            written=[step.existing for step in by_criteria if step.existing and step.write],
            read=[*referred, *(step.existing for step in by_criteria if step.existing and not step.write)],
            carrying=[
                json_codec.decode_stored(step.write.doc)
                for step in steps
                if step.write and isinstance(step.command, Patch)
            ],
        )

    # --- which resource each command means

    def _identify(self, session: Session, steps: list[Step]) -> None:
        made: dict[tuple[str, str | Identities], Step] = {}
        asked = {(type_of(s.command), criteria) for s in steps if (criteria := criteria_of(s.command)) is not None}
        known = the_ones(self.services, session, self.caller, asked) if asked else {}
        for step in steps:
            with _naming(step.place):
                self._identify_one(session, step, made, known)
        _refuse_twice(steps)
        self._read_current(session, steps)

    def _identify_one(
        self,
        session: Session,
        step: Step,
        made: dict[tuple[str, str | Identities], Step],
        known: Mapping[tuple[str, str | Identities], Sequence[Stored]],
    ) -> None:
        command, criteria = step.command, criteria_of(step.command)
        if isinstance(command, Read | Find):
            return
        if criteria is None:
            step.id = command.id or (new_id() if isinstance(command, Create) else "")
            return
        key = (type_of(command), criteria)
        twin = made.get(key) if isinstance(command, Create) else None
        if twin is not None:
            step.id, step.twin, step.outcome = twin.id, twin, twin.outcome
            return
        found = single(known[key], *key) if key in known else the_one(self.services, session, self.caller, *key)
        self._choose(step, found)
        made[key] = step

    def _choose(self, step: Step, found: Stored | None) -> None:
        command = step.command
        if found is not None:
            step.id, step.existing = found.id, found
            if isinstance(command, Put) and command.if_none_match:
                refuse_stale(command, found)
            if isinstance(command, Create):
                step.outcome = Outcome(200, found.as_version(), changed=False)
            _refuse_other_id(command, found)
        elif isinstance(command, Patch):
            raise NotFound(f"No {command.type} meets {command.criteria!r}; there is nothing to patch.")
        elif isinstance(command, Delete):
            refuse_stale(command, None)
            step.outcome = Outcome(204, None, changed=False)
        else:
            step.id = (command.resource.get("id") if isinstance(command, Put) else None) or new_id()

    def _read_current(self, session: Session, steps: list[Step]) -> None:
        wanted = [
            (type_of(s.command), s.id)
            for s in steps
            if s.id and not s.existing and isinstance(s.command, Put | Patch | Delete)
        ]
        current = session.read_many(wanted, self.caller.tenant) if wanted else {}
        for step in steps:
            step.existing = step.existing or current.get((type_of(step.command), step.id))

    # --- what each command writes

    def _prepare(self, session: Session, steps: list[Step]) -> list[Stored]:
        """Make the writes; returns what conditional references led to."""
        referred: list[Stored] = []

        def find(type: str, criteria: str) -> Stored | None:
            self.holds.criteria(session, type, criteria)
            one = the_one(self.services, session, self.caller, type, criteria)
            referred.extend([one] if one else [])
            return one

        links = Links(_identities(steps), find)
        found: list[Issue] = []
        for step in steps:
            try:
                with _naming(step.place):
                    self._prepare_one(step, links)
            except FhirError as error:
                if not isinstance(error, Invalid) and error.status != Links.error.status:
                    raise
                found.extend(error.issues)
        if found:
            raise Links.error(issues=found)
        return referred

    def _prepare_one(self, step: Step, links: Links) -> None:
        command = step.command
        if step.outcome is not None or step.twin is not None or isinstance(command, Read | Find):
            return
        if isinstance(command, Create):
            resource = links.follow(command.resource, command.full_url)
            step.write = written(resource, "POST", step.id, None, self.services.base, self.caller.tenant)
        else:
            step.existing = self.guard.previous(command, step.id, step.existing)
            step.write = next_version(self.services, self.caller, links.followed(command), step.id, step.existing)
        if step.write is None:
            step.outcome = Outcome(204, None, changed=False)
        else:
            links.refuse_unresolved(step.write, strict=self.services.integrity.targets)

    def _store(self, session: Session, steps: list[Step]) -> None:
        ordered = sorted((step for step in steps if step.write), key=lambda step: _ORDER.index(type(step.command)))
        writes = [step.write for step in ordered if step.write]
        self.guard.made([(step.command, step.write) for step in ordered if step.write], [s.place for s in ordered])
        self.guard.references(writes)
        rows = self.services.further([*(write_record(self.caller, write) for write in writes), *self.told])
        session.write_all(writes, rows, (), self.marks, self.services.integrity)
        for step in ordered:
            if step.write:
                step.outcome = outcome(step.write)
        for step in steps:
            if step.twin is not None and step.twin.outcome is not None:
                step.outcome = Outcome(200, step.twin.outcome.version, changed=False)

    def _fault(self, error: StoreError, steps: Sequence[Step]) -> FhirError:
        done = [step for step in steps if step.write]
        return fault(self.guard.tell(error), [step.write for step in done if step.write], [step.place for step in done])


def _size(outcome: Outcome) -> int:
    """Bytes of the documents in it."""
    found = [hit.version for hit in outcome.page.hits] if outcome.page else [outcome.version]
    return sum(len(version.doc) for version in found if version)


class _naming:
    """Errors raised inside name the entry, when there is more than one command."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self.place and isinstance(error, FhirError):
            raise error.within(self.place) from None


def _validate(steps: Sequence[Step]) -> None:
    """Raise Invalid with the issues of all entries."""
    found: list[Issue] = []
    kinds: set[type[Invalid]] = set()
    for step in steps:
        if isinstance(step.command, Create | Put):
            try:
                check(step.command.resource)
            except Invalid as error:
                found += (error.within(step.place) if step.place else error).issues
                kinds.add(type(error))
    if found:
        raise (kinds.pop() if len(kinds) == 1 else Invalid)(issues=found)


def _identities(steps: Sequence[Step]) -> dict[str, str]:
    """What the full URLs of this commit mean: ``urn:uuid:...`` → ``Patient/1``."""
    named = ((getattr(step.command, "full_url", ""), step) for step in steps)
    return {url: f"{type_of(step.command)}/{step.id}" for url, step in named if url and step.id}


def _refuse_twice(steps: Sequence[Step]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for step in steps:
        if not step.id or step.outcome is not None or step.twin is not None:
            continue
        key = (type_of(step.command), step.id)
        if key in seen:
            text = f"{key[0]}/{key[1]} is written by {seen[key]} already; a transaction may name a resource once."
            raise Invalid(text).within(step.place)
        seen[key] = step.place


def _refuse_other_id(command: Command, found: Stored) -> None:
    given = command.resource.get("id") if isinstance(command, Put) else None
    if given and given != found.id:
        raise Invalid(
            f"The criteria select {found.type}/{found.id}, but the body has the id {given!r}; leave it out.",
            expression=f"{found.type}.id",
        )
