"""What every repository of a process shares: store, search, audit and the rules of the house."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import local
from typing import Any, Protocol

from fhir_server.audit.chain import Chain
from fhir_server.audit.record import AuditRecord, AuditRow
from fhir_server.search.cursor import Cursors
from fhir_server.search.resolve import Resolver
from fhir_server.search.view import Name
from fhir_server.store import Integrity, Session, Store, Stored, StoreError
from resources.errors import FhirError, Unavailable
from resources.repository import Caller, SearchPage, SearchRequest, Version


class Search(Protocol):
    """The search engine as the repository needs it."""

    cursors: Cursors

    def resolver(self, session: Session, caller: Caller) -> Resolver:
        """What finds and tests resources as ``caller`` may see them."""
        ...

    def search(self, session: Session, caller: Caller, request: SearchRequest) -> SearchPage: ...

    def identified(
        self, session: Session, caller: Caller, identities: Collection[tuple[str, str, str]], names: Collection[Name]
    ) -> Sequence[Stored]: ...

    def listed(
        self, session: Session, caller: Caller, identities: Collection[tuple[str, str, str]]
    ) -> Mapping[tuple[str, str, str], Sequence[Stored]]:
        """The current resources with each identifier (type, system, value), as far as ``caller`` may find them."""
        ...

    def matches(self, session: Session, caller: Caller, type: str, criteria: str) -> Sequence[Stored]:
        """Up to two current resources that meet ``criteria``, in the view of the open transaction."""
        ...


class AuditEvents(Protocol):
    """The audit trail, read as FHIR."""

    def read(self, caller: Caller, id: str) -> Version: ...

    def search(self, caller: Caller, request: SearchRequest) -> SearchPage: ...


@dataclass(frozen=True)
class Services:
    """``note`` appends records to the local spool before it returns (reads, refusals); ``chain_key`` seeds the hash
    chains of writes; ``base`` is the public base URL; ``integrity`` the reference checks of plain requests."""

    store: Store
    engine: Search
    audit_events: AuditEvents
    note: Callable[[Sequence[AuditRecord]], None]
    chain_key: bytes
    base: str
    integrity: Integrity = field(default_factory=Integrity)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_thread", local())

    def audited(self, records: Sequence[AuditRecord]) -> "_Audited":
        """Chained audit rows for a write inside the block; the chain advances only when the write was stored, so the
        block is around the transaction: a commit may fail when all was written."""
        return _Audited(self._chain(), records)

    def further(self, records: Sequence[AuditRecord]) -> list[AuditRow]:
        """More rows of the block that is open."""
        return self._chain().extend(records)

    def _chain(self) -> Chain:
        thread: Any = self.__dict__["_thread"]
        try:
            found: Chain = thread.chain
        except AttributeError:
            found = thread.chain = Chain(self.chain_key)
        return found


class _Audited:
    """The block of `Services.audited`."""

    __slots__ = ("_chain", "_records")

    def __init__(self, chain: Chain, records: Sequence[AuditRecord]) -> None:
        self._chain, self._records = chain, records

    def __enter__(self) -> list[AuditRow]:
        return self._chain.extend(self._records)

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            self._chain.accept()
        elif isinstance(error, StoreError | FhirError) and not isinstance(error, Unavailable):
            self._chain.discard()
        else:  # a connection lost at commit leaves the outcome unknown: nothing may be built on those rows
            self._chain.renew()
