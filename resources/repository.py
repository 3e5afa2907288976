"""The one door to clinical data: the Repository protocol, its commands and what they return.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html). REST, transactions, HL7 v2, video, import and workers all
go through a repository that is bound to a caller; nothing else reads or writes clinical data.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Protocol

import msgspec


class Grant(msgspec.Struct, frozen=True):
    """One permission of a caller, as a SMART scope comes to: what is not granted is refused.

    ``type`` is a resource type or ``*``; ``permissions`` letters of ``cruds`` (create, read, update, delete, search);
    ``params`` search parameters (name with modifier, value) that a resource must all meet (granular scopes);
    ``compartment`` the (type, id) it is confined to, None for the whole record of the tenant; ``confidential`` whether
    it reaches what meta.security labels R or V (v3-Confidentiality: restricted, very restricted), ``restricted``
    whether at least what it labels R.
    """

    type: str
    permissions: str
    params: tuple[tuple[str, str], ...] = ()
    compartment: tuple[str, str] | None = None
    confidential: bool = False
    restricted: bool = False


class Grants:
    """All that a caller may do, for as long as it is known: equal only to itself, and it remembers what it was asked.

    No grants allow nothing. ``memo`` is for whoever works out more from the same grants and keys it by tuples of its
    own; ``fingerprint`` says the same for equal grants, on every node.
    """

    __slots__ = ("_fingerprint", "_of", "all", "memo")

    def __init__(self, grants: Iterable[Grant] = ()) -> None:
        self.all = tuple(grants)
        self.memo: dict[tuple[str, ...], Any] = {}
        self._of: dict[tuple[str, str], tuple[Grant, ...]] = {}
        self._fingerprint = ""

    def of(self, type: str, permission: str) -> tuple[Grant, ...]:
        """Those that give ``permission`` (a letter of ``cruds``) on ``type``; a grant for ``*`` covers every type."""
        found = self._of.get((type, permission))
        if found is None:
            found = tuple(grant for grant in self.all if grant.type in (type, "*") and permission in grant.permissions)
            self._of[type, permission] = found
        return found

    @property
    def fingerprint(self) -> str:
        if not self._fingerprint:
            self._fingerprint = blake2b(repr(sorted(map(repr, self.all))).encode(), digest_size=12).hexdigest()
        return self._fingerprint


NOTHING = Grants()
WHOLE_RECORD = Grants((Grant("*", "cruds", confidential=True),))
"""Of the server without authentication, of its own commands and of tests."""


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who asks: the identity every query is restricted by and every audit row names.

    ``who`` is a reference or a name (``Practitioner/1``, ``open`` while there is no authentication), ``client`` the
    software, ``grants`` what they may do (nothing, unless given), ``tenant`` the number of the record, ``purpose`` a
    PurposeOfUse code, ``address`` the network address, ``request_id`` what the log line of this request carries.
    """

    who: str
    client: str = ""
    tenant: int = 0
    purpose: str = ""
    address: str = ""
    request_id: str = ""
    grants: Grants = NOTHING


# Versions and hits are made by the dozen for every page: structs cost a tenth of frozen dataclasses.
class Version(msgspec.Struct, frozen=True, gc=False):
    """One stored version of a resource.

    ``doc`` holds the JSON bytes as they are answered, ``meta`` inside (empty for a deletion);
    ``updated`` is milliseconds since 1970 UTC; ``op`` is the HTTP method that made it (POST, PUT, PATCH, DELETE).
    """

    type: str
    id: str
    version: int
    updated: int
    doc: bytes
    op: str = ""

    @property
    def deleted(self) -> bool:
        return not self.doc

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.id}"


