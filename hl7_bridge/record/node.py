"""A resource on its way through one message: as it was found, as it will be, and what is remembered beside it.

Every change of it is a Put on the version that was found, so that whoever comes second reads anew (Stale).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from hl7_bridge.mapping.model import Key, Resource
from hl7_bridge.ports import Stamp
from hl7_bridge.record.elements import same
from hl7_bridge.record.merged import survivor_of
from hl7_bridge.record.standing import Standing, load
from hl7_bridge.record.statements import note_others
from resources import json_codec
from resources.errors import Conflict, Gone, NotFound
from resources.logical_id import new_id
from resources.repository import Repository, Version

MOST_VERSIONS = 50
"""How many versions of others are looked at one by one, the newest ones."""


class Stale(Conflict):
    """What was read belongs to different moments; read it anew."""


class Name(NamedTuple):
    """Which resource."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}/{self.id}"


def name_of(reference: str) -> Name:
    type, _, id = reference.partition("/")
    return Name(type, id)


@dataclass(slots=True, eq=False)
class Node:
    """``found`` is the resource as it is in the record (None: not there), ``version`` and ``updated`` of it, ``stamp``
    what is kept beside it. ``resource`` is what it becomes; ``standing`` may only be used after ``settle``."""

    name: Name
    resource: Resource
    found: Resource | None = None
    version: int = 0
    updated: int = 0
    stamp: Stamp | None = None
    keys: tuple[Key, ...] = ()
    """Of a new one: what it must be the first to have."""
    standing: Standing = field(default_factory=Standing)
    is_settled: bool = False

    @property
    def is_new(self) -> bool:
        return self.found is None

    @property
    def is_changed(self) -> bool:
        return self.found is None or not same(self.found, self.resource)

    @property
    def revision(self) -> int:
        """Of the stamps that were read; 0 without any."""
        return self.stamp.revision if self.stamp else 0

    @property
    def is_restamped(self) -> bool:
        return self.is_settled and self.standing.dump() != (self.stamp.stamps if self.stamp else "")

    @property
    def survivor(self) -> Name | None:
        """What it was merged into."""
        reference = survivor_of(self.resource)
        return name_of(reference) if reference else None

    def settle(self, repository: Repository, secret: bytes) -> None:
        """Read the standing, and note in it what others changed since the bridge wrote it."""
        if self.is_settled:
            return
        self.is_settled = True
        if self.stamp:
            self.standing = load(self.stamp.stamps)
        last = self.stamp.version if self.stamp else 0
        if last < self.version:
            self._note_others(repository, last, secret)

    def _note_others(self, repository: Repository, last: int, secret: bytes) -> None:
        first = max(last, self.version - MOST_VERSIONS)
        old = _content(repository, self.name, first) if first else None
        for number in range(first + 1, self.version):
            version = _version(repository, self.name, number)
            new = json_codec.decode_stored(version.doc) if version else {"resourceType": self.name.type}
            at = version.updated if version else self.updated
            note_others(old, new, _said_at(number, at), self.standing, secret)
            old = new
        if self.found is not None:
            note_others(old, self.found, _said_at(self.version, self.updated), self.standing, secret)


def new_node(type: str, keys: tuple[Key, ...], id: str = "") -> Node:
    """A resource to be made, with ``id`` when its only identity decides which one it gets."""
    name = Name(type, id or new_id())
    return Node(name, {"resourceType": type, "id": name.id}, keys=keys, is_settled=True)


def found_node(version: Version, stamp: Stamp | None) -> Node:
    """Raises Stale when the stamps are of a later version."""
    if stamp is not None and stamp.version > version.version:
        raise Stale(f"{version.reference} was changed while it was read.")
    found = json_codec.decode_stored(version.doc)
    return Node(Name(version.type, version.id), dict(found), found, version.version, version.updated, stamp)


def _said_at(number: int, updated: int) -> int:
    """As of when people said what version ``number`` says, which was stored at ``updated`` (ms). The first one goes
    before all that was said in its second: many systems tell whole seconds, and who speaks of a resource that people
    made does so afterwards."""
    return updated - updated % 1000 - 1 if number == 1 else updated


def _version(repository: Repository, name: Name, number: int) -> Version | None:
    try:
        return repository.vread(name.type, name.id, number)
    except (Gone, NotFound):
        return None


def _content(repository: Repository, name: Name, number: int) -> Resource | None:
    version = _version(repository, name, number)
    return json_codec.decode_stored(version.doc) if version else None
