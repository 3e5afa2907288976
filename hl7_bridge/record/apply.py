"""A mapped message meets the record: one commit of everything it comes to, or nothing.

HL7 v2.5.1 section 2.9; FHIR R4 http.html#transaction. Worked out on what was read, and worked out anew when others were
faster: no locks are held and no order is needed between messages.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from hl7_bridge.errors import DUPLICATE_KEY, LOCKED, Failed, Held
from hl7_bridge.mapping.model import Entry, Key, Mapped, Merge, Policy, Resource
from hl7_bridge.ports import FollowUp, Stamps
from hl7_bridge.record.commit import Changed, Prepared, prepared, store
from hl7_bridge.record.elements import canonical, digest
from hl7_bridge.record.matching import Matching
from hl7_bridge.record.merged import MERGEABLE, keep_ended
from hl7_bridge.record.merging import Merging
from hl7_bridge.record.node import Name, Node, name_of
from hl7_bridge.record.provenance import Source
from hl7_bridge.record.shelf import Ahead, Shelf, identities, token
from hl7_bridge.record.statements import Statement, begin, forget_mentioned, state
from resources.errors import Conflict, PreconditionFailed
from resources.repository import Create, Mark, Repository

ATTEMPTS = 12
BY_ID = 2
"""Attempts that give ids by identity, which costs no search; the id may be that of something deleted."""
PAUSE = 0.01
"""Seconds by which the longest pause before another try grows."""
GRACE_MS = 5_000
"""After which a follow-up that nobody did at once is due."""
MERGED, AWAITED = "merged", "awaited"
"""Kinds of follow-ups: references to what was merged; a reference to what is not there yet."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The versions a message made (none: it said nothing new), and the follow-ups that can be done now."""

    changed: tuple[Changed, ...]
    follow_ups: tuple[FollowUp, ...] = ()


