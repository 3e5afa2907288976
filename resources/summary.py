"""Parts of a resource: ``_summary`` and ``_elements``.

FHIR R4 Search, Summary and Elements (https://hl7.org/fhir/R4/search.html#summary, #elements). Every part is tagged
SUBSETTED. What changes the meaning of the rest is never left out: ``implicitRules`` and ``modifierExtension`` always,
and other modifiers (such as the verificationStatus of a refuted allergy) from all but ``_summary=text``.
"""

from collections.abc import Callable, Iterable
from typing import Any

from resources.definitions import ElementDef, type_def
from resources.errors import BadSearch
from resources.nearest import did_you_mean

SUMMARY_CODES = ("true", "text", "data", "count", "false")
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}

_TOLD = 20
"""Wrong names that one refusal tells: each costs a search for the nearest right one."""
_ALWAYS = {"id", "meta", "implicitRules", "modifierExtension"}

Resource = dict[str, Any]
_Rule = Callable[[ElementDef], bool]


def summarize(resource: Resource, code: str) -> Resource:
    """``resource`` as ``_summary=code`` shows it, tagged SUBSETTED; the argument is not changed.

    ``false`` and ``count`` (which is about the searchset, not its resources) give the resource itself. Raises
    BadSearch for another code.
    """
    try:
        part = _SUMMARIES[code]
    except KeyError:
        raise BadSearch(f"_summary is one of {', '.join(SUMMARY_CODES)}, not '{code}'") from None
    return part(resource)


def select_elements(resource: Resource, names: Iterable[str]) -> Resource:
    """The named top-level elements of ``resource``, with mandatory and modifier elements, tagged SUBSETTED.

    A name is ``name``, ``Patient.name``, ``value`` (any type of value[x]) or ``valueQuantity``; deeper paths give the
    whole top-level element, names of other types say nothing. The argument is not changed.
    """
    type = resource["resourceType"]
    wanted = {found for name in names if (found := _top_level(type, name))}
    return _tagged(_top(resource, lambda e: bool({e.name, e.choice} & wanted) or e.min > 0 or e.modifier))


def check_elements(type: str, names: Iterable[str]) -> None:
    """Raise BadSearch naming each of ``names`` that is no element of the resource type, and the nearest one."""
    elements = type_def(type).elements
    known = elements.keys() | {e.choice for e in elements.values()}
    wrong = [name for name in names if _top_level(type, name) not in known]
    if wrong:
        raise BadSearch("; ".join(_unknown(type, name[:64], known) for name in wrong[:_TOLD]))


def _unknown(type: str, name: str, known: set[str]) -> str:
    return f"_elements: '{name}' is not an element of {type}{did_you_mean(name, known)}"


def _top_level(type: str, name: str) -> str:
    """``name`` of ``Patient.name.family`` for a Patient; '' when it is about another type."""
    parts = name.strip().removesuffix("[x]").split(".")
    if parts[0] == type:
        parts = parts[1:]
    first = parts[0].removesuffix("[x]") if parts else ""
    return "" if first[:1].isupper() else first


def _complete(resource: Resource) -> Resource:
    return resource


def _summary(resource: Resource) -> Resource:
    return _tagged(_elements_in_summary(resource, resource["resourceType"]))


def _text(resource: Resource) -> Resource:
    return _tagged(_top(resource, lambda e: e.name == "text" or e.min > 0))


def _data(resource: Resource) -> Resource:
    return _tagged(_top(resource, lambda e: e.name != "text"))


_SUMMARIES: dict[str, Callable[[Resource], Resource]] = {
    "true": _summary,
    "text": _text,
    "data": _data,
    "count": _complete,
    "false": _complete,
}


def _top(resource: Resource, rule: _Rule) -> Resource:
    """The top-level elements the rule keeps, with what extends a primitive (``_name``)."""
    elements = type_def(resource["resourceType"]).elements

    def kept(name: str) -> bool:
        element = elements.get(name.removeprefix("_"))
        return element is None or element.name in _ALWAYS or rule(element)

    return {name: value for name, value in resource.items() if kept(name)}


def _elements_in_summary(value: dict[str, Any], type: str) -> dict[str, Any]:
    """What the definitions mark as summary, at every level, with mandatory and modifier elements."""
    elements = type_def(type).elements
    found: dict[str, Any] = {}
    for name, member in value.items():
        element = elements.get(name.removeprefix("_"))
        if element is None:
            found[name] = member
        elif element.summary or element.modifier or element.min > 0:
            found[name] = member if name.startswith("_") else _summary_of(member, element)
    return {name: member for name, member in found.items() if member not in ({}, [])}


def _summary_of(member: Any, element: ElementDef) -> Any:
    """One element: resources inside (entries of a Bundle), extensions and primitives are kept whole."""
    if element.type in ("Resource", "Extension", "xhtml"):
        return member
    if isinstance(member, list):
        parts = [_summary_of(item, element) for item in member]
        return parts if element.min > 0 else [part for part in parts if part != {}]
    if not isinstance(member, dict):
        return member
    part = _elements_in_summary(member, element.type)
    return member if not part and element.min > 0 else part


def _tagged(resource: Resource) -> Resource:
    """With meta.tag SUBSETTED; meta stands behind the id as the specification orders it."""
    meta = dict(resource.get("meta", {}))
    tags = [tag for tag in meta.get("tag", []) if (tag.get("system"), tag.get("code")) != tuple(SUBSETTED.values())]
    meta["tag"] = [*tags, dict(SUBSETTED)]
    head = {name: resource[name] for name in ("resourceType", "id") if name in resource}
    return head | {"meta": meta} | {name: value for name, value in resource.items() if name not in head | {"meta": 0}}
