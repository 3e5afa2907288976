"""What is in a value set: its compose worked out, or its expansion as given.

FHIR R4 ValueSet composition (https://hl7.org/fhir/R4/valueset.html#compositions). Within one include the system's
codes and every imported value set intersect; includes unite; excludes are taken away at the end.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from resources.errors import BusinessRule, Invalid, TooCostly
from resources.terminology.code_system import CodeSystem, Concept
from resources.terminology.filters import filtered
from resources.terminology.source import Json, Source, no_value_set

MOST_CODES = 250_000
"""Codes of one value set."""
MOST_STEPS = 3_000_000
"""Codes that are looked at to find them."""
DEPTH = 30
"""Imports of imports."""
ANY = ""
"""As the code of a member: every code of its system, which is not here to be listed."""


class Member(NamedTuple):
    """One code of a value set; ``concept`` where its code system is here, ``display`` what the value set says."""

    system: str
    code: str
    display: str = ""
    version: str = ""
    concept: Concept | None = None
    designations: tuple[Json, ...] = ()

    @property
    def shown(self) -> str:
        return self.display or (self.concept.display if self.concept else "")

    @property
    def inactive(self) -> bool:
        return self.concept is not None and self.concept.inactive

    @property
    def abstract(self) -> bool:
        return self.concept is not None and self.concept.abstract


Name = tuple[str, str]
Members = dict[Name, Member]


class Expander:
    """Works out value sets of ``source``. With ``open_systems`` a system that is not here, included as a whole, becomes
    one member ANY instead of an error; that is enough to say whether a code is in it."""

    def __init__(self, source: Source, *, open_systems: bool = False) -> None:
        self.source, self.open_systems = source, open_systems
        self._stack: list[str] = []
        self._steps = 0
        self._done: dict[str, Members] = {}

    def named(self, name: str) -> Members:
        """The members of the value set of this canonical. Raises Unknown, BusinessRule, Invalid, TooCostly."""
        if name in self._done:
            return self._done[name]
        if name in self._stack:
            raise BusinessRule(f"The value set imports itself: {' imports '.join([*self._stack, name])[:600]}.")
        if len(self._stack) >= DEPTH:
            raise TooCostly(f"The value set imports others more than {DEPTH} deep.")
        found = self.source.value_set(name)
        if found is None:
            raise no_value_set(name)
        self._stack.append(name)
        try:
            members = self._done[name] = self.of(found)
        finally:
            self._stack.pop()
        return members

    def of(self, value_set: Mapping[str, Any]) -> Members:
        """The members of a ValueSet in its order. Raises like ``named``."""
        compose, expansion = value_set.get("compose"), value_set.get("expansion")
        if compose is None:
            return self._given(expansion or {})
        try:
            return self._composed(compose)
        except TooCostly:
            if expansion is None or not _is_whole(expansion):
                raise
            return self._given(expansion)

    def _composed(self, compose: Mapping[str, Any]) -> Members:
        members: Members = {}
        for part in compose.get("include", ()):
            for name, member in self._part(part).items():
                members.setdefault(name, member)
            _bound(len(members))
        for part in compose.get("exclude", ()):
            self._take_away(members, self._part(part))
        if compose.get("inactive") is False:
            return {name: member for name, member in members.items() if not member.inactive}
        return members

    def _take_away(self, members: Members, excluded: Members) -> None:
        whole = {system for system, code in excluded if code == ANY}
        for name in [n for n in members if n in excluded or n[0] in whole]:
            del members[name]
        if open := {system for system, code in members if code == ANY} & {system for system, _ in excluded}:
            raise _not_here(min(open))

    def _part(self, part: Mapping[str, Any]) -> Members:
        """One include or exclude."""
        sets = [self.named(str(name)) for name in part.get("valueSet", ())]
        if "system" not in part:
            if not sets:
                raise Invalid("An include needs a system or a valueSet.", expression="ValueSet.compose.include")
            # Every set's names: what is ANY in one of them may be listed in another.
            self._spend(sum(map(len, sets)))
            return {name: member for one in sets for name, member in one.items() if self._in_all(name, sets)}
        found = self._of_system(part)
        self._spend(len(found) * (1 + len(sets)))
        if sets and any(code == ANY for _, code in found):
            raise _not_here(str(part["system"]))
        return {name: member for name, member in found.items() if self._in_all(name, sets)} if sets else found

    def _in_all(self, name: Name, sets: Iterable[Members]) -> bool:
        return all(name in one or (name[0], ANY) in one for one in sets)

    def _of_system(self, part: Mapping[str, Any]) -> Members:
        system, version = str(part["system"]), str(part.get("version", ""))
        known = self.source.code_system(system, version)
        if "concept" in part:
            return self._listed(system, version, part["concept"], known)
        filters = part.get("filter", ())
        if known is None or not known.enumerable or not known.concepts:
            # Of an example or a fragment more codes may fit than are here.
            if self.open_systems and not filters:
                return {(system, ANY): Member(system, ANY)}
            raise _not_here(system)
        return self._members(known, self._chosen(known, filters))

    def _chosen(self, known: CodeSystem, filters: Sequence[Mapping[str, Any]]) -> Iterable[str]:
        if not filters:
            return known.concepts
        chosen: set[str] | None = None
        for held in filters:
            self._spend(len(known.concepts))
            found = filtered(known, held)
            chosen = found if chosen is None else chosen & found
        return [code for code in known.concepts if code in (chosen or ())]

    def _members(self, known: CodeSystem, codes: Iterable[str]) -> Members:
        members = {
            (known.url, code): Member(known.url, code, "", known.version, known.concepts[code]) for code in codes
        }
        _bound(len(members))
        return members

    def _listed(self, system: str, version: str, concepts: Sequence[Json], known: CodeSystem | None) -> Members:
        """Codes that are named one by one; they need no code system."""
        _bound(len(concepts))
        members: Members = {}
        for held in concepts:
            code = str(held.get("code", ""))
            concept = known.find(code) if known else None
            designations = tuple(held.get("designation", ()))
            used = known.version if known else version
            members.setdefault(
                (system, code), Member(system, code, held.get("display", ""), used, concept, designations)
            )
        return members

    def _given(self, expansion: Mapping[str, Any]) -> Members:
        """An expansion that the resource brings; what only groups has no code or is abstract."""
        if not _is_whole(expansion):
            raise TooCostly("The value set holds a part of its expansion only; store one with its compose.")
        members: Members = {}
        waiting = list(reversed(expansion.get("contains", ())))
        while waiting:
            held = waiting.pop()
            if "code" in held and not held.get("abstract"):
                system, code = str(held.get("system", "")), str(held["code"])
                member = Member(system, code, held.get("display", ""), str(held.get("version", "")))
                members.setdefault((system, code), member._replace(designations=tuple(held.get("designation", ()))))
            waiting.extend(reversed(held.get("contains", ())))
        _bound(len(members))
        return members

    def _spend(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise TooCostly("The value set takes too many steps to work out; use fewer includes, imports and filters.")


def _is_whole(expansion: Mapping[str, Any]) -> bool:
    """Whether all of an expansion is there: a page of one says its offset, or a total that is not reached."""
    if expansion.get("offset"):
        return False
    total, waiting, found = expansion.get("total"), list(expansion.get("contains", ())), 0
    while waiting:
        held = waiting.pop()
        found += 1
        waiting.extend(held.get("contains", ()))
    return total is None or found >= int(total)


def _bound(codes: int) -> None:
    if codes > MOST_CODES:
        raise TooCostly(f"The value set has more than {MOST_CODES} codes; divide it.")


def _not_here(system: str) -> TooCostly:
    return TooCostly(
        f"The codes of {system[:300]} cannot be listed: no CodeSystem of that URL with all its codes (content "
        "complete) is stored here. Store it, or list the codes in the value set."
    )