class Record:
    """The record as messages change it; ``stamps`` of the same database, ``secret`` keys the hashes in there.

    Safe for several threads and nodes; ``now`` in ms since 1970 UTC; ``own_system`` has our ids.
    """

    def __init__(self, stamps: Stamps, secret: bytes, now: Callable[[], int], own_system: str = "") -> None:
        self.stamps, self.secret, self.now, self.own_system = stamps, secret, now, own_system

    def apply(self, repository: Repository, mapped: Mapped, source: Source, marks: Sequence[Mark] = ()) -> Applied:
        """Commit ``mapped`` and ``marks`` together; ``marks`` too when there is nothing to change.

        Raises errors.Held when a person must decide, errors.Failed when others were faster again and again, and what
        the repository refuses (Invalid and the like) as FhirError. Nothing is stored then.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                by_id = attempt <= BY_ID
                return Attempt(self, repository, mapped, source, self.id_of if by_id else None).run(marks)
            except (Conflict, PreconditionFailed) as error:
                last = error
                time.sleep(random.uniform(0, PAUSE * attempt))
        raise Failed(LOCKED, "Others changed the same resources again and again.") from last

    def hash(self, type: str, key: Key) -> str:
        """What a follow-up calls the identity it waits for."""
        return digest(f"{type}?{token(key)}", self.secret)

    def id_of(self, type: str, key: Key) -> str:
        """The id of what is made for that identity: the same on every node, a UUID of version 8 (RFC 9562)."""
        found = hashlib.blake2b(f"{type}?{token(key)}".encode(), digest_size=16, key=self.secret).digest()
        return str(UUID(bytes=found[:6] + bytes((found[6] & 15 | 128, found[7], found[8] & 63 | 128)) + found[9:]))


class Attempt:
    """One reading, working out and commit."""

    def __init__(
        self,
        record: Record,
        repository: Repository,
        mapped: Mapped,
        source: Source,
        id_of: Callable[[str, Key], str] | None,
    ) -> None:
        self._record, self._repository, self._mapped, self._source = record, repository, mapped, source
        self._shelf = Shelf(repository, record.stamps, id_of, record.own_system)
        self._matching = Matching(self._shelf, mapped)
        self._merging = Merging(self._shelf, record.secret)
        self._awaited: list[FollowUp] = []
        self._stated: dict[tuple[Name, int, int], Resource] = {}
        self._due = record.now() + GRACE_MS

    @property
    def wanted(self) -> tuple[tuple[str, Key], ...]:
        """All (type, identity) that are looked up."""
        return self._matching.wanted

    def own(self) -> Iterable[Name]:
        """Those of ``wanted`` that are ids of resources here."""
        return self._shelf.own(self.wanted)

    @property
    def names(self) -> Iterable[Name]:
        """What was met, and what is new."""
        return self._shelf.nodes

    def run(self, marks: Sequence[Mark]) -> Applied:
        prepared = self.work_out(marks)
        store(self._repository, [prepared])
        keys = self.new_keys(prepared)
        awaited = self._record.stamps.waiting(keys) if keys else ()
        return Applied(prepared.made, (*self.moved(), *awaited))

    def work_out(self, marks: Sequence[Mark], ahead: Ahead | None = None) -> Prepared:
        """What is to be stored, by what is in the record now; ``ahead`` has read that already. Raises Held."""
        self._shelf.ahead = ahead
        self._matching.run()
        for merge in self._mapped.merges:
            self._merge(merge)
        for entry in self._mapped.entries:
            if entry.policy is not Policy.ALWAYS:
                self._state(entry)
        self._forget_mentioned()
        for node in [node for node in self._shelf.nodes.values() if node.is_settled]:
            if node.survivor is not None:
                self._merging.lift(node)
        return prepared(self._shelf.nodes.values(), self._source, marks, self._follow_ups(), self._extra())

    def _merge(self, merge: Merge) -> None:
        by_url = {entry.url: entry for entry in self._mapped.entries}
        survivor, loser = self._matching.literal[merge.survivor], self._matching.literal[merge.loser]
        as_of = max(by_url[merge.survivor].as_of, by_url[merge.loser].as_of, key=lambda each: each.time)
        self._merging.merge(survivor, loser, as_of)

    def _forget_mentioned(self) -> None:
        """A merge is a statement about both patients; what merely was mentioned of the loser ends with it."""
        for merge in self._mapped.merges:
            node = self._matching.literal[merge.loser]
            if node.name.type == "Patient" and node.is_settled:  # others need some of it to be valid
                forget_mentioned(node.resource, node.standing)

    def _state(self, entry: Entry) -> None:
        node = self._matching.literal[entry.url]
        is_first = entry.url in self._matching.begun
        if entry.policy is Policy.MENTION and not is_first and not entry.certain:
            return
        resource, awaited = self._matching.resolved(entry)
        if entry.policy in (Policy.RESULT, Policy.ORDER) or entry.certain:
            self._refuse_other_patient(node, resource)
            self._refuse_ambiguous(node, entry, resource)
        node.settle(self._repository, self._record.secret)
        (begin if is_first else state)(
            entry, Statement(entry, resource, self._record.secret), node.resource, node.standing
        )
        if node.name.type in MERGEABLE:
            keep_ended(node.resource)
        hashes = {self._record.hash(*each) for each in awaited}
        self._awaited += [FollowUp(AWAITED, *node.name, key, self._due, 0) for key in sorted(hashes)]

    def _refuse_other_patient(self, node: Node, resource: Resource) -> None:
        """Numbers are given anew after some years: what is a patient's never becomes another's by one."""
        before, now = (str(each.get("subject", {}).get("reference", "")) for each in (node.resource, resource))
        if before == now or not (before.startswith("Patient/") and now.startswith("Patient/")):
            return
        patient = self._shelf.node(name_of(before))
        if patient is None or str(self._shelf.root(patient).name) != now:
            raise Held(DUPLICATE_KEY, f"The identifiers of this {node.name.type} belong to another patient's.")

    def _refuse_ambiguous(self, node: Node, entry: Entry, resource: Resource) -> None:
        """Two results of one message under one identity: taking either would lose the other."""
        if node.name.type != "Observation":
            return
        rank, time, _ = entry.as_of
        other = self._stated.setdefault((node.name, rank, time), resource)
        if other is not resource and canonical(other) != canonical(resource):
            raise Held(DUPLICATE_KEY, "Two different results of the message have the same identifiers.")

    def _extra(self) -> list[Create]:
        entries = [entry for entry in self._mapped.entries if entry.policy is Policy.ALWAYS]
        made = [(self._matching.resolved(entry)[0], self._matching.apart[entry.url]) for entry in entries]
        return [
            Create(each | {"meta": each.get("meta", {}) | {"source": self._source.uri}}, None, url)
            for each, url in made
        ]

    def _follow_ups(self) -> list[FollowUp]:
        moved = {
            node.name: FollowUp(MERGED, *node.name, "", self._due, 0) for node in self._merging.moved if not node.is_new
        }
        return [*moved.values(), *self._awaited]

    def moved(self) -> list[FollowUp]:
        """Follow-ups of merges, which the commit makes possible."""
        return [each for each in self._follow_ups() if each.kind == MERGED]

    def new_keys(self, prepared: Prepared) -> list[str]:
        """What there is now for who waited for it, hashed as follow-ups have it."""
        nodes = (self._shelf.nodes[each.name] for each in prepared.made)
        return [self._record.hash(node.name.type, key) for node in nodes for key in _new_identities(node)]


def _new_identities(node: Node) -> Iterator[Key]:
    known = identities(node.found or {})
    return (key for key in identities(node.resource) if key not in known)
