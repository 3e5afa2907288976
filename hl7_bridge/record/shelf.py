"""What one message meets in the record: found by identities in one look, each resource read once.

FHIR R4 search (https://hl7.org/fhir/R4/search.html#token, commas are alternatives).
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from hl7_bridge.errors import DUPLICATE_KEY, Held
from hl7_bridge.mapping.model import Key, Resource
from hl7_bridge.ports import Stamp, Stamps
from hl7_bridge.record.elements import items
from hl7_bridge.record.node import Name, Node, found_node, new_node
from resources.errors import Gone, NotFound
from resources.repository import Repository, Version
from resources.search_param.escapes import escaped

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class Ahead(Protocol):
    """What was read already: as Repository.identified and as Stamps.read."""

    def versions(
        self, wanted: Collection[tuple[str, str, str]], names: Collection[tuple[str, str]]
    ) -> list[Version]: ...

    def stamps(self, resources: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Stamp]: ...


class Shelf:
    """Of one attempt to apply one message."""

    def __init__(
        self,
        repository: Repository,
        stamps: Stamps,
        id_of: Callable[[str, Key], str] | None = None,
        own_system: str = "",
    ) -> None:
        """``id_of`` gives what has but one identity its id, so that it cannot be made twice. Identities of
        ``own_system`` are ids of resources, as peers were told them."""
        self.repository, self.stamps, self._id_of, self._own = repository, stamps, id_of, own_system
        self.ahead: Ahead | None = None
        """What was looked up already, together with what others need."""
        self.nodes: dict[Name, Node] = {}
        self._by_key: dict[tuple[str, Key], list[Node]] = {}
        self._others: dict[tuple[str, Key], list[Node]] = {}

    def find(self, wanted: Iterable[tuple[str, Key]]) -> None:
        """Look all (type, identity) up."""
        known = dict.fromkeys(wanted)
        own = self.own(known)
        look = self.ahead.versions if self.ahead else self.repository.identified
        nodes = self._made(look([(type, *key) for type, key in known], own.keys()))
        for node in nodes:
            keys = [key for key in identities(node.resource) if (node.name.type, key) in known]
            if node.name in own:
                keys.append(own[node.name])
            for key in dict.fromkeys(keys):
                self._by_key.setdefault((node.name.type, key), []).append(node)

    def own(self, wanted: Iterable[tuple[str, Key]]) -> dict[Name, Key]:
        """Those that are ids of resources here."""
        return {Name(type, key.value): key for type, key in wanted if self._is_own(key)} if self._own else {}

    def _is_own(self, key: Key) -> bool:
        return key.system == self._own and _ID.fullmatch(key.value) is not None

    def hits(self, type: str, keys: Iterable[Key]) -> list[Node]:
        """Resources that have any of ``keys``, in the order of the keys, each once; of what was looked up or added."""
        return list(dict.fromkeys(node for key in keys for node in self._by_key.get((type, key), ())))

    def add(self, type: str, keys: tuple[Key, ...], others: Iterable[Key] = (), scope: str = "") -> Node:
        """A new resource, which later hits find by ``keys``, and who waits for it by ``others`` as well.

        With ``scope`` others may have the same keys in another one.
        """
        id = self._id_of(f"{scope}/{type}" if scope else type, keys[0]) if self._id_of and len(keys) == 1 else ""
        node = new_node(type, () if scope else keys, id)
        self.nodes[node.name] = node
        for key in keys:
            self._by_key.setdefault((type, key), []).append(node)
        for key in others:
            self._others.setdefault((type, key), []).append(node)
        return node

    def the_one(self, type: str, key: Key) -> Name | None:
        """What stands today for the only resource with that identity."""
        found = [*self.hits(type, [key]), *self._others.get((type, key), ())]
        roots = {self.root(node).name for node in found}
        return roots.pop() if len(roots) == 1 else None

    def node(self, name: Name) -> Node | None:
        """The resource ``name``; None when it is not there any more."""
        if name not in self.nodes:
            try:
                self._made([self.repository.read(name.type, name.id)])
            except (Gone, NotFound):
                return None
        return self.nodes[name]

    def path(self, node: Node) -> list[Node]:
        """``node``, what it was merged into, and so on. Raises Held when that leads nowhere, or in a circle."""
        found = [node]
        while (name := found[-1].survivor) is not None:
            next = self.node(name)
            if next is None or next in found:
                raise Held(DUPLICATE_KEY, f"{node.name} was merged into {name}, which is gone or merged into it.")
            found.append(next)
        return found

    def root(self, node: Node) -> Node:
        """What stands for ``node`` today."""
        return self.path(node)[-1]

    def _made(self, versions: Sequence[Version]) -> list[Node]:
        unknown = [v for v in versions if Name(v.type, v.id) not in self.nodes]
        read = self.ahead.stamps if self.ahead else self.stamps.read
        stamps = read((v.type, v.id) for v in unknown) if unknown else {}
        for version in unknown:
            name = Name(version.type, version.id)
            self.nodes[name] = found_node(version, stamps.get((version.type, version.id)))
        return [self.nodes[name] for name in dict.fromkeys(Name(v.type, v.id) for v in versions)]


def token(key: Key) -> str:
    """``key`` as the value of a token parameter."""
    return f"{escaped(key.system)}|{escaped(key.value)}"


def identities(resource: Resource) -> list[Key]:
    """The identities that ``resource`` has."""
    found = [each for each in items(resource, "identifier") if isinstance(each, dict)]
    return [Key(each["system"], each["value"]) for each in found if "system" in each and "value" in each]
