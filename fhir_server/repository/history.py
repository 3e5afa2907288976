"""History of an instance, a type or the system, in pages, as the caller may see it.

FHIR R4 http.html#history: newest first. Who sees only a part is shown the versions that lie in it, of resources whose
current version (or the last before their deletion) lies in it too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from fhir_server.repository.services import Services
from fhir_server.search.cursor import Position
from fhir_server.search.restriction import OFFERED, Restriction, granted, restriction, unrestricted
from fhir_server.search.view import View
from fhir_server.store import Stored
from fhir_server.store.search_sets import Chosen, Set, either
from resources.definitions import RESOURCE_TYPES
from resources.errors import BadSearch, Forbidden, NotFound, TooCostly
from resources.repository import Caller, HistoryPage, HistoryRequest
from resources.search_param.intervals import interval
from resources.search_param.terms import All

BLOCK = 200
"""Versions looked at in one go."""
MOST = 20_000
"""Versions that one page may look at."""
MEMBERS = 50_000
"""Resources of a patient whose histories are shown together."""
DELETIONS = 10_000
"""Deletions of a type, newest first, among which a patient's are looked for."""


def history_page(services: Services, caller: Caller, request: HistoryRequest) -> HistoryPage:
    """One page. Raises NotFound for an instance that never was, BadSearch for a malformed parameter, Forbidden."""
    asked = f"history {request.type}/{request.id}?{request.since}&{request.at}"
    before = services.engine.cursors.open(caller, asked, request.cursor).o if request.cursor else None
    versions = _Versions(services, caller, request, before)
    found = versions.newest(request.count + 1)
    if not found and request.id and versions.is_absent():
        raise NotFound(f"There never was a {request.type}/{request.id}.")
    page = found[: request.count]
    more = len(found) > request.count
    last = services.engine.cursors.seal(caller, asked, Position(True, page[-1].seq)) if more and page else ""
    return HistoryPage(tuple(stored.as_version() for stored in page), versions.total(), last)


@dataclass
class _Versions:
    """The versions that one request asks for, below seq ``before``."""

    services: Services
    caller: Caller
    request: HistoryRequest
    before: int | None
    free: bool = field(init=False)

    def __post_init__(self) -> None:
        self.session = self.services.store.session()
        permission, type = ("r" if self.request.id else "s"), self.request.type
        self.permission = permission
        self.free = restriction(self.caller, type, permission) is None if type else unrestricted(self.caller, "s")
        self.since = _bounds("_since", self.request.since)[0] if self.request.since else None
        self.at = _bounds("_at", self.request.at) if self.request.at else None

    def newest(self, count: int) -> list[Stored]:
        """Up to ``count`` versions, newest first. Raises TooCostly."""
        if self.free:
            return self._block(count, self.before, (), None)
        return [stored for stored, _ in zip(self._seen(self.before), range(count), strict=False)]

    def is_absent(self) -> bool:
        """Whether the instance never was, for this caller."""
        current = self.session.read(self.request.type, self.request.id, self.caller.tenant)
        return current is None or (not self.free and not _Seen(self._view(), self.permission).knows(current))

    def total(self) -> int | None:
        """Of an instance's whole history."""
        request = self.request
        if not request.id or request.since or request.at:
            return None
        if self.free:
            return self.session.history_count(request.type, request.id, self.caller.tenant)
        return sum(1 for _ in self._seen(None))

    def _view(self) -> View:
        return self.services.engine.resolver(self.session, self.caller).view

    def _block(self, count: int, before: int | None, types: Sequence[str], rids: Sequence[int] | None) -> list[Stored]:
        request = self.request
        return self.session.history(
            request.type,
            request.id,
            count=count,
            since=self.since,
            at=self.at,
            before=before,
            tenant=self.caller.tenant,
            types=types,
            rids=rids,
        )

    def _seen(self, before: int | None) -> Iterator[Stored]:
        """What the caller sees of it, block by block."""
        types, rids = ((), None) if self.request.id else self._sources()
        seen, looked = _Seen(self._view(), self.permission), 0
        while True:
            block = self._block(BLOCK, before, types, rids)
            yield from seen.of(block)
            if len(block) < BLOCK:
                return
            before, looked = block[-1].seq, looked + BLOCK
            if looked >= MOST and not self.request.id:
                raise TooCostly("this history would look at too many versions; narrow it by type or _since")

    def _sources(self) -> tuple[tuple[str, ...], list[int]]:
        """The types to walk, and the members of the others, which lie in a patient's compartment, by row number."""
        asked = [self.request.type] if self.request.type else sorted(RESOURCE_TYPES)
        open = [type for type in asked if granted(self.caller, type, "s")]
        if not open:
            raise Forbidden("history is not granted.")
        few = [type for type in open if (found := restriction(self.caller, type, "s")) and _is_small(found)]
        return tuple(type for type in open if type not in few), self._members(few) if few else []

    def _members(self, types: Sequence[str]) -> list[int]:
        resolver = self.services.engine.resolver(self.session, self.caller)
        near: list[Set] = []
        for type in types:
            found, far = resolver.typed(type, All(type))
            near.append(Chosen(tuple(resolver.executor.all_orders(found, far, MEMBERS))) if far else found)
        alive = resolver.executor.rids(either(*near), MEMBERS)
        deleted = self.session.last_living(types, DELETIONS, self.caller.tenant)
        return [*alive, *(row.rid for row in resolver.view.seen(deleted, "s"))]


def _is_small(found: Restriction) -> bool:
    """Whether what may be seen is one patient's, not most of a type."""
    return all(rule.patient and not rule.shared and rule.type not in OFFERED for rule in found.rules)


class _Seen:
    """Which versions a caller sees: those inside, of resources that are still (or were last) inside."""

    def __init__(self, view: View, permission: str) -> None:
        self.view, self.permission = view, permission
        self.known: dict[tuple[str, str], bool] = {}

    def of(self, block: Sequence[Stored]) -> list[Stored]:
        names = {(row.type, row.id) for row in block} - self.known.keys()
        current = self.view.resolver.session.read_many(sorted(names), self.view.caller.tenant)
        self.known.update((name, self.knows(row)) for name, row in current.items())
        return [row for row in block if self.known.get((row.type, row.id)) and self.knows(row)]

    def knows(self, row: Stored) -> bool:
        living = self.view.living(row)
        return living is not None and self.view.sees(living, self.permission)


def _bounds(name: str, text: str) -> tuple[int, int]:
    """[lo, hi) of a FHIR date or instant in milliseconds since 1970 UTC."""
    try:
        lo, hi = interval(text)
    except ValueError:
        raise BadSearch(f"{name} is {text!r}; an instant such as 2026-11-22T10:00:00Z is expected.") from None
    return lo // 1000, -(-hi // 1000)
