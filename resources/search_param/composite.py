"""Composite parameters: two or three values of the same element, such as a code and its quantity.

FHIR R4 Search, composite (https://hl7.org/fhir/R4/search.html#composite). The first component of every composite is a
token. What the others index is put under keys that begin with it; a quantity so indexed serves the plain quantity
parameter as well, which asks the dictionary for every code.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from resources.search_param import date, number, quantity, reference, string, token
from resources.search_param.bounds import Bounds
from resources.search_param.escapes import plain, split
from resources.search_param.expression import Branch, Step
from resources.search_param.magnitude import LEAST, MOST, ordered
from resources.search_param.normal_form import normal
from resources.search_param.parameter import Parameter
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import (
    DictionaryEntry,
    Family,
    Key,
    Or,
    Post,
    Range,
    RangeEntry,
    Str,
    StringEntry,
    Term,
)

ROOT = "%resource."
"""Begins the expression of a component that is read from the resource, not from the composite's element."""

Codes = Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
ElementIndexer = Callable[[Mapping[str, Any], Mapping[str, Any], Sink], None]
"""Puts what a composite reads from (element, resource) into a sink."""


class Part(NamedTuple):
    """A component at one place: its kind and its branch, whose steps start at the composite's element (or at the
    resource when ``root``); ``text`` of the branch is that of the plain parameter, so that they share keys."""

    kind: str
    branch: Branch
    root: bool


class Place(NamedTuple):
    """One base of a composite: the steps to its element, its components, ``form`` of their keys."""

    base: Branch
    parts: tuple[Part, ...]
    form: str


def form(parts: tuple[Part, ...]) -> str:
    """Names the keys of a composite by what it joins; a quantity by ``code`` shares those of the plain parameter."""
    kinds = "+".join(part.kind for part in parts[1:])
    return quantity.FORM if kinds == "quantity" else f"{kinds} by {parts[0].branch.text.rpartition('.')[2]}"


# --- Index --------------------------------------------------------------------------------------------------------


def indexer(type: str, place: Place) -> ElementIndexer:
    """The indexer of (element, resource) at one place of a composite."""
    codes = _codes(place.parts[0])
    branch = place.parts[1].branch.text
    if place.form == quantity.FORM:
        return _quantities(type, branch, codes, place.parts[1])
    if len(place.parts) == 3:
        return _number_pairs(type, branch, place, codes)
    return _joined(type, branch, place, codes)


def _quantities(type: str, branch: str, codes: Codes, part: Part) -> ElementIndexer:
    leaves = [(leaf.steps[0].name, quantity.MEASURES[leaf.type]) for leaf in part.branch.leaves]

    def index(element: Mapping[str, Any], resource: Mapping[str, Any], out: Sink) -> None:
        for name, measures in leaves:
            value = element.get(name)
            if value is not None:
                for unit, lo, hi in measures(value):
                    for system, code in codes(element) or (("", ""),):
                        entry = quantity.measured(type, branch, system, code, unit)
                        out.ranges.append(RangeEntry(entry.key, lo, hi))
                        out.dictionary.append(entry)

    return index


def _joined(type: str, branch: str, place: Place, codes: Codes) -> ElementIndexer:
    reads = [(leaf.steps, _leaf_indexer(place.parts[1].kind, leaf.type)) for leaf in place.parts[1].branch.leaves]

    def index(element: Mapping[str, Any], resource: Mapping[str, Any], out: Sink) -> None:
        found = Sink()
        for steps, put in reads:
            for value in values(element, steps):
                put(value, found)
        for system, code in codes(resource if place.parts[0].root else element) if _any(found) else ():
            rekey(type, branch, place.form, system, code, found, out)

    return index


def _leaf_indexer(kind: str, fhir_type: str) -> Indexer:
    return _PARTS[kind][fhir_type]("", "")


_PARTS: Mapping[str, Mapping[str, Factory]] = {
    "token": token.LEAVES, "date": date.LEAVES, "string": string.LEAVES, "reference": reference.LEAVES,
}  # fmt: skip


