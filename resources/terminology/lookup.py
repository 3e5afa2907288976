"""$lookup and $subsumes: what a code system says of a code, and how two of its codes relate.

FHIR R4 (https://hl7.org/fhir/R4/codesystem-operation-lookup.html, codesystem-operation-subsumes.html).
"""

from collections.abc import Collection, Iterator
from typing import Any

from resources.errors import BusinessRule, NotFound
from resources.terminology.code_system import CodeSystem, Concept
from resources.terminology.designation import in_language
from resources.terminology.parameters import parameter, parameters, parts
from resources.terminology.source import Json

_KINDS = ("Code", "Coding", "String", "Integer", "Boolean", "DateTime", "Decimal")
_ALWAYS_RETURNED = frozenset({"name", "version", "display"})


def lookup(known: CodeSystem, code: str, wanted: Collection[str] = (), language: str = "") -> Json:
    """The answer of $lookup; ``wanted`` are the properties to return (empty: all). Raises NotFound."""
    concept = _concept(known, code)
    display = in_language(concept.display, concept.designations, language) or concept.code
    properties = [p for p in _properties(known, concept) if not wanted or p[0] in wanted]
    return parameters(
        parameter("name", "String", known.name or known.url),
        parameter("version", "String", known.version) if known.version else None,
        parameter("display", "String", display),
        *(_designation(d) for d in concept.designations if not wanted or _is_asked(d, wanted)),
        *(parts("property", [parameter("code", "Code", name), held]) for name, held in properties),
    )


def _is_asked(designation: Json, wanted: Collection[str]) -> bool:
    return "designation" in wanted or f"lang.{designation.get('language', '')}" in wanted


def _designation(held: Json) -> Json:
    found = [("language", "Code"), ("use", "Coding"), ("value", "String")]
    return parts("designation", [parameter(name, kind, held[name]) for name, kind in found if name in held])


def _properties(known: CodeSystem, concept: Concept) -> Iterator[tuple[str, Json]]:
    """(code, the part ``value``): what every concept may have, then the system's own."""
    if concept.definition:
        yield "definition", parameter("value", "String", concept.definition)
    for name, codes in (("parent", known.parents(concept.code)), ("child", known.children(concept.code))):
        yield from ((name, parameter("value", "Code", code)) for code in codes)
    for name, flag in (("inactive", concept.inactive), ("notSelectable", concept.abstract)):
        if flag:
            yield name, parameter("value", "Boolean", True)
    for name, held in concept.properties:
        kind, value = _value(held)
        if kind and name not in ("parent", "child", "inactive", "notSelectable", *_ALWAYS_RETURNED):
            yield name, parameter("value", kind, value)


def _value(held: Json) -> tuple[str, Any]:
    return next(((kind, held[f"value{kind}"]) for kind in _KINDS if f"value{kind}" in held), ("", None))


def subsumes(known: CodeSystem, a: str, b: str) -> Json:
    """The answer of $subsumes for two codes. Raises NotFound, BusinessRule (a hierarchy of parts)."""
    first, second = _concept(known, a).code, _concept(known, b).code
    check_hierarchy(known)
    if first == second:
        outcome = "equivalent"
    elif first in known.ancestors(second):
        outcome = "subsumes"
    else:
        outcome = "subsumed-by" if second in known.ancestors(first) else "not-subsumed"
    if outcome == "not-subsumed" and not known.enumerable:
        raise BusinessRule(f"Only a part of {known.url[:300]} is stored here; it does not say how these codes relate.")
    return parameters(parameter("outcome", "Code", outcome))


def check_hierarchy(known: CodeSystem) -> None:
    """Raise BusinessRule when what is below a code is a part of it, not a kind of it."""
    if known.resource.get("hierarchyMeaning") == "part-of":
        raise BusinessRule(f"The hierarchy of {known.url[:300]} is of parts; none of its codes subsumes another.")


def _concept(known: CodeSystem, code: str) -> Concept:
    found = known.find(code)
    if found is None:
        raise NotFound(f"{code[:100]!r} is no code of the CodeSystem {known.url[:300]} as it is stored here.")
    return found