# --- Queries ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search as asked: ``type`` is empty for a system-wide search, ``params`` the decoded query in order.

    ``compartment`` is the (type, id) of a compartment search; ``lenient`` relaxes unknown parameter names;
    page links carry their state in the parameter ``_cursor``.
    """

    type: str
    params: tuple[tuple[str, str], ...]
    compartment: tuple[str, str] | None = None
    lenient: bool = False


class Hit(msgspec.Struct, frozen=True, gc=False):
    """One entry of a searchset; ``mode`` is match, include or outcome."""

    version: Version
    mode: str = "match"


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search. ``links`` maps a relation (self, first, next, previous) to its query string (no ``?``).

    ``total`` is None unless it was asked for; ``issues`` says what a lenient search ignored.
    ``summary`` and ``elements`` are the applied ``_summary`` code and ``_elements`` names; ``patients`` are the main
    patients of the hits (``Patient/1``) where somebody looked already ('': a hit has none), else None.
    """

    hits: tuple[Hit, ...]
    links: dict[str, str]
    total: int | None = None
    issues: tuple[Any, ...] = ()
    summary: str = ""
    elements: tuple[str, ...] = ()
    patients: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """History of an instance (type and id), a type (type) or the system; ``since``/``at`` are FHIR instants as sent."""

    type: str = ""
    id: str = ""
    since: str = ""
    at: str = ""
    count: int = 50
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Newest first; deletions are Versions with empty ``doc``. ``next`` is the cursor of the next page or ''."""

    versions: tuple[Version, ...]
    total: int | None
    next: str = ""


# --- Commands -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Create:
    """POST [type]. ``if_none_exist`` is a query string (``identifier=...``); ``full_url`` names it for references.
    ``id`` is for a part of this server that must know it beforehand (a fresh one, of logical_id): no caller chooses."""

    resource: dict[str, Any]
    if_none_exist: str | None = None
    full_url: str = ""
    id: str = ""


ANY_VERSION = 0
"""As ``if_match``: there must be a current version, whichever."""


@dataclass(frozen=True, slots=True)
class Put:
    """PUT [type]/[id], or PUT [type]?criteria when ``criteria`` is given.

    ``identities`` are criteria too: whatever has one of these identifiers (system, value), neither empty.
    ``if_match`` is the version the caller saw, ANY_VERSION for whichever there is (If-Match: *); ``if_none_match`` True
    means If-None-Match: * (create only).
    """

    resource: dict[str, Any]
    type: str
    id: str = ""
    criteria: str | None = None
    if_match: int | None = None
    if_none_match: bool = False
    full_url: str = ""
    identities: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """PATCH [type]/[id] or [type]?criteria. ``apply`` takes the current resource (not to be changed) and returns the
    new one, raising FhirError when the patch does not fit."""

    type: str
    apply: Callable[[dict[str, Any]], dict[str, Any]]
    id: str = ""
    criteria: str | None = None
    if_match: int | None = None
    full_url: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    """DELETE [type]/[id] or [type]?criteria; deleting what is absent or already deleted succeeds."""

    type: str
    id: str = ""
    criteria: str | None = None
    if_match: int | None = None
    full_url: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """GET [type]/[id] or [type]/[id]/_history/[version] inside a transaction, after its writes."""

    type: str
    id: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Find:
    """GET [type]?... inside a transaction, after its writes."""

    request: SearchRequest


Command = Create | Put | Patch | Delete | Read | Find


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one command came to.

    ``status`` is the HTTP status (200, 201, 204); ``version`` the stored version (for a Delete of something absent
    None); ``page`` the answer of a Find; ``changed`` False when nothing was written (If-None-Exist met, same body).
    """

    status: int
    version: Version | None = None
    page: SearchPage | None = None
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """A named row update, registered by the wiring, that is run in the transaction of a commit."""

    name: str
    params: dict[str, Any] = field(default_factory=dict)
    rows: int | None = None
    """How many rows it must return (``RETURNING``); with any other number the commit fails with Conflict."""


class Repository(Protocol):
    """Data as one caller may see and change it. Every method but ``standing`` is audited; each raises FhirError."""

    caller: Caller

    def read(self, type: str, id: str) -> Version:
        """The current version. Raises NotFound, Gone."""
        ...

    def vread(self, type: str, id: str, version: int) -> Version:
        """One version. Raises NotFound, Gone (the version is a deletion)."""
        ...

    def history(self, request: HistoryRequest) -> HistoryPage:
        """Versions, newest first. Raises NotFound for an instance that never was."""
        ...

    def search(self, request: SearchRequest) -> SearchPage:
        """One page. Raises BadSearch, TooCostly."""
        ...

    def identified(
        self, identities: Collection[tuple[str, str, str]], names: Collection[tuple[str, str]] = ()
    ) -> list[Version]:
        """The current versions of all that has one of the identifiers (type, system, value), system and value as
        written and neither empty, and of those of ``names`` (type, id) that exist; each once. One look instead of a
        search for each type. Raises BadSearch for a type without identifiers, Forbidden."""
        ...

    def standing(self, names: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The version numbers of those of ``names`` (type, id) that exist. It tells nothing of what they say and leaves
        no audit row: for who has to notice a change within a second. Raises Forbidden."""
        ...

    def changes(self, types: Sequence[str], after: int | None, count: int) -> tuple[list[Version], int]:
        """Up to ``count`` current versions of ``types`` written after position ``after``, oldest first, deletions
        included, and the position to go on from. A resource that changed twice comes once. ``after`` None: no
        version, only the position of now. Raises Forbidden."""
        ...

    def digest(self, requests: Iterable[SearchRequest]) -> str:
        """A word that is another one when what ``requests`` find is led by another version. It tells nothing of the
        record, so that a page may ask often and no row of the audit trail comes of it. Raises as ``search``."""
        ...

    def commit(
        self, commands: Sequence[Command], marks: Sequence[Mark] = (), *, bundled: bool = False
    ) -> list[Outcome]:
        """Do all of ``commands`` or nothing, in the FHIR order (DELETE, POST, PUT and PATCH, GET).

        The outcomes come in the given order.

        References to a ``full_url`` of another command are rewritten, conditional references resolved: of several
        commands always, of one alone when it is ``bundled``, that is the only entry of a transaction.
        Raises Conflict, PreconditionFailed, MultipleMatches, NotFound, Gone, Invalid, BusinessRule; of several
        commands the error names the place as ``Bundle.entry[n]``.
        """
        ...
