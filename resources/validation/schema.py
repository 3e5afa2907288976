"""The strict JSON Schema of the quick look: accepts only what the walker accepts, and nearly all of that.

JSON Schema draft 4 (http://json-schema.org/draft-04/schema), the last draft in which 1.0 is no integer, made from the
FHIR R4 element tables. What a schema cannot say is left to residue.py; what is rare (null, ``_`` arrays,
Reference.type) is left out here and so sent to the walker, which alone decides what is invalid.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from resources.definitions import RESOURCE_TYPES, ElementDef, TypeDef, codes, plain_codes, type_def
from resources.literal_reference import ID
from resources.validation.plans import plan

Schema = dict[str, Any]

IN_SCHEMA = frozenset(["ele-1", "ext-1", "ref-1", "qty-3", "sqty-1", "att-1", "cpt-2", "Attachment.size"])
"""Rules that the schema makes sure of."""

OPAQUE = frozenset(["Extension", "Reference"])
"""Types below which the schema allows nothing that residue.py would have to look at."""

_NEEDS: Mapping[str, tuple[str, str]] = {
    "qty-3": ("code", "system"),
    "att-1": ("data", "contentType"),
    "cpt-2": ("value", "system"),
}
_VALUE_TYPES = (
    " boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time unsignedInt"
    " uri url uuid Address CodeableConcept Coding ContactPoint HumanName Identifier Money Quantity Reference "
)

_YEAR = "(?:[0-9](?:[0-9](?:[0-9][1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
_MONTH_DAY = "(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
_LEAP_DAY = "(?:[0-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)-02-29"
_DAY = f"(?:{_YEAR}-{_MONTH_DAY}|{_LEAP_DAY})"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]+)?"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_NO_CONTROL = r"[^\x00-\x08\x0b\x0c\x0e-\x1f]*"


def _text(pattern: str, **more: Any) -> Schema:
    return {"type": "string", "pattern": f"^(?:{pattern})$", **more}


def _whole(low: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": 2**31 - 1}


_STRING = _text(rf"[ \t\r\n\u00a0]*[^\s\x00-\x1f]{_NO_CONTROL}", maxLength=1024 * 1024)
_URI = _text(r"[^\s\x00-\x1f]+")
_PRIMITIVES: Mapping[str, Schema] = {
    "base64Binary": _text("(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{4}|[0-9A-Za-z+/]{3}=|[0-9A-Za-z+/]{2}==)"),
    "boolean": {"type": "boolean"},
    "canonical": _URI,
    "code": _text(r"[^\s\x00-\x1f]+(?: [^\s\x00-\x1f]+)*"),
    "date": _text(f"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?|{_DAY}"),
    "dateTime": _text(f"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?|{_DAY}(?:T{_TIME}{_ZONE})?"),
    "decimal": {"type": "number"},
    "id": _text(ID),
    "instant": _text(f"{_DAY}T{_TIME}{_ZONE}"),
    "integer": _whole(-(2**31)),
    "markdown": _STRING,
    "oid": _text(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
    "positiveInt": _whole(1),
    "string": _STRING,
    "time": _text(_TIME),
    "unsignedInt": _whole(0),
    "uri": _URI,
    "url": _URI,
    "uuid": _text("urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "xhtml": {"type": "string"},
}


def schema_of(resource_types: Iterable[str]) -> Schema:
    """The schema of ``{type: resource}``, an object whose one member is named by the resource's type.

    Of the resource ``contained`` is left out, and of resources inside only the type is asked. What the types have in
    common is there once; several in one schema compile in half the time and space that each alone would take.
    """
    writer = _Writer()
    rooms = _closed({name: writer.type(name) for name in resource_types}, [])
    return {"$schema": "http://json-schema.org/draft-04/schema#", **rooms, "definitions": writer.definitions}


class _Writer:
    """Collects the definitions that one schema refers to."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}
        self.names: dict[str, str] = {}

    def shared(self, name: str, make: Callable[[], Schema]) -> Schema:
        """A reference to the definition ``name``, made when first asked for."""
        if name not in self.names:
            self.names[name] = short = f"d{len(self.names)}"
            self.definitions[short] = {}
            self.definitions[short] = make()
        return {"$ref": f"#/definitions/{self.names[name]}"}

    def type(self, name: str, bare: bool = False) -> Schema:
        """``bare`` leaves out every element that residue.py would have to look at."""
        if name in _PRIMITIVES:
            return self.shared(name, lambda: _PRIMITIVES[name])
        if name == "Resource":
            return self.shared(name, lambda: {"type": "object", "required": ["resourceType"]})
        if name == "Extension":
            return self.shared(name, self.extension)
        if name == "Reference":
            return self.reference(())
        bare = bare and residual(name)
        return self.shared(f"bare {name}" if bare else name, lambda: self.object(type_def(name), bare))

    def extension(self) -> Schema:
        """Exactly a url and one other member, so that ext-1 holds; anything else is for the walker."""
        elements = type_def("Extension").elements
        values = {name: self.type(e.type, bare=True) for name, e in elements.items() if _plain_value(e)}
        nested = {"type": "array", "items": {"$ref": f"#/definitions/{self.names['Extension']}"}, "minItems": 1}
        members = {**values, "url": self.type("uri"), "extension": nested}
        return _closed(members, ["url"], minProperties=2, maxProperties=2)

    def object(self, definition: TypeDef, bare: bool) -> Schema:
        elements = [e for e in definition.elements.values() if _kept(e, bare)]
        members = {e.name: self.element(e, bare) for e in elements}
        members |= {f"_{e.name}": self.primitive_extension() for e in elements if _extendable(e)}
        if definition.kind == "resource":
            members["resourceType"] = {"enum": [definition.name]}
        required = [e.name for e in elements if e.min and not e.choice]
        more = {} if definition.kind == "resource" else {"minProperties": 1}
        schema = _closed(members, required, **more)
        rules = [*_choices(elements), *_needs(definition), *([] if definition.kind == "resource" else [_NOT_ID_ALONE])]
        return {**schema, "allOf": rules} if rules else schema

    def element(self, element: ElementDef, bare: bool) -> Schema:
        schema = self.value(element, bare)
        if element.max == 1:
            return schema
        limit = {} if element.max is None else {"maxItems": element.max}
        return {"type": "array", "items": schema, "minItems": 1, **limit}

    def value(self, element: ElementDef, bare: bool) -> Schema:
        if element.type == "Reference":
            return self.reference(element.targets)
        if element.binding:
            return self.bound(element, bare)
        plain = self.type(element.type, bare)
        if any(rule.key == "sqty-1" for rule in element.invariants):
            simple = {"not": {"required": ["comparator"]}}
            return self.shared(f"{element.type} sqty-1", lambda: {"allOf": [plain, simple]})
        return plain

    def bound(self, element: ElementDef, bare: bool) -> Schema:
        if element.type == "code":
            return self.shared(element.binding, lambda: {"enum": sorted(plain_codes(element.binding))})
        rows = [_coding_of(system, sorted(members)) for system, members in codes(element.binding).items()]
        # Draft 4 has no "contains": not every coding may fail to be one of these.
        some = {"coding": {"not": {"items": {"not": {"anyOf": rows}}}}}
        plain = self.type(element.type, bare)
        bound = {"required": ["coding"], "properties": some}
        return self.shared(f"bound {element.binding}", lambda: {"allOf": [plain, bound]})

    def reference(self, targets: tuple[str, ...]) -> Schema:
        return self.shared(f"reference {' '.join(targets)}", lambda: self.reference_to(targets))

    def reference_to(self, targets: tuple[str, ...]) -> Schema:
        """Without ``type`` (the walker compares it) and ``#id`` (residue.py puts the contained type in its place)."""
        names = "|".join(sorted(targets or RESOURCE_TYPES))
        rest = rf"(?:https?://[^\s?#]+/)?(?:{names})/{ID}(?:/_history/{ID})?"
        literal = _text(rf"{rest}|urn:(?:uuid|oid):[0-9A-Za-z.\-]+|(?:{names})\?[^\s]+")
        members = {
            "reference": literal,
            "display": self.type("string"),
            "identifier": self.type("Identifier", bare=True),
            "extension": {"type": "array", "items": self.type("Extension"), "minItems": 1},
        }
        return _closed(members, [], minProperties=1)

    def primitive_extension(self) -> Schema:
        nested = {"type": "array", "items": self.type("Extension"), "minItems": 1}
        return self.shared(
            "primitive", lambda: _closed({"id": self.type("string"), "extension": nested}, ["extension"])
        )


