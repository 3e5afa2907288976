"""Merges that stick: who replaced whom, in one shape whatever the order in which it was said.

HL7 v2.5.1 section 3.6.2 (merging identifiers); FHIR R4 Patient.link. What is stated of the loser as of a time after the
merge is stated of its survivor as well; what was stated before stays with the loser alone.
"""

from itertools import pairwise

from hl7_bridge.errors import DUPLICATE_KEY, Held
from hl7_bridge.mapping.model import AsOf
from hl7_bridge.record.elements import parts
from hl7_bridge.record.merged import keep_ended, show_replaced, show_survivor
from hl7_bridge.record.node import Node
from hl7_bridge.record.shelf import Shelf
from hl7_bridge.record.standing import by_others
from hl7_bridge.record.statements import MERGED, state_element

_OWN = MERGED | {"active", "status", "subject"}
"""What a survivor never takes from whom it replaces."""


class Merging:
    """Of one attempt to apply one message; nodes of ``shelf`` are settled by ``settle`` before they change."""

    def __init__(self, shelf: Shelf, secret: bytes) -> None:
        self._shelf, self._secret = shelf, secret
        self.moved: list[Node] = []
        """What was merged into another than before: references to it are to follow."""

    def merge(self, survivor: Node, loser: Node, as_of: AsOf) -> None:
        """Raises Held when the survivor itself was merged into the loser."""
        if survivor is loser:
            return
        if loser in self._shelf.path(survivor)[1:]:
            raise Held(DUPLICATE_KEY, "A merge in the opposite direction was applied before; which one survives?")
        self._settle(loser)
        known = loser.standing.merged
        if loser.survivor is None and known and known[0] == str(survivor.name) and as_of <= known[1]:
            return  # said before, and undone by a person since
        self._join(loser, survivor, as_of)

    def _join(self, loser: Node, survivor: Node, as_of: AsOf) -> None:
        """Merges of one resource into several are a line of merges in the order of their times."""
        if survivor is loser or loser in self._shelf.path(survivor):
            return
        self._settle(loser)
        name = loser.survivor
        if name is None:
            self._set(loser, survivor, as_of)
            return
        before = self._shelf.node(name)
        assert before is not None  # the path was walked
        since = self._since(loser)
        if before is survivor:
            self._set(loser, survivor, min(since, as_of))
        elif as_of > since:
            self._join(before, survivor, as_of)
        else:
            self._set(loser, survivor, as_of)
            self._join(survivor, before, since)

    def _since(self, loser: Node) -> AsOf:
        """When it was merged; others say so by the version in which they did."""
        return loser.standing.merged[1] if loser.standing.merged else AsOf(0, loser.updated, "")

    def _set(self, loser: Node, survivor: Node, as_of: AsOf) -> None:
        self._settle(survivor)
        before = loser.survivor
        if before is not None and before != survivor.name:
            old = self._shelf.node(before)
            if old is not None:
                self._settle(old)
                show_replaced(old.resource, str(loser.name), replaced=False)
        if before != survivor.name:
            show_survivor(loser.resource, str(survivor.name))
            self.moved.append(loser)
        show_replaced(survivor.resource, str(loser.name), replaced=True)
        loser.standing.merged = (str(survivor.name), as_of)

    def lift(self, node: Node) -> None:
        """Let what was stated of ``node`` since it was merged reach its survivors; it stays ended itself."""
        path = self._shelf.path(node)
        for loser, survivor in pairwise(path):
            self._settle(loser)
            self._settle(survivor)
            keep_ended(loser.resource)
            since = self._since(loser).time
            here = parts(loser.resource)
            for name, as_of in loser.standing.elements.items():
                if as_of.rank >= 0 and as_of.time > since and not by_others(as_of) and name not in _OWN:
                    state_element(name, here.get(name), as_of, survivor.resource, survivor.standing)
            keep_ended(survivor.resource)

    def _settle(self, node: Node) -> None:
        node.settle(self._shelf.repository, self._secret)
