"""Which resource each entry of a message means, and whom its references name.

Identity rules of ours: any key is enough, two different hits are a question for a person, never a guess.
"""

from collections.abc import Iterator
from uuid import uuid4

from hl7_bridge.errors import DUPLICATE_KEY, Held, Place
from hl7_bridge.mapping.model import Entry, Key, Mapped, Policy, Resource
from hl7_bridge.record.elements import canonical, digest, mapped_references, stated_references
from hl7_bridge.record.merged import MERGEABLE
from hl7_bridge.record.node import Node, name_of
from hl7_bridge.record.shelf import Shelf, identities, token
from resources.definitions import type_def

_WITHIN_PATIENT = frozenset({"Specimen"})
_CONTENT = "https://hearth.health/v2/content"


class Matching:
    """``shelf`` and the entries of ``mapped``; ``literal`` has the resource each url means, merged or not."""

    def __init__(self, shelf: Shelf, mapped: Mapped) -> None:
        self._shelf, self._mapped = shelf, mapped
        self.literal: dict[str, Node] = {}
        self.begun: set[str] = set()
        """Urls of the entries that were the first to speak of something new."""
        entries = [entry for entry in self._mapped.entries if entry.policy is not Policy.ALWAYS]
        by_url = {entry.url: entry for entry in entries}
        self._entries = entries
        self.apart = {e.url: uuid4().urn for e in mapped.entries if e.policy is Policy.ALWAYS}
        """What is made in any case, under full URLs that other messages of the same commit do not use."""
        self.keys: dict[str, tuple[Key, ...]] = {e.url: e.keys or (_content_key(e, by_url),) for e in entries}
        """By url, the identities of each entry, one of its content where the message gives none."""
        self.wanted = tuple(dict.fromkeys(_wanted(entries, self.keys)))
        """All (type, identity) that are looked up."""

    def run(self) -> None:
        """Raises Held."""
        self._shelf.find(self.wanted)
        for entry in self._entries:
            self._match(entry)

    def _match(self, entry: Entry) -> None:
        keys = self._own_keys(entry)
        patient = self._patient(entry)
        hits = [node for node in self._shelf.hits(_type(entry), keys) if self._is_of(node, patient)]
        if not hits:
            self.begun.add(entry.url)
            scope = str(patient.name) if patient else ""
            self.literal[entry.url] = self._shelf.add(_type(entry), keys, identities(entry.resource), scope)
        else:
            self.literal[entry.url] = hits[0] if len(hits) == 1 else self._choose(entry, hits)

    def _patient(self, entry: Entry) -> Node | None:
        """Whose it must be to be meant: numbers of specimens are seldom more than that within a patient's."""
        if _type(entry) not in _WITHIN_PATIENT:
            return None
        return self.node(str(entry.resource.get("subject", {}).get("reference", "")))

    def _is_of(self, node: Node, patient: Node | None) -> bool:
        if patient is None or node.is_new:
            return True
        reference = str(node.resource.get("subject", {}).get("reference", ""))
        if not reference.startswith("Patient/"):
            return True
        owner = self._shelf.node(name_of(reference))
        return owner is not None and self._shelf.root(owner) is patient

    def _choose(self, entry: Entry, hits: list[Node]) -> Node:
        if hits[0].name.type in MERGEABLE:
            roots = {self._shelf.root(node) for node in hits}
            if len(roots) == 1:
                root = roots.pop()
                return root if root in hits else hits[0]
        elif entry.policy is Policy.MENTION:
            return min(hits, key=lambda node: node.name)
        count = len(hits)
        text = f"The identifiers of one {_type(entry)} belong to {count} resources of the record."
        raise Held(DUPLICATE_KEY, text, self._place(entry))

    def _place(self, entry: Entry) -> Place | None:
        """Where a patient's identifiers stand."""
        if _type(entry) != "Patient":
            return None
        is_loser = any(merge.loser == entry.url for merge in self._mapped.merges)
        return Place("MRG", 1, 1) if is_loser else Place("PID", 1, 3)

    def _own_keys(self, entry: Entry) -> tuple[Key, ...]:
        """A survivor may be sent with the identities of whom it replaces too: those do not say which one it is."""
        losers = [merge.loser for merge in self._mapped.merges if merge.survivor == entry.url]
        theirs = {key for url in losers for key in self.keys[url]}
        keys = self.keys[entry.url]
        return tuple(key for key in keys if key not in theirs) or keys

    # --- references

    def node(self, url: str) -> Node | None:
        """What stands today for what ``url`` names."""
        literal = self.literal.get(url)
        return self._shelf.root(literal) if literal else None

    def resolved(self, entry: Entry) -> tuple[Resource, list[tuple[str, Key]]]:
        """The entry's resource with references to the record, and the (type, identity) of those it still waits for."""
        awaited: list[tuple[str, Key]] = []

        def change(reference: Resource) -> Resource:
            url = reference.get("reference")
            node = self.node(url) if url is not None else None
            if node is not None:
                return {**reference, "reference": str(node.name)}
            if url in self.apart:
                return {**reference, "reference": self.apart[url]}
            wanted = pending_key(reference, entry.pending) if entry.pending else None
            if wanted is None:
                return reference
            found = self._shelf.the_one(*wanted)
            if found is None:
                awaited.append(wanted)
                return reference
            return {"reference": str(found), **reference}

        keys = () if entry.policy is Policy.ALWAYS else self.keys[entry.url]
        return stated_references(_with_keys(entry.resource, keys), change), awaited


def pending_key(reference: Resource, pending: tuple[Key, ...] | None = None) -> tuple[str, Key] | None:
    """(type, identity) of a Reference that has only those; with ``pending``, of one of them."""
    identifier = reference.get("identifier")
    if "reference" in reference or "type" not in reference or not isinstance(identifier, dict):
        return None
    if "system" not in identifier or "value" not in identifier:
        return None
    key = Key(identifier["system"], identifier["value"])
    return (str(reference["type"]), key) if pending is None or key in pending else None


def _wanted(entries: list[Entry], keys: dict[str, tuple[Key, ...]]) -> Iterator[tuple[str, Key]]:
    for entry in entries:
        yield from ((_type(entry), key) for key in keys[entry.url])
        if entry.pending:
            found: list[tuple[str, Key] | None] = []

            def note(
                reference: Resource, entry: Entry = entry, found: list[tuple[str, Key] | None] = found
            ) -> Resource:
                found.append(pending_key(reference, entry.pending))
                return reference

            mapped_references(entry.resource, note)
            yield from (each for each in found if each)


def _content_key(entry: Entry, by_url: dict[str, Entry]) -> Key:
    """Nothing identifies it: the same said again of the same is still no second one."""

    def change(reference: Resource) -> Resource:
        other = by_url.get(str(reference.get("reference", "")))
        return {**reference, "reference": "|".join(map(token, other.keys))} if other else reference

    return Key(_CONTENT, digest(canonical(mapped_references(entry.resource, change))))


def _with_keys(resource: Resource, keys: tuple[Key, ...]) -> Resource:
    """``resource`` with all of its ``keys`` among its identifiers, so that the next message finds it."""
    known = identities(resource)
    missing = [{"system": key.system, "value": key.value} for key in keys if key not in known]
    repeats = type_def(resource["resourceType"]).elements["identifier"].max is None if missing else False
    return {**resource, "identifier": [*resource.get("identifier", []), *missing]} if repeats else resource


def _type(entry: Entry) -> str:
    return str(entry.resource["resourceType"])
