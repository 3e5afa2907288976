"""The invariants of StructureDefinition and ElementDefinition, as rules.

FHIR R4 StructureDefinition and ElementDefinition (https://hl7.org/fhir/R4/structuredefinition.html).
"""

import re
from collections.abc import Mapping
from typing import Any

from resources.validation.nodes import children, choice, distinct, has, has_any
from resources.validation.scope import Node, Rule, Scope

_CORE = "http://hl7.org/fhir/StructureDefinition"
_NAME = r"[^\s.,:;'\"/|?!@#$%&*()\[\]{}]{1,64}"
_PATH = re.compile(rf"{_NAME}(?:\.{_NAME}(?:\[x\])?(?::[^\s.]+)?)*")
_SLICE = re.compile(r"[a-zA-Z0-9/\-_\[\]@]+")
_TYPE_CODE = re.compile(r"[a-zA-Z0-9.]+|http://hl7\.org/fhirpath/System\.[A-Z][A-Za-z]+")
_MOST = re.compile(r"\d+|\*")
_COUNT = re.compile(r"\d+")
_BOUND_TYPES = frozenset(["code", "Coding", "CodeableConcept", "Quantity", "string", "uri"])
_VALUE_SET_SCHEMES = ("http:", "https", "urn:")


def _elements(node: Node, *views: str) -> list[Node]:
    return [row for view in views or ("snapshot", "differential") for row in children(node, view, "element")]


def _roots(node: Node, *views: str) -> list[Node]:
    return [row for row in _elements(node, *views) if "." not in str(row.get("path", "."))]


def _first(node: Node, view: str) -> Node:
    rows: list[Node] = _elements(node, view)[:1]
    return rows[0] if rows else {}


def _not_core(node: Node) -> bool:
    return not str(node.get("url", "")).startswith(_CORE)


def _content_reference_alone(node: Node, scope: Scope) -> bool:
    values = ("defaultValue", "fixed", "pattern", "minValue", "maxValue")
    plain = ("type", "example", "maxLength", "binding")
    return not has(node, "contentReference") or not (
        has_any(node, *plain) or any(choice(node, stem) for stem in values)
    )


def _min_max(node: Node, scope: Scope) -> bool:
    most = node.get("max", "*")
    return most == "*" or "min" not in node or (_COUNT.fullmatch(most) is not None and node["min"] <= int(most))


def _bindable(node: Node, scope: Scope) -> bool:
    kinds = children(node, "type", "code")
    return not has(node, "binding") or not kinds or bool(_BOUND_TYPES & set(kinds))


def _core_types(node: Node, scope: Scope) -> bool:
    kinds: list[Any] = [code for row in _elements(node) for code in children(row, "type", "code")]
    return _not_core(node) or all(_TYPE_CODE.fullmatch(str(kind)) for kind in kinds)


def _logical(scope: Scope) -> bool:
    return scope.resource.get("kind") == "logical"


def _snapshot_paths(node: Node, scope: Scope) -> bool:
    paths = [str(path) for path in children(node, "element", "path")]
    kind = scope.resource.get("type")
    return (_logical(scope) or paths[:1] == [kind]) and all(path.startswith(f"{paths[0]}.") for path in paths[1:])


def _differential_paths(node: Node, scope: Scope) -> bool:
    paths = [str(path) for path in children(node, "element", "path")]
    root = paths[0].partition(".")[0] if paths else ""
    starts = _logical(scope) or root[: len(str(scope.resource.get("type")))] == scope.resource.get("type")
    return starts and all(path.startswith(f"{root}.") for path in paths[1:])


def _snapshot_root(node: Node, scope: Scope) -> bool:
    plain = node.get("kind") == "logical" or not has(node, "snapshot")
    return plain or _first(node, "snapshot").get("path") == node.get("type")


def _untyped_root(node: Node, view: str) -> bool:
    first = _first(node, view)
    is_root = view == "snapshot" or "." not in str(first.get("path", "."))
    return node.get("kind") == "logical" or not is_root or not has(first, "type")


def _described(node: Node, scope: Scope) -> bool:
    return all(has(row, name) for row in children(node, "element") for name in ("definition", "min", "max"))


