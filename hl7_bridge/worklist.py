"""A person answers an unmapped code: the answer is kept and published, and the messages that hold the code come again.

FHIR R4 ConceptMap; HL7 v2.5.1 section 2.9 (a message that is read again is the same statement, not a newer one).
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from hl7_bridge.door import Caps, arrive, incoming
from hl7_bridge.errors import Hl7Error
from hl7_bridge.journal import SqlJournal
from hl7_bridge.ports import State
from hl7_bridge.site.answers import concept_map
from hl7_bridge.site.model import Coding, Sender
from resources.errors import Conflict, NotFound
from resources.repository import Put, Repository

LEARNED_MS = 5_000
"""After which every node has taken up an answer: bridges look for new ones every two seconds."""
AT_ONCE = 50
"""Messages that are read again while the person who answered waits; the bridge's upkeep sees to the rest."""
ROUND = 200
"""Messages of one round of upkeep."""


class Again(NamedTuple):
    """How many messages are read again now, and how many follow."""

    now: int
    later: int


class Worklist:
    """Of one site. ``repository`` is bound to the person who answers; ``now`` in ms since 1970 UTC."""

    def __init__(
        self,
        journal: SqlJournal,
        repository: Repository,
        sender_of: Callable[[str], Sender | None],
        now: Callable[[], int],
        who: str = "",
    ) -> None:
        """``who`` the audit trail is to name for what the upkeep does later."""
        self._repository, self._who = repository, who
        self._journal, self._now = journal, now
        self._replays = Replays(journal, sender_of, now)

    def answer(self, sender: str, source: str, code: str, coding: Coding) -> Again:
        """What ``code`` means from now on; which messages are read again. Raises NotFound for no such code."""
        if not self._journal.answer(sender, source, code, msgspec.json.encode(coding).decode()):
            raise NotFound(f"{sender} has no unmapped code {code!r} in {source}.")
        items = [item for item in self._journal.worklist(sender, answered=True) if item.source == source]
        published = concept_map(sender, source, items)
        self._repository.commit([Put(published, "ConceptMap", criteria=f"url={published['url']}")])
        due = self._now() + LEARNED_MS
        ids = self._journal.holding(sender, source, code, AT_ONCE)
        later = 0
        if len(ids) == AT_ONCE:  # queued before anything else, so that a fault loses none
            later = self._journal.reread(sender, source, code, after=ids[-1], who=self._who, due=due)
        return Again(sum(self._replays.tried(id, due=due) for id in ids), later)

    def replay(self, id: int, raw: bytes | None = None) -> bool:
        """See Replays."""
        return self._replays.replay(id, raw)


class Replays:
    """Reads messages again. ``now`` in ms since 1970 UTC."""

    def __init__(self, journal: SqlJournal, sender_of: Callable[[str], Sender | None], now: Callable[[], int]) -> None:
        self._journal, self._sender_of, self._now = journal, sender_of, now

    def follow(self, note: Callable[[int, str], object]) -> int:
        """Of messages that hold an answered code, the next; how many. ``note`` is told id and who answered, before."""
        taken = self._journal.take_reread(ROUND)
        for id, who in taken:
            note(id, who)
            self.tried(id)
        if taken:
            self._journal.end_reread([id for id, _ in taken])
        return len(taken)

    def tried(self, id: int, *, due: int = 0) -> bool:
        """As ``replay``; False as well for one that is not taken any more: the others must not wait for it."""
        try:
            return self.replay(id, due=due)
        except Hl7Error:
            return False

    def replay(self, id: int, raw: bytes | None = None, *, due: int = 0) -> bool:
        """Read message ``id`` again, as it came or as ``raw``, from ``due`` (ms) on; False when it is gone or waits.

        Of a message that came in parts and is applied, all parts come again.
        """
        parts = self._journal.parts_joined(id)
        done = [self._one(part, raw if part == id else None, due) for part in parts or [id]]
        return all(done)

    def _one(self, id: int, raw: bytes | None, due: int) -> bool:
        entry = self._journal.read(id)
        sender = self._sender_of(entry.sender) if entry else None
        if entry is None or sender is None or entry.direction != "in":
            return False
        if raw is None and entry.state in (State.HELD, State.DEAD, State.REJECTED):
            return bool(self._journal.reopen([id], due=due))
        found = arrive(self._journal.raw(id) if raw is None else raw, lambda *_: sender, Caps())
        if found.error:
            raise found.error
        try:
            self._journal.replay(id, incoming(found, self._now()), due=due)
        except Conflict:
            return False
        return True
