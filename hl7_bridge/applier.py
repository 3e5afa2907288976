"""A message of the journal meets the record: parsed, mapped, applied in one commit, and settled by what came of it.

HL7 v2.5.1 section 2.9.3 (application acknowledgement). The mark APPLIED, the FHIR transaction, its Provenance and audit
are that one commit: a message is applied once or not at all, whoever dies when.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import time
from typing import NamedTuple, Protocol

from hl7_bridge.ack import Acknowledger
from hl7_bridge.er7 import Message, parse
from hl7_bridge.er7.batch import pointer
from hl7_bridge.errors import INTERNAL, Failed, Held, Hl7Error
from hl7_bridge.journal.parts import told
from hl7_bridge.mapping.model import Mapped, Unmapped
from hl7_bridge.parts import Parts, whole
from hl7_bridge.ports import APPLIED, JOINED, FollowUp, Journal, Outcome, State, Work
from hl7_bridge.record import FollowUps, Record, Source, Statement, apply_together
from hl7_bridge.site.model import Sender, Site
from resources.errors import Conflict, FhirError, PreconditionFailed, TooCostly, Unavailable
from resources.repository import Mark, Repository

log = logging.getLogger("hearth.hl7")

Mapper = Callable[[Message, Sender], Mapped]


class Noting(Journal, Parts, Protocol):
    """The journal with its worklist, with messages in parts, and with what was held for want of a merge."""

    def note_unmapped(self, id: int, sender: str, codes: Sequence[Unmapped]) -> None: ...

    def reopen_beside(self, id: int) -> int: ...


@dataclass(frozen=True, slots=True)
class Retries:
    """``pauses`` in seconds before another try, the last one as often as it takes; after ``tries`` a message is dead.
    What fails by a fault in this program has ``faults`` tries; one that is claimed ``claims`` times and never comes to
    an end takes the process down with it, and is dead as well."""

    pauses: tuple[float, ...] = (0.2, 1, 3, 10, 30, 60)
    tries: int = 10
    faults: int = 3
    claims: int = 30

    def pause(self, failures: int) -> float:
        """Before the try that follows ``failures`` earlier ones."""
        return self.pauses[min(failures, len(self.pauses) - 1)]


SMALL = 1 << 17
"""Bytes of a message that goes into one commit with others."""
_HEAD = 8192
"""Bytes of a message that are kept once it was read: enough to answer it."""


class _Read(NamedTuple):
    """What a message comes to, and its parts before the last, () of one that came whole."""

    mapped: Mapped
    control_id: str
    earlier: tuple[int, ...]


class _Said(NamedTuple):
    """What is said to the record, and what is answered once it is there."""

    statement: Statement
    outcome: Outcome


class _Ready(NamedTuple):
    """A message that may go together with others."""

    work: Work
    sender: Sender
    read: _Read
    said: _Said


_TRANSIENT = (Conflict, PreconditionFailed, TooCostly, Unavailable)


@dataclass(frozen=True, slots=True)
class Applier:
    """``sender_of`` knows what people answered about a sender's codes too, ``repository_of`` gives the record as a
    sender may change it, ``keeper`` as upkeep may. Safe for several threads: it keeps nothing of a message."""

    site: Site
    journal: Noting
    sender_of: Callable[[str], Sender | None]
    repository_of: Callable[[Sender], Repository]
    keeper: Callable[[], Repository]
    mapper: Mapper
    record: Record
    retries: Retries = field(default_factory=Retries)

    def apply(self, work: Work) -> Outcome | None:
        """What became of it; None when it will be tried again."""
        if work.attempt > self.retries.claims:
            return self._end(work, None, State.DEAD, Failed(INTERNAL, "It was begun again and again and never ended."))
        header: Message | None = None
        try:
            sender = self._known(work)
            message = parse(work.raw, sender.charset)
            header, work.raw = message.header, work.raw[:_HEAD]
            if pointer(message):
                return self._kept(work, header, pointer(message))
            read = self._read(message, sender)
            del message  # a large one is in what was read of it
            return self._applied(work, header, read, sender)
        except Failed as error:
            return self._again(work, header, error, self.retries.tries)
        except Hl7Error as error:
            state = State.HELD if isinstance(error, Held) else State.REJECTED
            return self._end(work, header, state, error)
        except FhirError as error:
            return self._refused(work, header, error)
        except Exception as error:
            log.error("a message could not be applied", extra={"hl7": work.id, "sender": work.sender}, exc_info=True)
            fault = Failed(INTERNAL, f"A fault of this program: {type(error).__name__}.")
            return self._again(work, header, fault, self.retries.faults)

    def apply_all(self, works: Sequence[Work]) -> list[Outcome | None]:
        """What became of each of ``works``, of which none waits for another: in one commit as far as they go together,
        the rest alone. A message is applied with its own mark or not at all, whatever happens to the others."""
        done = self._together(works) if len(works) > 1 else {}
        return [done[work.id] if work.id in done else self.apply(work) for work in works]

    def _together(self, works: Sequence[Work]) -> dict[int, Outcome]:
        by_sender: dict[str, list[_Ready]] = {}
        for work in works:
            ready = self._ready(work)
            if ready is not None:
                by_sender.setdefault(work.sender, []).append(ready)
        done: dict[int, Outcome] = {}
        for some in by_sender.values():
            if len(some) > 1:
                done |= self._one_commit(some)
        return done

    def _ready(self, work: Work) -> "_Ready | None":
        """None for what is applied alone: large, tried before, a part, a merge, or not to be applied at all."""
        if work.attempt > 1 or len(work.raw) > SMALL:
            return None
        try:
            sender = self._known(work)
            message = parse(work.raw, sender.charset)
            read = None if pointer(message) else self._read(message, sender)
        except Exception:  # noqa: BLE001 it is tried alone, which says what is wrong
            return None
        if read is None or read.earlier or read.mapped.merges or not read.mapped.is_mapped:
            return None
        return _Ready(work, sender, read, self._statement(work, message.header, read))

    def _one_commit(self, some: "Sequence[_Ready]") -> dict[int, Outcome]:
        """Those that were applied."""
        repository = self.repository_of(some[0].sender)
        try:
            together = apply_together(self.record, repository, [each.said.statement for each in some])
        except Exception as error:  # noqa: BLE001 nothing is stored; one of them may be to blame
            log.info("messages are applied one by one", extra={"count": len(some), "code": type(error).__name__})
            return {}
        self._follow(together.follow_ups)
        done = [some[n] for n in sorted(together.done)]
        for each in done:
            self._note(each.work, each.read.mapped)
        return {each.work.id: each.said.outcome for each in done}

    def _known(self, work: Work) -> Sender:
        sender = self.sender_of(work.sender)
        if sender is None:
            raise Held(INTERNAL, "Its sender is no longer configured.")
        return sender

    def _read(self, message: Message, sender: Sender) -> "_Read":
        """Raises Held, Malformed."""
        all = whole(self.journal, message, sender)
        return _Read(self.mapper(all.message, sender), all.message.control_id, all.earlier)

    def _kept(self, work: Work, header: Message, continued: str) -> Outcome:
        """A part that another continues."""
        reason = "A part of a message; the part that continues it has not been applied yet."
        ack = self._acknowledge(work.raw, header, State.APPLIED, ())
        self.journal.hold_part(work.id, work.sender, continued, reason, ack)
        return Outcome(State.HELD, ack, reason)

    def _applied(self, work: Work, header: Message, read: "_Read", sender: Sender) -> Outcome:
        """``header`` is that of the message that is answered: of several parts the last."""
        mapped = read.mapped
        if not mapped.is_mapped:
            ack = self._acknowledge(work.raw, header, State.APPLIED, ())
            reason = f"There is no map for {header.type}^{header.event} yet; the message is kept."
            self.journal.settle(work.id, State.HELD, reason, ack)
            return Outcome(State.HELD, ack, reason)
        said = self._statement(work, header, read)
        applied = self.record.apply(self.repository_of(sender), *said.statement)
        self._follow(applied.follow_ups)
        if mapped.merges:
            self._reopen(work)
        self._note(work, mapped)
        return said.outcome

    def _statement(self, work: Work, header: Message, read: "_Read") -> "_Said":
        ack = self._acknowledge(work.raw, header, State.APPLIED, ())
        reason = "; ".join(read.mapped.warnings)[:1000].replace("\0", "")
        now = int(time() * 1000)
        marks = [Mark(APPLIED, {"id": work.id, "at": now, "reason": reason, "ack": ack})]
        marks += [Mark(JOINED, {"id": id, "at": now, "reason": told(work.id)}) for id in read.earlier]
        source = Source(work.sender, read.control_id, work.received)
        return _Said(Statement(read.mapped, source, tuple(marks)), Outcome(State.APPLIED, ack, reason))

    def _follow(self, follow_ups: Sequence[FollowUp]) -> None:
        for follow_up in follow_ups:
            FollowUps(self.record, self.keeper()).run(follow_up)

    def _acknowledge(self, raw: bytes, message: Message | None, state: State, errors: Sequence[Hl7Error]) -> bytes:
        return Acknowledger(self.site.application, self.site.facility)(raw, message, state, errors)

    def _reopen(self, work: Work) -> None:
        """What was held because it named two patients may name one now."""
        try:
            self.journal.reopen_beside(work.id)
        except FhirError as error:
            log.warning("held messages wait for a person", extra={"hl7": work.id, "code": error.code})

    def _note(self, work: Work, mapped: Mapped) -> None:
        """The worklist is for people: it must not undo what is applied."""
        if not mapped.unmapped:
            return
        try:
            self.journal.note_unmapped(work.id, work.sender, mapped.unmapped)
        except FhirError as error:
            log.warning("unmapped codes not noted", extra={"hl7": work.id, "code": error.code})

    def _refused(self, work: Work, message: Message | None, error: FhirError) -> Outcome | None:
        """The record did not take it: for the moment, or because what the map made is not allowed."""
        if isinstance(error, _TRANSIENT):
            return self._again(
                work, message, Failed(INTERNAL, f"The record answered {error.code}."), self.retries.tries
            )
        # Only places: texts of issues may quote a patient's data.
        places = ", ".join(sorted({f"{i.code} {i.expression}".strip() for i in error.issues})[:10])
        return self._end(work, message, State.DEAD, Failed(INTERNAL, f"The record refused it: {places}."))

    def _again(self, work: Work, message: Message | None, error: Failed, tries: int) -> Outcome | None:
        done = self.journal.outcomes([work.id]).get(work.id)
        if done is not None and done.state is not State.RECEIVED:  # another node was faster
            return done
        if work.failures + 1 >= tries:
            return self._end(work, message, State.DEAD, error)
        self.journal.postpone(work.id, error.text, self.retries.pause(work.failures))
        return None

    def _end(self, work: Work, message: Message | None, state: State, error: Hl7Error) -> Outcome:
        ack = self._acknowledge(work.raw, message, state, (error,))
        self.journal.settle(work.id, state, str(error), ack)
        log.warning(
            "not applied", extra={"hl7": work.id, "sender": work.sender, "state": state.value, "reason": str(error)}
        )
        return Outcome(state, ack, str(error))