STRUCTURE: Mapping[str, Rule] = {
    "eld-1": Rule(lambda n, s: has_any(n, "discriminator", "description"), "expected a discriminator or a description"),
    "eld-2": Rule(_min_max, "expected min at or below max"),
    "eld-3": Rule(lambda n, s: bool(_MOST.fullmatch(str(n))), "expected a number or *"),  # asked of a text
    "eld-4": Rule(
        lambda n, s: not has(n, "aggregation") or n.get("code") in ("Reference", "canonical"),
        "aggregation is only for the types Reference and canonical",
    ),
    "eld-5": Rule(
        _content_reference_alone, "contentReference stands alone, without type, values, maxLength or binding"
    ),
    "eld-6": Rule(lambda n, s: not choice(n, "fixed") or len(children(n, "type")) <= 1, "fixed[x] needs a single type"),
    "eld-7": Rule(
        lambda n, s: not choice(n, "pattern") or len(children(n, "type")) <= 1, "pattern[x] needs a single type"
    ),
    "eld-8": Rule(lambda n, s: not (choice(n, "pattern") and choice(n, "fixed")), "expected fixed[x] or pattern[x]"),
    "eld-11": Rule(_bindable, "binding is only for code, Coding, CodeableConcept, Quantity, string and uri"),
    "eld-12": Rule(
        lambda n, s: str(n.get("valueSet", "urn:")).startswith(_VALUE_SET_SCHEMES),
        "valueSet starts with http://, https:// or urn:",
    ),
    "eld-13": Rule(lambda n, s: distinct(children(n, "type", "code")), "expected each type code once"),
    "eld-14": Rule(lambda n, s: distinct(children(n, "constraint", "key")), "expected each constraint key once"),
    "eld-15": Rule(
        lambda n, s: not (choice(n, "defaultValue") and has(n, "meaningWhenMissing")),
        "expected defaultValue[x] or meaningWhenMissing, not both",
    ),
    "eld-16": Rule(
        lambda n, s: "sliceName" not in n or bool(_SLICE.fullmatch(n["sliceName"])),
        "expected a sliceName of letters, digits and / - _ [ ] @",
    ),
    "eld-17": Rule(
        lambda n, s: n.get("code") in ("Reference", "canonical") or not has(n, "targetProfile"),
        "targetProfile is only for the types Reference and canonical",
    ),
    "eld-18": Rule(
        lambda n, s: n.get("isModifier") is not True or has(n, "isModifierReason"), "a modifier needs isModifierReason"
    ),
    "eld-19": Rule(
        lambda n, s: bool(_PATH.match(str(n.get("path", "x")))), "expected a path of names without special characters"
    ),
    "eld-22": Rule(
        lambda n, s: not has(n, "sliceIsConstraining") or has(n, "sliceName"), "sliceIsConstraining needs sliceName"
    ),
    "sdf-1": Rule(
        lambda n, s: (
            n.get("derivation") == "constraint" or distinct([row.get("path") for row in _elements(n, "snapshot")])
        ),
        "expected each path of the snapshot once",
    ),
    "sdf-2": Rule(lambda n, s: has_any(n, "name", "uri"), "expected a name or a uri"),
    "sdf-3": Rule(_described, "each element of a snapshot has definition, min and max"),
    "sdf-4": Rule(
        lambda n, s: n.get("abstract") is True or has(n, "baseDefinition"), "a concrete structure needs baseDefinition"
    ),
    "sdf-5": Rule(
        lambda n, s: n.get("type") != "Extension" or n.get("derivation") == "specialization" or has(n, "context"),
        "the definition of an extension needs a context",
    ),
    "sdf-6": Rule(lambda n, s: has_any(n, "snapshot", "differential"), "expected a snapshot or a differential"),
    "sdf-8": Rule(_snapshot_paths, "each path begins with the type that the structure defines"),
    "sdf-8a": Rule(_differential_paths, "each path begins with the type that the structure defines"),
    "sdf-8b": Rule(lambda n, s: all(has(r, "base") for r in children(n, "element")), "each element has a base"),
    "sdf-9": Rule(
        lambda n, s: not any(has_any(row, "label", "code", "requirements") for row in _roots(n)),
        "the root element has no label, code or requirements",
    ),
    "sdf-10": Rule(
        lambda n, s: not has(n, "binding") or has_any(n["binding"], "valueSet", "description"),
        "a binding needs valueSet or description",
    ),
    "sdf-11": Rule(_snapshot_root, "the first path of the snapshot is the type"),
    "sdf-14": Rule(lambda n, s: all(has(row, "id") for row in _elements(n)), "each element has an id"),
    "sdf-15": Rule(lambda n, s: _untyped_root(n, "snapshot"), "the first element of the snapshot has no type"),
    "sdf-15a": Rule(lambda n, s: _untyped_root(n, "differential"), "the root of the differential has no type"),
    "sdf-16": Rule(
        lambda n, s: distinct([row.get("id") for row in _elements(n, "snapshot")]), "expected each element id once"
    ),
    "sdf-17": Rule(
        lambda n, s: distinct([row.get("id") for row in _elements(n, "differential")]), "expected each element id once"
    ),
    "sdf-18": Rule(
        lambda n, s: not has(n, "contextInvariant") or n.get("type") == "Extension",
        "contextInvariant is only for definitions of extensions",
    ),
    "sdf-19": Rule(_core_types, "definitions of the specification use types of the specification"),
    "sdf-20": Rule(
        lambda n, s: not any(has(r, "slicing") for r in children(n, "element") if "." not in str(r.get("path", "."))),
        "the root element has no slicing",
    ),
    "sdf-21": Rule(
        lambda n, s: (
            n.get("derivation") == "specialization"
            or not any(choice(row, "defaultValue") for row in _elements(n, "differential"))
        ),
        "default values are only for specializations",
    ),
    "sdf-22": Rule(
        lambda n, s: _not_core(n) or not any(choice(row, "defaultValue") for row in _elements(n)),
        "definitions of the specification have no default values",
    ),
    "sdf-23": Rule(lambda n, s: not any(has(row, "sliceName") for row in _roots(n)), "the root has no sliceName"),
}
