"""SearchParameter resources read as parameters to search by; and what is wrong with one that cannot be.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html). Only what is active has an effect. None replaces
a parameter of the specification: a definition of the same one (its URL, or derived from it, or the same expression) is
stored and leaves the search as it is.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any

from resources import definitions
from resources.definitions import SearchParam
from resources.errors import Issue
from resources.fhirpath import FhirPathError
from resources.fhirpath import compile as compiled
from resources.fhirpath.parser import Call, parse
from resources.search_param import composed
from resources.search_param.evaluated import EXTENSION, fitting, static_types
from resources.search_param.parameters import KINDS, LEAVES
from resources.search_param.registry import MOST, ROOTS, current, meant

TYPES = tuple(kind for kind in KINDS if kind != "special")
"""The types of search parameters that can be stored, beside composites; special ones have rules of their own."""
COMPOSITE = "composite"
LONGEST = 2_000
"""Characters of an expression."""
APART = frozenset({"AuditEvent"})
"""Types with a search of their own."""
FUNCTIONS = frozenset(
    [
        "abs",
        "all",
        "allFalse",
        "allTrue",
        "anyFalse",
        "anyTrue",
        "as",
        "ceiling",
        "combine",
        "contains",
        "convertsToBoolean",
        "convertsToDate",
        "convertsToDateTime",
        "convertsToDecimal",
        "convertsToInteger",
        "convertsToQuantity",
        "convertsToString",
        "count",
        "distinct",
        "empty",
        "endsWith",
        "exclude",
        "exists",
        "extension",
        "first",
        "floor",
        "getValue",
        "hasValue",
        "iif",
        "indexOf",
        "intersect",
        "is",
        "isDistinct",
        "join",
        "last",
        "length",
        "lower",
        "not",
        "ofType",
        "replace",
        "resolve",
        "round",
        "select",
        "single",
        "skip",
        "split",
        "startsWith",
        "subsetOf",
        "substring",
        "supersetOf",
        "tail",
        "take",
        "toBoolean",
        "toDate",
        "toDateTime",
        "toDecimal",
        "toInteger",
        "toQuantity",
        "toString",
        "trim",
        "truncate",
        "union",
        "upper",
        "where",
    ]
)
"""What an expression may call: functions whose result depends on the resource alone, not on the clock or on a server,
and whose cost is bounded by its size."""
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,63}")
_NOTHING = MappingProxyType({"code": "", "url": "", "type": "", "base": (), "expression": ""})
"""Elements that a valid SearchParameter may have an extension in the place of."""
_NAMED = MappingProxyType({"ofType": "of-type"})
"""Modifiers whose code in SearchParameter.modifier is not what a query writes."""

Json = Mapping[str, Any]


def parameter_of(resource: Json) -> SearchParam | None:
    """What an active SearchParameter adds to the search; None when it adds nothing or cannot be searched by."""
    if resource.get("status") != "active" or problems(resource):
        return None
    bases = tuple(base for base in resource["base"] if not _is_standard(resource, base))
    if not bases:
        return None
    return SearchParam(
        resource["code"],
        resource["url"],
        resource["type"],
        bases,
        resource["expression"],
        tuple(resource.get("target", ())),
        tuple((part.get("definition", ""), part["expression"]) for part in resource.get("component", ())),
    )


def problems(resource: Json) -> list[Issue]:
    """Why a valid SearchParameter cannot be searched by, all of it; nothing when it can or when it is not active."""
    if resource.get("status") != "active":
        return []
    said = {**_NOTHING, **resource}
    bases = [base for base in said["base"] if not _is_standard(said, base)]
    return [issue for check in _CHECKS for issue in check(said, bases)] if bases or not said["base"] else []


def _issue(element: str, found: object, expected: str) -> Issue:
    place = f"SearchParameter.{element}"
    return Issue("business-rule", f"{place}: found '{str(found)[:200]}'; expected {expected}", place)


def _is_standard(resource: Json, base: str) -> bool:
    """Whether the resource defines a parameter that the specification gives ``base``."""
    known = definitions.search_params(base).get(resource["code"]) if base in _known_bases() else None
    if known is None or known.type != resource["type"]:
        return False
    urls = {resource.get(name, "").partition("|")[0] for name in ("url", "derivedFrom")}
    same = "".join(resource.get("expression", "").split()) == "".join(known.expression.split())
    return known.url in urls or same


def _known_bases() -> frozenset[str]:
    return definitions.RESOURCE_TYPES.union(ROOTS)


def _code(resource: Json, bases: list[str]) -> Iterator[Issue]:
    if not _CODE.fullmatch(resource["code"]):
        yield _issue("code", resource["code"], "1 to 64 letters, digits, '-' or '_', the first a letter or a digit")


def _url(resource: Json, bases: list[str]) -> Iterator[Issue]:
    if not resource["url"]:
        yield _issue("url", "", "the URL by which the parameter is known")


def _base(resource: Json, bases: list[str]) -> Iterator[Issue]:
    if not resource["base"]:
        yield _issue("base", "nothing", "a resource type")
    for n, base in enumerate(resource["base"]):
        if base in APART or base not in _known_bases():
            yield _issue(f"base[{n}]", base, "a resource type whose search can be extended, or Resource")


def _type(resource: Json, bases: list[str]) -> Iterator[Issue]:
    if resource["type"] not in (*TYPES, COMPOSITE):
        yield _issue("type", resource["type"], f"one of {', '.join((*TYPES, COMPOSITE))}")


def _collisions(resource: Json, bases: list[str]) -> Iterator[Issue]:
    for base in bases:
        taken = _taken(resource, base)
        if taken:
            text = f"a code that is free: {base} has the search parameter {taken}"
            yield _issue("code", resource["code"], text)


def _taken(resource: Json, base: str) -> str:
    """The URL of another parameter by this code that resources of ``base`` have, or ''."""
    code, types = resource["code"], meant(base)
    for type in types:
        if code in definitions.search_params(type):
            return definitions.search_params(type)[code].url
    others = (c.param for c in current().customs if c.param.code == code and c.param.url != resource["url"])
    return next((other.url for other in others if not types.isdisjoint(*map(meant, other.base))), "")


def _room(resource: Json, bases: list[str]) -> Iterator[Issue]:
    known = {custom.param.url for custom in current().customs} - {resource["url"]}
    if len(known) >= MOST:
        yield _issue("status", "active", f"one of {MOST} at most: each is evaluated on every write; retire another")


def _targets(resource: Json, bases: list[str]) -> Iterator[Issue]:
    for n, target in enumerate(resource.get("target", ())):
        if target not in definitions.RESOURCE_TYPES:
            yield _issue(f"target[{n}]", target, "a resource type")


def _modifiers(resource: Json, bases: list[str]) -> Iterator[Issue]:
    kind = KINDS.get(resource["type"])
    for n, modifier in enumerate(resource.get("modifier", ()) if kind else ()):
        name = _NAMED.get(modifier, modifier)
        typed = name == "type" and resource["type"] == "reference"
        if name != "missing" and not typed and kind and name not in kind.modifiers:
            allowed = ", ".join(("missing", *sorted(kind.modifiers)))
            yield _issue(f"modifier[{n}]", modifier, f"what a {resource['type']} parameter takes: {allowed}")


def _expression(resource: Json, bases: list[str]) -> Iterator[Issue]:
    text, kind = resource.get("expression", ""), KINDS[resource["type"]] if resource["type"] in TYPES else None
    if not text or len(text) > LONGEST:
        yield _issue("expression", text, f"a FHIRPath expression of 1 to {LONGEST} characters")
    elif kind:
        try:
            flaw = _forbidden(text) or next((f for base in bases for f in _flaws(text, base, set(kind.leaves))), "")
        except (FhirPathError, RecursionError) as error:
            flaw = f"a FHIRPath expression: {error}"
        if flaw:
            yield _issue("expression", text, flaw)


def _composite(resource: Json, bases: list[str]) -> Iterator[Issue]:
    if resource["type"] != COMPOSITE:
        return
    text, parts = resource.get("expression", ""), resource.get("component", ())
    try:
        flaw = _forbidden(text) if text and len(text) <= LONGEST else f"FHIRPath of 1 to {LONGEST} characters"
        types = {_element(text, base) for base in bases if base in _known_bases() and not flaw}
    except (FhirPathError, RecursionError) as error:
        flaw, types = f"a FHIRPath expression: {error}", set()
    if flaw or "" in types:
        yield _issue("expression", text, flaw or "a path to elements of one type, as in Observation.component")
    elif len(parts) != 2:
        yield _issue("component", len(parts), "two components")
    else:
        for n, part in enumerate(parts):
            for type in sorted(types):
                yield from _component(n, part, type)


def _element(text: str, base: str) -> str:
    """The type that a composite's expression leads to, '' when it is not one. Raises FhirPathError."""
    compiled(text, base, strict=True)
    return composed.element(text, base)