_NOT_ID_ALONE: Schema = {"anyOf": [{"not": {"required": ["id"]}}, {"minProperties": 2}]}


def _closed(members: Schema, required: list[str], **more: int) -> Schema:
    needed = {"required": required} if required else {}
    return {"type": "object", "properties": members, "additionalProperties": False, **needed, **more}


def _plain_value(element: ElementDef) -> bool:
    return bool(element.choice) and f" {element.type} " in _VALUE_TYPES


def _kept(element: ElementDef, bare: bool) -> bool:
    return element.name != "contained" and element.max != 0 and not (bare and owned_rules(element.type))


def _extendable(element: ElementDef) -> bool:
    plain = not element.choice and element.max == 1 and not element.xml_attribute
    return plain and element.type in _PRIMITIVES and element.type != "xhtml"


def _choices(elements: list[ElementDef]) -> list[Schema]:
    """One name of each choice at most, exactly one when it is required."""
    groups: dict[int, list[ElementDef]] = {}
    for element in elements:
        if element.choice:
            groups.setdefault(element.position, []).append(element)
    return [rule for group in groups.values() for rule in _choice(group)]


def _choice(group: list[ElementDef]) -> list[Schema]:
    each: list[Schema] = [{"required": [element.name]} for element in group]
    if group[0].min:
        return [{"oneOf": each}]
    return [{"oneOf": [*each, {"not": {"anyOf": each}}]}] if len(each) > 1 else []


