"""A person answers an unmapped code: the answer is kept and published, and the messages that hold the code come again.

FHIR R4 ConceptMap; HL7 v2.5.1 section 2.9 (a message that is read again is the same statement, not a newer one).
"""

from collections.abc import Callable

import msgspec

from hl7_bridge.door import Caps, arrive, incoming
from hl7_bridge.journal import SqlJournal
from hl7_bridge.ports import State
from hl7_bridge.site.answers import concept_map
from hl7_bridge.site.model import Coding, Sender
from resources.errors import Conflict, NotFound
from resources.repository import Put, Repository

LEARNED_MS = 5_000
"""After which every node has taken up an answer: bridges look for new ones every two seconds."""


class Worklist:
    """Of one site. ``repository`` is bound to the person who answers; ``now`` in ms since 1970 UTC."""

    def __init__(
        self,
        journal: SqlJournal,
        repository: Repository,
        sender_of: Callable[[str], Sender | None],
        now: Callable[[], int],
    ) -> None:
        self._journal, self._repository, self._sender_of, self._now = journal, repository, sender_of, now

    def answer(self, sender: str, source: str, code: str, coding: Coding) -> int:
        """What ``code`` means from now on; how many messages are read again. Raises NotFound for no such code."""
        if not self._journal.answer(sender, source, code, msgspec.json.encode(coding).decode()):
            raise NotFound(f"{sender} has no unmapped code {code!r} in {source}.")
        items = [item for item in self._journal.worklist(sender, answered=True) if item.source == source]
        published = concept_map(sender, source, items)
        self._repository.commit([Put(published, "ConceptMap", criteria=f"url={published['url']}")])
        due = self._now() + LEARNED_MS
        return sum(self.replay(id, due=due) for id in self._journal.holding(sender, source, code))

    def replay(self, id: int, raw: bytes | None = None, *, due: int = 0) -> bool:
        """Read message ``id`` again, as it came or as ``raw``, from ``due`` (ms) on; False when it is gone or waits."""
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
