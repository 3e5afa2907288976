"""What one caller may change: every command passes here before it is prepared, and what it made before it is stored.

SMART App Launch 2.2 scopes on FHIR R4 interactions (http.html#update, #delete, #transaction). What lies outside the
caller's restriction answers as what never was; what the caller would make outside of it is refused.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from fhir_server.repository.criteria import criteria_of, type_of
from fhir_server.repository.services import Services
from fhir_server.repository.stale import refuse_stale
from fhir_server.search.restriction import WORDS, Restriction, reach, restriction
from fhir_server.search.view import View, attached
from fhir_server.store import MissingTargets, StillReferenced, Stored, StoreError, Write
from fhir_server.store.postings import targets_of
from resources.errors import Forbidden, NotFound
from resources.literal_reference import local
from resources.repository import Caller, Command, Create, Delete, Find, Patch, Put, Read
from resources.search_param.terms import Entries

_PERMISSION: dict[type, str] = {Create: "c", Put: "u", Patch: "u", Delete: "d", Read: "r", Find: "s"}
_BY_LINK = frozenset(("Provenance", "Binary"))
"""Types whose place may be decided by others of the same commit; those are looked at first."""


class Guard:
    """Of one commit of ``caller``."""

    __slots__ = ("_caller", "_services", "_view")

    def __init__(self, services: Services, caller: Caller) -> None:
        self._services, self._caller = services, caller
        self._view: View | None = None

    @property
    def view(self) -> View:
        if self._view is None:
            self._view = self._services.engine.resolver(self._services.store.session(), self._caller).view
        return self._view

    # --- before: what the commands are about

    def admit(self, commands: Sequence[Command], bundled: bool) -> None:
        """Raise Forbidden for the first command whose type is not open to it; criteria need that it can be searched."""
        named = bundled or len(commands) > 1
        for n, command in enumerate(commands):
            try:
                self._admit(command)
            except Forbidden as error:
                raise error.within(f"Bundle.entry[{n}]") if named else error from None

    def _admit(self, command: Command) -> None:
        if isinstance(command, Find):  # the search itself says what is open
            return
        restriction(self._caller, type_of(command), _PERMISSION[type(command)])
        if not isinstance(command, Read) and criteria_of(command) is not None:
            restriction(self._caller, type_of(command), "s")

    def previous(self, command: Put | Patch | Delete, id: str, stored: Stored | None) -> Stored | None:
        """The current version as the caller may change it: None when there is none, or none for them.

        Raises NotFound where an update must not create: somebody else's id, and any id chosen by who is confined to a
        compartment; PreconditionFailed as for an absent resource.
        """
        found = restriction(self._caller, command.type, _PERMISSION[type(command)])
        if found is None or self._is_inside(found, stored):
            return stored
        refuse_stale(command, None)
        if isinstance(command, Put) and (stored is not None or (found.confined and _chooses(command))):
            raise NotFound(f"There is no {command.type}/{id}.")
        return None

    def _is_inside(self, found: Restriction, stored: Stored | None) -> bool:
        living = self.view.living(stored) if stored else None
        return living is not None and self.view.holds(found, living)

    # --- after: what they made

    def made(self, pairs: Sequence[tuple[Command, Write]], places: Sequence[str]) -> None:
        """Raise Forbidden naming the first version that would lie outside of what the caller may make."""
        numbered = list(zip(pairs, places, strict=True))
        for (command, write), place in sorted(numbered, key=lambda each: each[0][1].type in _BY_LINK):
            found = None if not write.doc else restriction(self._caller, write.type, _PERMISSION[type(command)])
            if found is None:
                continue
            if not self.view.holds(found.for_new, _row(write), write.entries):
                error = Forbidden(f"{write.type}: {WORDS[_PERMISSION[type(command)]]} is not granted.")
                raise error.within(place) if place else error
            self.view.fresh.add((write.type, write.id))

    def references(self, writes: Sequence[Write]) -> None:
        """For who is confined to a compartment: raise MissingTargets for what does not exist in their own view."""
        wide = reach(self._caller)
        if wide is None:
            return
        wanted = {name for write in writes for name in self._named(write)} - {(w.type, w.id) for w in writes}
        session = self._services.store.session()
        rows = session.read_many(sorted(wanted), self._caller.tenant)
        view = self._services.engine.resolver(session, replace(self._caller, grants=wide)).view
        known = {name for name, row in rows.items() if not row.deleted and view.sees(row, "r")}
        if wanted - known:
            raise MissingTargets(sorted(f"{type}/{id}" for type, id in wanted - known))

    def _named(self, write: Write) -> set[tuple[str, str]]:
        """What the version newly refers to."""
        new, old = self._links(write.doc, write.entries), set[str]()
        if write.previous is not None and write.previous.doc:
            old = self._links(write.previous.doc, write.previous_entries)
        return {(name.type, name.id) for text in new - old if (name := local(text))}

    def _links(self, doc: bytes, entries: Entries | None) -> set[str]:
        """References to resources of this server. An attachment opens its Binary, so that it counts as one."""
        found = targets_of(entries) if entries and self._services.integrity.targets else set()
        if b'"DocumentReference"' in doc and b"Binary/" in doc:
            urls = (url.removeprefix(f"{self._services.base}/") for url in attached(doc))
            found |= {f"{name.type}/{name.id}" for url in urls if (name := local(url)) and name.type == "Binary"}
        return found

    def tell(self, error: StoreError) -> StoreError:
        """``error`` as the caller may know it: referrers are named when they can be read."""
        if not isinstance(error, StillReferenced):
            return error
        names = [(name.type, name.id) for text in error.referrers if (name := local(text))]
        rows = self._services.store.session().read_many(names, self._caller.tenant)
        return StillReferenced(error.target, [f"{row.type}/{row.id}" for row in self.view.seen(rows.values(), "r")])


def _chooses(command: Put) -> bool:
    """Whether the caller names the id."""
    return criteria_of(command) is None or bool(command.resource.get("id"))


def _row(write: Write) -> Stored:
    return Stored(write.type, write.id, write.version, write.updated, write.doc, write.op, 0, 0, 0)