def _any(found: Sink) -> bool:
    return bool(found.posts or found.ranges or found.strings)


def rekey(type: str, branch: str, form: str, system: str, code: str, found: Sink, out: Sink) -> None:
    """Put what the second component indexed under keys that begin with the code."""
    first = f"{system}|{code}"
    for key in found.posts:
        joined = Key(type, branch, form, f"{first}${key.value}")
        out.posts.append(joined)
        if key.form in (token.CODED, token.PLAIN):
            out.dictionary.append(DictionaryEntry(joined, system, code, key.value, ""))
    alone = Key(type, branch, form, first)
    out.ranges += [RangeEntry(alone, entry.lo, entry.hi) for entry in found.ranges]
    out.strings += [StringEntry(alone, entry.norm) for entry in found.strings if entry.key.form == string.FORM]
    if found.ranges or found.strings:
        out.dictionary.append(DictionaryEntry(alone, system, code, "", ""))


def _number_pairs(type: str, branch: str, place: Place, codes: Codes) -> ElementIndexer:
    """Start and end of a coordinate are one interval row: lo is the start, hi the end."""
    names = [part.branch.leaves[0].steps[-1].name for part in place.parts[1:]]

    def index(element: Mapping[str, Any], resource: Mapping[str, Any], out: Sink) -> None:
        start, end = (element.get(name) for name in names)
        if start is None and end is None:
            return
        lo = LEAST if start is None else ordered(start)
        hi = MOST if end is None else ordered(end)
        for system, code in codes(resource if place.parts[0].root else element):
            key = Key(type, branch, place.form, f"{system}|{code}")
            out.ranges.append(RangeEntry(key, lo, hi))
            out.dictionary.append(DictionaryEntry(key, system, code, "", ""))

    return index


