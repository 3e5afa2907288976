"""Composites that are stored: two values of the same element, found and read by FHIRPath.

FHIR R4 SearchParameter.component (https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.component).
The first component is a token, as in every composite of the specification; the index entries are those of `composite`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from resources import definitions
from resources.search_param import composite, quantity
from resources.search_param.composite import Part, Place
from resources.search_param.evaluated import (
    FAILURES,
    MOST,
    STEPS,
    expected,
    fitting,
    move,
    put,
    resolved_type,
    static_types,
    values,
)
from resources.search_param.expression import Branch, Leaf
from resources.search_param.registry import Custom
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import RangeEntry

FIRST, SECOND = "token", ("token", "quantity", "date", "string")
"""Kinds of the components."""
_TEXTS = frozenset({"string", "markdown"})
"""What a token may be too, but is not meant to be where nothing says so."""
Leaves = Mapping[str, Mapping[str, Factory]]
"""What each kind of parameter indexes, by FHIR type."""


def element(expression: str, type: str) -> str:
    """The type of the elements that the expression of a composite leads to, '' when it is not one."""
    found = static_types(expression, type)
    return next(iter(found)) if len(found) == 1 else ""


def kind(url: str, expression: str, element: str, leaves: Leaves) -> str:
    """What a component is searched as: as the specification says of its definition, else as its type tells; '' when
    neither does."""
    found = static_types(expression, element)
    for wanted in _declared(url) or (("string",) if found <= _TEXTS else tuple(leaves)):
        if found and all(not name or fitting(name, leaves[wanted]) for name in found):
            return wanted if _declared(url) or "" not in found else ""
    return ""


def _declared(url: str) -> tuple[str, ...]:
    try:
        return (definitions.search_param(url.partition("|")[0]).type,)
    except KeyError:
        return ()


def places(custom: Custom, type: str, leaves: Leaves) -> tuple[Place, ...]:
    """Where a stored composite is indexed for resources of ``type``: one place; none where it leads to nothing that its
    components could be read from."""
    base = element(custom.param.expression, type)
    found = tuple(_part(custom, n, part, base, leaves) for n, part in enumerate(custom.param.components))
    parts = tuple(part for part in found if part)
    whole = Branch(custom.branch, (), expression=custom.param.expression)
    return (Place(whole, parts, composite.form(parts)),) if len(parts) == 2 else ()


def _part(custom: Custom, n: int, component: tuple[str, str], base: str, leaves: Leaves) -> Part | None:
    url, expression = component
    of = kind(url, expression, base, leaves)
    if of not in (SECOND if n else (FIRST,)):
        return None
    text = custom.branch if n else f"{custom.branch}.first"
    kinds = expected(expression, leaves[of], base)
    return Part(of, Branch(text, tuple(Leaf((), name) for name in kinds), expression=expression), False)


def indexer(type: str, place: Place, leaves: Leaves) -> Indexer:
    """Puts what a resource has at ``place`` into a sink."""
    from resources import fhirpath  # read when first used: FHIRPath reads the units of this package

    base, first, second = (
        fhirpath.compile(branch.expression) for branch in (place.base, *(part.branch for part in place.parts))
    )
    hooks = fhirpath.Hooks(resolve=resolved_type)

    def index(resource: Mapping[str, Any], out: Sink) -> None:
        found = Sink()
        try:
            for each in base.nodes(resource, hooks=hooks, steps=STEPS)[:MOST]:
                codes = list(_codes(first.nodes(each, resource=resource, hooks=hooks, steps=STEPS)))
                items = second.nodes(each, resource=resource, hooks=hooks, steps=STEPS) if codes else []
                _join(type, place, codes, items[:MOST], leaves, found)
        except FAILURES:  # as in evaluated.py
            return
        move(found, out)

    return index


def _codes(items: list[Any]) -> Iterator[tuple[str, str]]:
    for item in items:
        for name, value in values(item):
            fit = fitting(name, composite.PAIRS)
            yield from composite.PAIRS[fit](value) if fit in composite.PAIRS else ()


def _join(type: str, place: Place, codes: list[tuple[str, str]], items: list[Any], leaves: Leaves, out: Sink) -> None:
    """Index ``items`` under each of ``codes``."""
    branch = place.parts[1].branch.text
    if place.form == quantity.FORM:
        measured = [measure for item in items for measure in _measures(item)]
        for system, code in codes:
            for unit, lo, hi in measured:
                entry = quantity.measured(type, branch, system, code, unit)
                out.ranges.append(RangeEntry(entry.key, lo, hi))
                out.dictionary.append(entry)
        return
    puts, found = {name: make("", "") for name, make in leaves[place.parts[1].kind].items()}, Sink()
    for item in items:
        put(item, puts, found)
    for system, code in codes:
        composite.rekey(type, branch, place.form, system, code, found, out)


def _measures(item: Any) -> Iterator[quantity.Measure]:
    for name, value in values(item):
        fit = fitting(name, quantity.MEASURES)
        yield from quantity.MEASURES[fit](value) if fit else ()
