"""What the pages of the console work on, and the two things they do to messages: note who looked, read again.

HL7 v2.5.1 section 2.9; FHIR R4 AuditEvent: every look at a message and every replay is a row with the person's name.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from fhir_server.audit.record import AuditRecord, Interaction, event
from fhir_server.pages.door import Visitor
from hl7_bridge.errors import Hl7Error
from hl7_bridge.journal import Entry, SqlJournal
from hl7_bridge.ports import State
from hl7_bridge.site.answers import Senders
from hl7_bridge.site.files import SiteError
from hl7_bridge.site.model import Coding, Sender, Site
from hl7_bridge.watch import Watch
from hl7_bridge.worklist import AT_ONCE, Again, Worklist
from resources.repository import Caller, Repository

ENDED = (State.HELD, State.DEAD, State.REJECTED)
"""What ended without being applied."""


@dataclass(frozen=True)
class Console:
    """``site`` reads the site kit (raising SiteError), ``repository_of`` binds the record to a caller, ``note`` takes
    audit records or raises Unavailable, ``now`` is ms since 1970 UTC."""

    journal: SqlJournal
    site: Callable[[], Site]
    repository_of: Callable[[Caller], Repository]
    note: Callable[[Sequence[AuditRecord]], None]
    now: Callable[[], int]

    @cached_property
    def watch(self) -> Watch:
        """How the peers stand, asked of the journal every few seconds at most."""
        return Watch(self.journal, self.usable_site, self.now)

    def faults(self) -> list[str]:
        """What is wrong with the site kit."""
        try:
            self.site()
        except SiteError as error:
            return [str(fault) for fault in error.faults]
        return []

    def senders(self) -> Senders:
        """The senders with the answers people gave. Of a site kit with faults there is none but the default."""
        senders = Senders(self.usable_site(), lambda: self.journal.worklist(answered=True))
        senders.refresh()
        return senders

    def usable_site(self) -> Site:
        """The site kit; an empty one while it has faults."""
        try:
            return self.site()
        except SiteError:
            return Site()

    def tell(self, visitor: Visitor, ids: Iterable[int], detail: str) -> None:
        """Into the audit trail: what ``visitor`` does to messages. Raises Unavailable; then it must not be done."""
        rows = [event(visitor.caller, Interaction.HL7_MESSAGE, entity=f"hl7/{id}", detail=detail) for id in ids]
        if rows:
            self.note(rows)

    def again(self, visitor: Visitor, entries: Sequence[Entry], raw: bytes | None = None) -> int:
        """Read messages again, or send those again that did not go out; how many. One alone can come as ``raw``, and
        raises Hl7Error when that is no message that is taken."""
        self.tell(visitor, [entry.id for entry in entries], "replay" if raw is None else "edit-and-replay")
        work = self._worklist(visitor, self.senders())
        if raw is not None:
            return sum(self._replaced(work, entry, raw) for entry in entries if entry.direction == "in")
        return sum(self._again(work, entry) for entry in entries)

    def set_aside(self, visitor: Visitor, entry: Entry) -> bool:
        """A held or dead message is not to be applied any more; whether it was one."""
        self.tell(visitor, [entry.id], "set aside")
        return self.journal.set_aside(entry.id, f"Set aside by a person. {entry.reason}")

    def _replaced(self, work: Worklist, entry: Entry, raw: bytes) -> bool:
        """The edited message is another one, which is applied or held by itself: the first is decided about."""
        done = work.replay(entry.id, raw)
        if done:
            self.journal.set_aside(entry.id, f"Edited by a person and replaced. {entry.reason}")
        return done

    def _again(self, work: Worklist, entry: Entry) -> bool:
        if entry.direction == "out":
            return bool(self.journal.reopen([entry.id]))
        try:
            return work.replay(entry.id)
        except Hl7Error:
            return False

    def answer(self, visitor: Visitor, sender: str, source: str, code: str, coding: Coding) -> Again:
        """Say what a code means; which messages are read again. Raises FhirError."""
        self.tell(visitor, self.journal.holding(sender, source, code, AT_ONCE), "replay")
        return self._worklist(visitor, self.senders()).answer(sender, source, code, coding)

    def _worklist(self, visitor: Visitor, senders: Callable[[str], Sender | None]) -> Worklist:
        return Worklist(self.journal, self.repository_of(visitor.caller), senders, self.now, visitor.caller.who)