def _needs(definition: TypeDef) -> list[Schema]:
    if definition.name == "Attachment":
        # The walker counts the bytes.
        return [*_needs_of(definition), {"not": {"required": ["data", "size"]}}]
    return _needs_of(definition)


def _needs_of(definition: TypeDef) -> list[Schema]:
    pairs = [_NEEDS[rule.key] for rule in definition.invariants if rule.key in _NEEDS]
    return [{"dependencies": {name: [needed], f"_{name}": [needed]}} for name, needed in pairs]


def _coding_of(system: str, members: list[str]) -> Schema:
    return {"required": ["system", "code"], "properties": {"system": {"enum": [system]}, "code": {"enum": members}}}


def owned_rules(type_name: str) -> list[str]:
    """The keys of the rules of a type itself that the schema does not say."""
    return [key for key, _ in plan(type_name).rules if key not in IN_SCHEMA]


@cache
def residual(type_name: str) -> bool:
    """Whether residue.py has anything to look at in a value of this type, or below it."""
    seen: set[str] = set()
    waiting = [type_name]
    while waiting:
        name = waiting.pop()
        if name in seen or name in OPAQUE or name in _PRIMITIVES:
            continue
        seen.add(name)
        elements = type_def(name).elements.values()
        if name in ("Narrative", "Resource") or owned_rules(name) or any(map(_own_element_rules, elements)):
            return True
        waiting.extend(element.type for element in elements)
    return False


def _own_element_rules(element: ElementDef) -> bool:
    return any(row.severity == "error" and row.key not in IN_SCHEMA for row in element.invariants)
