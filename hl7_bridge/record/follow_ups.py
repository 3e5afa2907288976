"""What remains to be done after a commit: references to what was merged, references to what came later.

Kept in the database until it is done, so that whoever starts anew goes on; doing it twice changes nothing.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

from hl7_bridge.errors import Held
from hl7_bridge.mapping.model import Key, Resource
from hl7_bridge.ports import FOLLOWED, FollowUp
from hl7_bridge.record.apply import AWAITED, MERGED, Record
from hl7_bridge.record.commit import commit
from hl7_bridge.record.elements import mapped_references
from hl7_bridge.record.matching import pending_key
from hl7_bridge.record.node import Name, Node
from hl7_bridge.record.shelf import Shelf
from resources.definitions import RESOURCE_TYPES
from resources.errors import Conflict, FhirError, PreconditionFailed
from resources.paging import every
from resources.repository import Mark, Repository, SearchRequest
from resources.search_param.parameters import parameters

log = logging.getLogger(__name__)

LEASE_MS = 60_000
BATCH = 50
"""Resources of one commit."""
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 60_000, 86_400_000
ROUNDS = 5
"""How often references are looked for again while others are still found, or while others are faster."""
_KEPT = frozenset({"Provenance", "AuditEvent"})
"""They speak of the past."""


class FollowUps:
    """Does follow-ups in the view of ``repository``, whose caller must reach all that refers to what was merged."""

    def __init__(self, record: Record, repository: Repository) -> None:
        self._record, self._repository = record, repository

    def sweep(self, count: int = 20) -> int:
        """Do up to ``count`` of those that are due; how many were tried."""
        claimed = self._record.stamps.claim(self._record.now(), LEASE_MS, count)
        for follow_up in claimed:
            self.run(follow_up)
        return len(claimed)

    def run(self, follow_up: FollowUp) -> bool:
        """Do one; whether it is done. What fails is tried again later."""
        for _ in range(ROUNDS):
            try:
                if self._DO[follow_up.kind](self, follow_up):
                    return True
                break
            except (Conflict, PreconditionFailed):  # others were faster: look again
                continue
            except (FhirError, Held) as error:
                log.warning("follow-up %s of a %s waits: %s", follow_up.kind, follow_up.type, type(error).__name__)
                break
        pause = min(FIRST_PAUSE_MS << min(follow_up.tries, 12), LONGEST_PAUSE_MS)
        self._record.stamps.put_off(follow_up, self._record.now() + pause)
        return False

    # --- what was merged

    def _repoint(self, follow_up: FollowUp) -> bool:
        loser = Name(follow_up.type, follow_up.id)
        for _ in range(ROUNDS):
            found = list(_referrers(self._repository, loser))
            if not found:
                self._end(follow_up)
                return True
            for start in range(0, len(found), BATCH):
                self._repoint_batch(loser, found[start : start + BATCH])
        return False

    def _repoint_batch(self, loser: Name, names: Sequence[Name]) -> None:
        shelf = Shelf(self._repository, self._record.stamps)
        merged = shelf.node(loser)
        root = shelf.root(merged) if merged else None
        nodes = [node for name in names if (node := shelf.node(name))]
        old, new = str(loser), str(root.name) if root else str(loser)

        def change(reference: Resource) -> Resource:
            return {**reference, "reference": new} if reference.get("reference") == old else reference

        for node in nodes:
            node.settle(self._repository, self._record.secret)
            node.resource = mapped_references(node.resource, change)
        commit(self._repository, shelf.nodes.values(), None)

    # --- what came later

    def _resolve(self, follow_up: FollowUp) -> bool:
        shelf = Shelf(self._repository, self._record.stamps)
        node = shelf.node(Name(follow_up.type, follow_up.id))
        wanted = set(self._awaited(node, follow_up)) if node else set()
        shelf.find(wanted)
        targets = {each: name for each in wanted if (name := shelf.the_one(*each))}
        if node and targets:
            self._link(node, targets)
        if wanted and not targets:
            return False
        self._end(follow_up, shelf)
        return True

    def _awaited(self, node: Node, follow_up: FollowUp) -> Iterator[tuple[str, Key]]:
        found: list[tuple[str, Key] | None] = []

        def note(reference: Resource) -> Resource:
            found.append(pending_key(reference))
            return reference

        mapped_references(node.resource, note)
        yield from (each for each in found if each and self._record.hash(*each) == follow_up.key)

    def _link(self, node: Node, targets: Mapping[tuple[str, Key], Name]) -> None:
        def change(reference: Resource) -> Resource:
            wanted = pending_key(reference)
            target = targets.get(wanted) if wanted else None
            return {"reference": str(target), **reference} if target else reference

        node.settle(self._repository, self._record.secret)
        node.resource = mapped_references(node.resource, change)

    def _end(self, follow_up: FollowUp, shelf: Shelf | None = None) -> None:
        """Ended together with what was changed."""
        params = {name: getattr(follow_up, name) for name in ("kind", "type", "id", "key", "due")}
        commit(self._repository, shelf.nodes.values() if shelf else (), None, [Mark(FOLLOWED, params)])

    _DO: Mapping[str, Callable[["FollowUps", FollowUp], bool]] = MappingProxyType({MERGED: _repoint, AWAITED: _resolve})


def _referrers(repository: Repository, target: Name) -> Iterator[Name]:
    """What refers to ``target``, each once; its own kind (Patient.link) and records of the past left out."""
    seen: set[Name] = set()
    for type, codes in _referring(target.type).items():
        for code in codes:
            for version in every(repository, SearchRequest(type, ((code, str(target)), ("_count", "100")))):
                name = Name(version.type, version.id)
                if name not in seen:
                    seen.add(name)
                    yield name


@cache
def _referring(target: str) -> Mapping[str, tuple[str, ...]]:
    """By type the parameters that can refer to ``target``; ``patient`` is part of ``subject`` where both are."""
    found: dict[str, tuple[str, ...]] = {}
    for type in sorted(RESOURCE_TYPES - _KEPT - {target}):
        rows = parameters(type).values()
        codes = {row.code for row in rows if row.kind == "reference" and (not row.targets or target in row.targets)}
        codes -= {"patient"} if "subject" in codes else set()
        if codes:
            found[type] = tuple(sorted(codes))
    return MappingProxyType(found)
