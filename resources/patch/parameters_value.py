"""The operations of a FHIRPath Patch as its Parameters state them, and the values they carry.

FHIR R4 FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html); value[x] of Parameters.
"""

from typing import Any, NamedTuple

from resources.definitions import ElementDef, type_def
from resources.errors import BadSyntax
from resources.fhirpath.node import Field, is_primitive, subtype
from resources.patch.document import MAX_OPERATIONS, Place, copied

_PARTS = {
    "add": ("path", "name", "value"),
    "insert": ("path", "value", "index"),
    "delete": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "source", "destination"),
}
_KNOWN = frozenset({"type", "path", "name", "value", "index", "source", "destination"})


class Operation(NamedTuple):
    """``type`` is add, insert, delete, replace or move; ``parts`` its other parameters by name."""

    type: str
    parts: dict[str, dict[str, Any]]
    place: Place

    @property
    def path(self) -> str:
        return self.text("path")

    def text(self, name: str) -> str:
        """The part ``name``, which must be text. Raises BadSyntax."""
        value = primitive(self.parts[name])
        if not isinstance(value, str) or not value:
            raise self.place.malformed(f"the part {name!r} needs a valueString")
        return value

    def number(self, name: str) -> int:
        """The part ``name``, which must be an integer from 0. Raises BadSyntax."""
        value = primitive(self.parts[name])
        if type(value) is not int or value < 0:
            raise self.place.malformed(f"the part {name!r} needs a valueInteger from 0")
        return value


def operations(parameters: Any) -> list[Operation]:
    """The operations in their order. Raises BadSyntax."""
    if not isinstance(parameters, dict) or parameters.get("resourceType") != "Parameters":
        raise BadSyntax("A FHIRPath Patch is a Parameters resource")
    found = parameters.get("parameter", [])
    if not isinstance(found, list) or len(found) > MAX_OPERATIONS:
        raise BadSyntax(f"Parameters.parameter is a list of at most {MAX_OPERATIONS} operations")
    return [_operation(number, parameter) for number, parameter in enumerate(found, 1)]


def _operation(number: int, parameter: Any) -> Operation:
    place = Place(number, "", "", f"Parameters.parameter[{number - 1}]")
    if not isinstance(parameter, dict) or parameter.get("name") != "operation":
        raise place.malformed("every parameter of a FHIRPath Patch is named 'operation'")
    parts = _by_name(place, parameter.get("part"))
    kind = primitive(parts.get("type", {}))
    if not isinstance(kind, str) or kind not in _PARTS:
        raise place.malformed(f"the part 'type' must be one of {', '.join(_PARTS)}")
    missing = [name for name in _PARTS[kind] if name not in parts]
    place = Place(number, kind, str(primitive(parts.get("path", {})) or ""), place.expression)
    if missing:
        raise place.malformed(f"{kind} needs the part {missing[0]!r}")
    return Operation(kind, parts, place)


def _by_name(place: Place, parts: Any) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for part in _objects(place, parts):
        name = part.get("name")
        if not isinstance(name, str) or name not in _KNOWN or name in found:
            raise place.malformed(f"the part {name!r} is unknown or stands twice")
        found[name] = part
    return found


def _objects(place: Place, parts: Any) -> list[dict[str, Any]]:
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise place.malformed("'part' must be a list of named parts")
    return parts


# --- Values -------------------------------------------------------------------------------------------------------


def primitive(part: dict[str, Any]) -> Any:
    """The value of a part with a primitive value[x], else None."""
    value = next((part[name] for name in part if name.startswith("value")), None)
    return None if isinstance(value, (dict, list)) else value


class Value(NamedTuple):
    """What to put under the JSON property ``json``; ``extra`` is for ``_json`` (ids and extensions of primitives)."""

    json: str
    value: Any
    extra: Any


def value_for(place: Place, part: dict[str, Any], group: tuple[Field, ...], name: str) -> Value:
    """The value a part gives for the element ``name``, one of whose forms ``group`` it must fit. Raises BadSyntax."""
    if "part" in part:
        return _anonymous(place, part["part"], group, name)
    if "resource" in part:
        return Value(_fitting(place, "Resource", group, name).json, copied(part["resource"]), None)
    type, value, extra = _typed_value(place, part)
    return Value(_fitting(place, type, group, name).json, copied(value), copied(extra))


def _typed_value(place: Place, part: dict[str, Any]) -> tuple[str, Any, Any]:
    """(type, value, extra) of value[x]."""
    elements = type_def("Parameters.parameter").elements
    found = {name.removeprefix("_") for name in part} - {"name", "id", "extension"}
    element = elements.get(next(iter(found))) if len(found) == 1 else None
    if element is None or element.choice != "value":
        raise place.malformed("the part 'value' needs one value[x], resource or part")
    value, extra = part.get(element.name), part.get(f"_{element.name}")
    if value is None and extra is None:
        raise place.malformed(f"{element.name} has no value")
    if value is not None and not _is_value_of(element.type, value):
        raise place.malformed(f"{element.name} does not hold a {element.type}")
    return element.type, value, extra


def _is_value_of(type: str, value: Any) -> bool:
    return not isinstance(value, (dict, list)) if is_primitive(type) else isinstance(value, dict)


def _fitting(place: Place, type: str, group: tuple[Field, ...], name: str) -> Field:
    """The form of the element that takes ``type``: its own type, a wider one, or for plain elements any primitive."""
    exact = [field for field in group if field.type == type]
    wider = [field for field in group if len(group) == 1 and _fits(type, field.type)]
    for field in exact + wider:
        return field
    wanted = ", ".join(field.type for field in group[:10])
    raise place.malformed(f"{name!r} takes {wanted}, not {type}")


def _fits(given: str, wanted: str) -> bool:
    if is_primitive(given) and is_primitive(wanted):
        return True
    return subtype(given, wanted) or subtype(wanted, given)


def _anonymous(place: Place, parts: Any, group: tuple[Field, ...], name: str) -> Value:
    """A value of a type that value[x] does not have (a backbone element), given by its parts."""
    if len(group) != 1 or is_primitive(group[0].type):
        raise place.malformed(f"{name!r} cannot be given by parts; use value[x]")
    return Value(group[0].json, _built(place, parts, group[0].type), None)


def _built(place: Place, parts: Any, type: str) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for part in _objects(place, parts):
        name = str(part.get("name"))
        group = _elements(type, name)
        if not group:
            raise place.malformed(f"{type} has no element {name!r}")
        fields = tuple(Field(e.name, e.type, f"_{e.name}" if is_primitive(e.type) else "", False) for e in group)
        _put(place, built, group[0], value_for(place, part, fields, name))
    return built


def _elements(type: str, name: str) -> tuple[ElementDef, ...]:
    every = type_def(type).elements.values()
    return tuple(element for element in every if name in (element.choice, element.name))


def _put(place: Place, built: dict[str, Any], element: ElementDef, found: Value) -> None:
    if element.max == 1:
        if found.json in built or f"_{found.json}" in built:
            raise place.malformed(f"{found.json!r} is given twice and does not repeat")
        pairs = ((found.json, found.value), (f"_{found.json}", found.extra))
        built.update({name: value for name, value in pairs if value is not None})
        return
    values = built.setdefault(found.json, [])
    values.append(found.value)
    if found.extra is not None or f"_{found.json}" in built:
        extras = built.setdefault(f"_{found.json}", [])
        extras += [None] * (len(values) - 1 - len(extras)) + [found.extra]
