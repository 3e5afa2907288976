"""The functions FHIR adds: extensions, values of primitives, references, terminology, conformance.

FHIR R4 additional functions (https://hl7.org/fhir/R4/fhirpath.html#functions); date functions of FHIRPath N1, utility.
"""

from typing import Any

from resources.fhirpath import temporal
from resources.fhirpath.environment import Environment, Items
from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.functions.row import Function
from resources.fhirpath.node import Node, root, select, subtype
from resources.fhirpath.singletons import maybe, text
from resources.fhirpath.types import type_info

_BASE = "http://hl7.org/fhir/StructureDefinition/"


def _extension(env: Environment, items: Items, url: Items) -> Items:
    wanted = text(url)
    found: Items = []
    for item in items:
        if type(item) is Node:
            select(item, "extension", found, False)
    return [node for node in found if isinstance(node.value, dict) and node.value.get("url") == wanted]


def _has_value(env: Environment, items: Items) -> Items:
    return [len(items) == 1 and _value(items[0]) is not None]


def _get_value(env: Environment, items: Items) -> Items:
    return maybe(_value(items[0])) if len(items) == 1 else []


def _value(item: Any) -> Any:
    """The value of a primitive, None for an element that has none."""
    if type(item) is not Node:
        return item
    return None if isinstance(item.value, (dict, list)) else item.value


def _type(env: Environment, items: Items) -> Items:
    return [type_info(item) for item in items]


# --- References ---------------------------------------------------------------------------------------------------


def _resolve(env: Environment, items: Items) -> Items:
    found = (_resolved(env, _reference(item)) for item in items)
    return [node for node in found if node is not None]


def _reference(item: Any) -> str:
    value = item.value if type(item) is Node else item
    if isinstance(value, dict):
        value = value.get("reference")
    return value if isinstance(value, str) else ""


def _resolved(env: Environment, reference: str) -> Node | None:
    """Contained, then in the same Bundle, then what the server finds."""
    if reference.startswith("#"):
        return _contained(env.root, reference[1:]) or _contained(env.resource, reference[1:])
    local = _in_bundle(env.root, reference) if reference else None
    if local is None and reference and env.hooks.resolve is not None:
        resource = env.hooks.resolve(reference)
        return None if resource is None else root(resource)
    return local


def _contained(holder: Node, id: str) -> Node | None:
    if not id:
        return holder
    found: Items = []
    select(holder, "contained", found, False)
    return next((node for node in found if node.value.get("id") == id), None)


def _in_bundle(bundle: Node, reference: str) -> Node | None:
    entries: Items = []
    if bundle.type == "Bundle":
        select(bundle, "entry", entries, False)
    for entry in entries:
        resource: Items = []
        select(entry, "resource", resource, False)
        if resource and _names(entry.value, reference):
            return root(resource[0])
    return None


def _names(entry: dict[str, Any], reference: str) -> bool:
    url = str(entry.get("fullUrl", ""))
    resource = entry["resource"]
    return url == reference or f"{resource.get('resourceType')}/{resource.get('id')}" == reference


# --- Conformance --------------------------------------------------------------------------------------------------


def _member_of(env: Environment, items: Items, value_set: Items) -> Items:
    url = text(value_set)
    if not items or url is None:
        return []
    if env.hooks.member_of is None or len(items) > 1:
        raise PathExecutionError("memberOf() needs one item and a terminology service")
    answer = env.hooks.member_of(items[0].value if type(items[0]) is Node else items[0], url)
    return maybe(answer)


def _conforms_to(env: Environment, items: Items, profile: Items) -> Items:
    url = text(profile)
    if not items or url is None:
        return []
    node = items[0]
    if len(items) > 1 or type(node) is not Node:
        raise PathExecutionError("conformsTo() needs one element")
    name = url.removeprefix(_BASE)
    if url.startswith(_BASE) and root({"resourceType": name}).type:
        return [bool(node.type) and subtype(node.type, name)]
    if env.hooks.conforms_to is None or not isinstance(node.value, dict):
        raise PathExecutionError(f"the profile {url} is not known here")
    return maybe(env.hooks.conforms_to(node.value, url))


def _html_checks(env: Environment, items: Items) -> Items:
    # Read when first used: validation stands above FHIRPath.
    from resources.validation.narrative import narrative_flaw

    value = text(items)
    return [] if value is None else [not any(narrative_flaw(value))]


# --- The clock ----------------------------------------------------------------------------------------------------


def _now(env: Environment, items: Items) -> Items:
    return [env.now]


def _today(env: Environment, items: Items) -> Items:
    return [temporal.today(env.now)]


def _time_of_day(env: Environment, items: Items) -> Items:
    return [temporal.Temporal(temporal.TIME, env.now.fields[3:])]


FUNCTIONS = {
    "extension": Function(_extension, 1, 1),
    "hasValue": Function(_has_value),
    "getValue": Function(_get_value),
    "type": Function(_type),
    "resolve": Function(_resolve),
    "memberOf": Function(_member_of, 1, 1),
    "conformsTo": Function(_conforms_to, 1, 1),
    "htmlChecks": Function(_html_checks),
    "htmlChecks2": Function(_html_checks),
    "now": Function(_now),
    "today": Function(_today),
    "timeOfDay": Function(_time_of_day),
}
