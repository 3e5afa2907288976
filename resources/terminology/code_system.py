"""One code system, indexed: its concepts, their hierarchy and their properties.

FHIR R4 CodeSystem (https://hl7.org/fhir/R4/codesystem.html). The hierarchy is that of nested concepts and of the
properties parent and child; every walk remembers where it was, so that neither depth nor a cycle matters.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]

_STANDARD = "http://hl7.org/fhir/concept-properties#"
_INACTIVE = frozenset({"retired", "inactive"})
WITHOUT_CODES = frozenset({"not-present", "supplement"})
INCOMPLETE = frozenset({"example", "fragment"})


class Concept(NamedTuple):
    """A concept: ``properties`` are pairs (code, value), ``designations`` those of the CodeSystem as they stand."""

    code: str
    display: str
    definition: str
    designations: tuple[Json, ...]
    properties: tuple[tuple[str, Json], ...]
    abstract: bool
    inactive: bool

    def values(self, name: str) -> list[Any]:
        """What the properties called ``name`` hold."""
        return [plain(held) for code, held in self.properties if code == name]


def plain(held: Json) -> Any:
    """The value of ``value[x]``; of a Coding its code."""
    found = next((value for name, value in held.items() if name.startswith("value")), None)
    return found.get("code") if isinstance(found, dict) else found


class CodeSystem:
    """A CodeSystem and its supplements. ``enumerable`` is whether all its codes are here."""

    def __init__(self, resource: Json, supplements: Sequence[Json] = ()) -> None:
        self.resource, self.url = resource, str(resource.get("url", ""))
        self.version, self.name = str(resource.get("version", "")), str(resource.get("name", ""))
        self.content = str(resource.get("content", ""))
        self.enumerable = self.content not in WITHOUT_CODES | INCOMPLETE
        self._folds = resource.get("caseSensitive") is False
        self._standard = _standard_names([resource, *supplements])
        self._extras = _extras(supplements)
        self._children: dict[str, list[str]] = {}
        self._parents: dict[str, list[str]] = {}
        self.concepts: dict[str, Concept] = {}
        self._spelled: dict[str, str] = {}
        self._read(resource.get("concept", ()))
        self._link()

    def _read(self, concepts: Sequence[Json]) -> None:
        waiting = [(concept, "") for concept in reversed(concepts)]
        while waiting:
            concept, parent = waiting.pop()
            code = concept.get("code")
            if not isinstance(code, str):
                continue
            self.concepts.setdefault(code, self._concept(code, concept))
            self._spelled.setdefault(code.casefold(), code)
            if parent:
                self._under(parent, code)
            waiting.extend((child, code) for child in reversed(concept.get("concept", ())))

    def _concept(self, code: str, concept: Json) -> Concept:
        extra = self._extras.get(code, {})
        given = [*concept.get("property", ()), *extra.get("property", ())]
        properties = tuple((str(held.get("code", "")), held) for held in given)
        marks = {self._standard.get(name, name): plain(held) for name, held in properties}
        return Concept(
            code,
            concept.get("display") or extra.get("display", ""),
            concept.get("definition", ""),
            (*concept.get("designation", ()), *extra.get("designation", ())),
            properties,
            marks.get("notSelectable") in (True, "true"),
            marks.get("inactive") in (True, "true") or marks.get("status") in _INACTIVE,
        )

    def _link(self) -> None:
        """Parents and children that properties name."""
        for concept in self.concepts.values():
            for name, held in concept.properties:
                other, role = plain(held), self._standard.get(name, name)
                if other in self.concepts and role in ("parent", "child"):
                    self._under(*((other, concept.code) if role == "parent" else (concept.code, other)))

    def _under(self, parent: str, child: str) -> None:
        if parent not in self._parents.setdefault(child, []):
            self._parents[child].append(parent)
            self._children.setdefault(parent, []).append(child)

    # --- questions ----------------------------------------------------------------------------------------------------

    def find(self, code: str) -> Concept | None:
        """The concept of ``code``; by another case where the system says that case does not matter."""
        found = self.concepts.get(code)
        if found is None and self._folds:
            return self.concepts.get(self._spelled.get(code.casefold(), ""))
        return found

    def parents(self, code: str) -> Sequence[str]:
        return self._parents.get(code, ())

    def children(self, code: str) -> Sequence[str]:
        return self._children.get(code, ())

    def descendants(self, code: str) -> Iterator[str]:
        """The codes below ``code``, itself not among them."""
        return _reached(self._children, code)

    def ancestors(self, code: str) -> Iterator[str]:
        """The codes above ``code``, itself not among them."""
        return _reached(self._parents, code)

    def property_names(self) -> frozenset[str]:
        """The properties that are declared or held by a concept."""
        declared = {str(held.get("code")) for held in self.resource.get("property", ())}
        return frozenset(declared).union(*({name for name, _ in c.properties} for c in self.concepts.values()))


def _reached(steps: Mapping[str, Sequence[str]], start: str) -> Iterator[str]:
    met, waiting = {start}, list(reversed(steps.get(start, ())))
    while waiting:
        code = waiting.pop()
        if code not in met:
            met.add(code)
            yield code
            waiting.extend(reversed(steps.get(code, ())))


def _standard_names(resources: Iterable[Json]) -> dict[str, str]:
    """What a system calls the properties that FHIR defines."""
    return {
        str(held.get("code")): held["uri"].removeprefix(_STANDARD)
        for resource in resources
        for held in resource.get("property", ())
        if str(held.get("uri", "")).startswith(_STANDARD)
    }


def _extras(supplements: Sequence[Json]) -> dict[str, Json]:
    """What supplements add to concepts, by code."""
    found: dict[str, Json] = {}
    waiting = [concept for resource in supplements for concept in resource.get("concept", ())]
    while waiting:
        concept = waiting.pop()
        extra = found.setdefault(str(concept.get("code")), {"display": "", "property": [], "designation": []})
        extra["display"] = extra["display"] or concept.get("display", "")
        extra["property"] += concept.get("property", ())
        extra["designation"] += concept.get("designation", ())
        waiting.extend(concept.get("concept", ()))
    return found