def _codes(part: Part) -> Codes:
    """Reads the (system, code) pairs of the first component."""
    reads = [(leaf.steps, PAIRS[leaf.type]) for leaf in part.branch.leaves]

    def codes(element: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [pair for steps, pairs in reads for value in values(element, steps) for pair in pairs(value)]

    return codes


def _coding_pairs(coding: Mapping[str, Any]) -> list[tuple[str, str]]:
    return _codings_pairs((coding,))


def _concept_pairs(concept: Mapping[str, Any]) -> list[tuple[str, str]]:
    return _codings_pairs(concept.get("coding", ()))


def _codings_pairs(codings: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(s := c.get("system", ""), token.folded(s, c["code"])) for c in codings if "code" in c]


def _code_pairs(code: str) -> list[tuple[str, str]]:
    return [("", token.folded("", code))]


PAIRS: Mapping[str, Callable[[Any], list[tuple[str, str]]]] = {
    "CodeableConcept": _concept_pairs, "Coding": _coding_pairs, "code": _code_pairs, "string": _code_pairs,
}  # fmt: skip
"""(system, code) pairs of a value, by its type."""


def values(element: Mapping[str, Any], steps: tuple[Step, ...]) -> list[Any]:
    """What the steps (without tests) lead to."""
    found = element.get(steps[0].name)
    if found is None:
        return []
    items = [item for item in found if item is not None] if steps[0].many else [found]
    return [value for item in items for value in values(item, steps[1:])] if len(steps) > 1 else items


# --- Query --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ranges:
    """Intervals under the key of a code."""

    bounds: tuple[Bounds, ...]

    def terms(self, family: Family, row: tuple[str, str, str]) -> list[Term]:
        return [Range(_key(family, row), *found) for found in self.bounds]


@dataclass(frozen=True, slots=True)
class Words:
    """Strings under the key of a code that start with ``norm``."""

    norm: str

    def terms(self, family: Family, row: tuple[str, str, str]) -> list[Term]:
        return [Str(_key(family, row), self.norm, "prefix")]


@dataclass(frozen=True, slots=True)
class Joined:
    """Codes joined to a code; ``system`` None fits all, ``code`` '' fits all."""

    system: str | None
    code: str

    def terms(self, family: Family, row: tuple[str, str, str]) -> list[Term]:
        system, mark, code = row[2].rpartition("|")
        if self.system is not None and (not mark or system != self.system):
            return []
        if self.code and code != token.folded(system, self.code):
            return []
        key = _key(family, row)
        return [Post(key._replace(value=f"{key.value}${row[2]}"))]


def _key(family: Family, row: tuple[str, str, str]) -> Key:
    return Key(family.type, family.branch, family.form, f"{row[0]}|{row[1]}")


def term(type: str, code: str, places: tuple[Place, ...], value: str) -> Term:
    """Resources with an element that has all the components of ``value`` (``code$value``)."""
    return Or(tuple(t for place in places for t in _at(Parameter(type, code, "composite", ()), place, value)))


def _at(parameter: Parameter, place: Place, value: str) -> list[Term]:
    texts = split(value, "$")
    if len(texts) != len(place.parts) or not all(texts):
        kinds = "$".join(part.kind for part in place.parts)
        parameter.refuse(value, f"{len(place.parts)} components joined by '$': {kinds}")
    system, code = _first(parameter, place.parts[0], texts[0])
    branch = place.parts[1].branch.text
    parts = [Parameter(parameter.type, parameter.code, part.kind, (part.branch,)) for part in place.parts[1:]]
    if place.parts[1].kind == "reference":
        refers = reference.term(parts[0], "", texts[1])
        first = Key(parameter.type, branch, place.form, f"|{code}")
        return [Post(first._replace(value=f"{first.value}${t.key.value}")) for t in posts(refers)]
    wanted = _pair(parts, texts[1:]) if len(parts) == 2 else _SECOND[parts[0].kind](parts[0], texts[1])
    return [Family(parameter.type, branch, place.form, wanted, system, code or None)]


def _first(parameter: Parameter, part: Part, text: str) -> tuple[str | None, str]:
    """(system or None, folded code) of the first component; plain codes have the system ''."""
    words = [plain(word) for word in split(text, "|", 1)]
    system, code = words if len(words) == 2 else (None, words[0])
    if not (system or code):
        parameter.refuse(text, "code or system|code")
    if all(leaf.type in ("code", "string") for leaf in part.branch.leaves):
        system = ""
    return system, token.folded(system or "", code)


def _pair(parts: list[Parameter], texts: list[str]) -> Ranges:
    """Start and end of a coordinate: conditions on lo and on hi of one interval."""
    first, second = ([_point(b) for b in number.conditions(p, plain(t))] for p, t in zip(parts, texts, strict=True))
    return Ranges(tuple(Bounds(*start, *end) for start in first for end in second))


def _point(found: Bounds) -> tuple[int, int]:
    """Where a number, an interval of one, must lie; a missing one lies nowhere."""
    return max(found.lo_from, found.hi_from - 1, LEAST + 1), min(found.lo_to, found.hi_to - 1, MOST)


def posts(term: Term) -> Iterator[Post]:
    """The Posts in a term made of Ors."""
    if isinstance(term, Or):
        for part in term.terms:
            yield from posts(part)
    elif isinstance(term, Post):
        yield term


def _joined_codes(parameter: Parameter, text: str) -> Joined:
    words = [plain(word) for word in split(text, "|", 1)]
    system, code = words if len(words) == 2 else (None, words[0])
    if not (system or code):
        parameter.refuse(text, "code or system|code")
    return Joined(system, code)


def _words(parameter: Parameter, text: str) -> Words:
    norm = normal(plain(text))
    if not norm:
        parameter.refuse(text, "text")
    return Words(norm)


_SECOND: Mapping[str, Callable[[Parameter, str], Hashable]] = {
    "quantity": quantity.wanted,
    "token": _joined_codes,
    "date": lambda parameter, text: Ranges(date.conditions(parameter, text)),
    "string": _words,
}
