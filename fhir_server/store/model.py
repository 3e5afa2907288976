"""What goes into the store and what comes out: writes, stored versions, and the ways a write can fail.

FHIR R4 RESTful API, versions and logical ids (https://hl7.org/fhir/R4/http.html#versioning).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from resources.repository import Version
from resources.search_param.terms import Entries

Parameter = int | str | bytes | None | list[int] | list[str] | list[bytes]
Row = tuple[Any, ...]


class OutboxRow(NamedTuple):
    """Work for another process, visible with the write: ``topic`` says whose, ``body`` is its own affair."""

    topic: str
    body: bytes


class Stored(msgspec.Struct, frozen=True, gc=False):
    """One version as the store knows it. ``doc`` is the opened document (b'' for a deletion), ``updated`` milliseconds.

    ``rid`` is the row's number for life, ``o`` its place in every list (0 in rows of the history), ``seq`` the global
    sequence of the write.
    """

    type: str
    id: str
    version: int
    updated: int
    doc: bytes
    op: str
    rid: int
    o: int
    seq: int

    @property
    def deleted(self) -> bool:
        return not self.doc

    def as_version(self) -> Version:
        """The same without what only the store needs."""
        return Version(self.type, self.id, self.version, self.updated, self.doc, self.op)


class Write(NamedTuple):
    """One version to be stored.

    ``op`` is the HTTP method (POST, PUT, PATCH, DELETE) and ``doc`` the bytes to be answered, b'' for a deletion.
    ``previous`` is the current row the caller saw, deleted or not: None means that no row may exist.
    ``entries`` are those of ``doc`` (None for a deletion), ``previous_entries`` those of ``previous.doc`` (None when
    that was a deletion or is absent). ``version`` is previous.version + 1, or 1; ``updated`` milliseconds since 1970.
    """

    type: str
    id: str
    op: str
    version: int
    updated: int
    doc: bytes
    entries: Entries | None = None
    previous: Stored | None = None
    previous_entries: Entries | None = None
    tenant: int = 0

    @property
    def generations(self) -> set[int]:
        """Those of the registries that its entries were read with."""
        return {entries.generation for entries in (self.entries, self.previous_entries) if entries is not None}


@dataclass(frozen=True, slots=True)
class Integrity:
    """Which reference checks a write makes: ``targets`` must exist and not be deleted; ``referrers`` keep a delete off.

    REFERENTIAL_INTEGRITY=both is Integrity(), deletes is Integrity(targets=False), off is Integrity(False, False).
    """

    targets: bool = True
    referrers: bool = True


class StoreError(Exception):
    """Base of what a write can meet; the repository turns these into the caller's FHIR error.

    StoreError
    ├── LostRace         another write came first (an id that exists, a version that is no longer current)
    │   └── OldRegistry  the search parameters changed since the entries of the write were read
    ├── MissingTargets   references to resources that are absent or deleted
    ├── StillReferenced  a deletion of what others refer to
    └── MarkMissed       a mark that met other rows than it must
    Nothing of the write was stored; inside ``transaction()`` the exception must leave the block (it rolls back).
    """


class LostRace(StoreError):
    """``lost`` lists the (type, id) of the writes that came too late."""

    def __init__(self, lost: list[tuple[str, str]]) -> None:
        super().__init__("another write came first: " + ", ".join(f"{t}/{i}" for t, i in lost))
        self.lost = lost


class OldRegistry(LostRace):
    """The entries of the writes were not read with the search parameters that are in force."""


class MissingTargets(StoreError):
    """``missing`` lists the references (``Patient/1``) that point to nothing, or to something deleted."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__("no such resource: " + ", ".join(missing))
        self.missing = missing


class StillReferenced(StoreError):
    """``target`` is what was to be deleted, ``referrers`` up to ten references to resources that refer to it."""

    def __init__(self, target: str, referrers: list[str]) -> None:
        super().__init__(f"{target} is referred to by " + ", ".join(referrers))
        self.target, self.referrers = target, referrers


class MarkMissed(StoreError):
    """The mark ``name`` did not return as many rows as it must."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the rows of {name} were changed by others")
        self.name = name


def generation_of(write: Write) -> int:
    """The generation that its entries were read with, -1 without entries. Raises OldRegistry when they are of two."""
    found = max(write.generations, default=-1)
    refuse_old((write,), found)
    return found


def refuse_old(writes: Sequence[Write], generation: int) -> None:
    """Raise OldRegistry when entries of ``writes`` were read with other search parameters than those in force."""
    old = [(write.type, write.id) for write in writes if write.generations - {generation}]
    if old:
        raise OldRegistry(old)


class SchemaTooNew(Exception):
    """The database was migrated by a later release than this one."""


class DatabaseError(Exception):
    """A statement failed in a way that is a fault of ours; ``state`` is the SQLSTATE."""

    def __init__(self, state: str, text: str) -> None:
        super().__init__(f"{state} {text}")
        self.state = state
