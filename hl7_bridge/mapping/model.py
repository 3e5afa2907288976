"""What a message comes to before it meets the record: resources, who they are, and how they may change what is there.

v2-to-FHIR implementation guide (https://hl7.org/fhir/uv/v2mappings/), which makes Bundles and is silent on matching,
updating and merging; identities, policies and guards here are ours.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

Resource = dict[str, Any]


class Key(NamedTuple):
    """One identity: an Identifier's system and value. Both are there, always."""

    system: str
    value: str


class Policy(Enum):
    """How a resource of a message meets the one that is there."""

    REGISTER = "register"
    """Element by element, the newest statement of each wins; what is empty leaves, the null value deletes (ADT)."""
    MENTION = "mention"
    """Made when absent, otherwise left alone (the patient of an ORU, practitioners, organizations, locations)."""
    RESULT = "result"
    """The whole, by rank of its status and then by time; never backwards."""
    ORDER = "order"
    """As RESULT, and control codes decide which states may follow."""
    ALWAYS = "always"
    """A new resource each time the message is applied (Provenance, MessageHeader); never matched."""


class AsOf(NamedTuple):
    """What decides between two statements about the same resource: first ``rank``, then ``time`` (ms since 1970 UTC),
    then ``tie`` (the content's hash, so that every order of arrival ends alike)."""

    rank: int
    time: int
    tie: str


UNDATED = AsOf(0, 0, "")


@dataclass(slots=True)
class Entry:
    """One resource of a message. ``resource`` refers to others by their ``url``; ``keys`` are its identities, any of
    which is enough; ``nulls`` the elements that the message deletes; ``sources`` the segments it is made of."""

    url: str
    resource: Resource
    policy: Policy
    keys: tuple[Key, ...] = ()
    as_of: AsOf = UNDATED
    nulls: frozenset[str] = frozenset()
    sources: tuple[int, ...] = ()
    defaults: frozenset[str] = frozenset()
    """Elements that a new resource must have and the message did not state: they never replace what is there."""
    certain: frozenset[str] = frozenset()
    """Of a MENTION: elements that the message states all the same, as of ``as_of``."""
    pending: tuple[Key, ...] = ()
    """Identities of resources that other messages bring (the parent of a result): a Reference with ``type`` and such an
    ``identifier``, without ``reference``, is resolved when the resource is there, whichever comes first."""

    @property
    def reference(self) -> Resource:
        return {"reference": self.url}


@dataclass(frozen=True, slots=True)
class Merge:
    """``loser`` is the same patient (Encounter, Account) as ``survivor``: urls of entries. Sticks against updates."""

    survivor: str
    loser: str


class Fate(Enum):
    """What became of a populated field."""

    MAPPED = "mapped"
    IGNORED = "ignored"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Trace:
    """The fate of one field: its place, where it went (``Patient.name``, FHIRPath) or why not."""

    place: str
    fate: Fate
    target: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A code no table knows: for the worklist. ``table`` is the HL7 table or the target, ``place`` the first field."""

    table: str
    code: str
    system: str
    text: str
    place: str


@dataclass(slots=True)
class Mapped:
    """All that one message comes to."""

    entries: list[Entry] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    unmapped: list[Unmapped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """Sentences for the interface engineer, without a patient's data."""
    is_mapped: bool = True
    """False for a type that is kept and shown but has no map."""