def _component(n: int, part: Json, type: str) -> Iterator[Issue]:
    """What is wrong with component ``n`` for elements of ``type``."""
    text, wanted = part.get("expression", ""), composed.SECOND if n else (composed.FIRST,)
    try:
        flaw = _forbidden(text) if len(text) <= LONGEST else f"FHIRPath of at most {LONGEST} characters"
        if not flaw:
            compiled(text, type, strict=True)
            kind = composed.kind(part.get("definition", ""), text, type, LEAVES)
            flaw = "" if kind in wanted else f"a path in {type} to what a {' or '.join(wanted)} parameter indexes"
    except (FhirPathError, RecursionError) as error:
        flaw = f"a FHIRPath expression: {error}"
    if flaw:
        yield _issue(f"component[{n}].expression", text, flaw)


def _forbidden(text: str) -> str:
    called = sorted({tree.name for tree in _walk(parse(text)) if isinstance(tree, Call)} - FUNCTIONS)
    if not called:
        return ""
    return f"functions that read nothing but the resource, step by step; {called[0]}() is none of {sorted(FUNCTIONS)}"


def _walk(tree: Any) -> Iterator[Any]:
    if isinstance(tree, tuple):
        for part in tree:
            yield from _walk(part)
    elif is_dataclass(tree) and not isinstance(tree, type):
        yield tree
        for field in fields(tree):
            yield from _walk(getattr(tree, field.name))


def _flaws(text: str, base: str, leaves: set[str]) -> Iterator[str]:
    """What is wrong with the expression for one base. Raises FhirPathError."""
    if base not in _known_bases():
        return
    compiled(text, base, strict=True)
    found = static_types(text, base)
    if not found:
        yield f"a part that begins at {base}, as in {base}.extension"
    told = found - {"", EXTENSION}
    if told == found and not any(fitting(kind, leaves) for kind in told):
        yield f"a path to {', '.join(sorted(leaves))}; this one leads to {', '.join(sorted(told))}"


_CHECKS: tuple[Callable[[Json, list[str]], Iterator[Issue]], ...] = (
    _room, _url, _code, _base, _type, _collisions, _targets, _modifiers, _expression, _composite,
)  # fmt: skip
