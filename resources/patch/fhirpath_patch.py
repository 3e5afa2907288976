"""FHIRPath Patch: add, insert, delete, replace and move at the places FHIRPath expressions find.

FHIR R4 FHIRPath Patch (https://hl7.org/fhir/R4/fhirpatch.html). A malformed patch (shape, expression, unknown element,
value of a wrong type) is BadSyntax (400); a target that is missing, or not single, is BusinessRule (422).
"""

from collections.abc import Callable
from typing import Any

from resources import fhirpath
from resources.definitions import type_def
from resources.fhirpath import FhirPathError, Node, PathExecutionError
from resources.fhirpath.node import Field, choice_fields, fields, is_primitive
from resources.patch.document import Place, Stopwatch, copied, same_type
from resources.patch.parameters_value import Operation, Value, operations, value_for


def apply(resource: dict[str, Any], patch: Any) -> dict[str, Any]:
    """``resource`` with the operations of the Parameters ``patch`` applied, all or none; the input is not changed.

    Raises BadSyntax for a malformed patch and BusinessRule when an operation does not fit.
    """
    document = copied(resource)
    watch = Stopwatch()
    for operation in operations(patch):
        watch.check()
        _OPERATIONS[operation.type](document, operation)
    return same_type(resource, document)


def _found(document: dict[str, Any], operation: Operation) -> list[Node]:
    """The elements at the path."""
    try:
        found = fhirpath.compile(operation.path, "", True).nodes(document)
    except PathExecutionError as error:
        raise operation.place.refused(str(error)) from error
    except FhirPathError as error:
        raise operation.place.malformed(str(error)) from error
    if not all(isinstance(item, Node) and (item.type or item.parent) for item in found):
        raise operation.place.malformed("the path gives a computed value, not an element of the resource")
    return found


def _single(document: dict[str, Any], operation: Operation) -> Node:
    found = _found(document, operation)
    if len(found) != 1:
        raise operation.place.refused(f"the path must find one element, it finds {len(found)}")
    return found[0]


# --- Operations ---------------------------------------------------------------------------------------------------


def _add(document: dict[str, Any], operation: Operation) -> None:
    node, name, place = _single(document, operation), operation.text("name"), operation.place
    holder = _holder(node, name, place)
    group = _group(place, node.type, name)
    value = value_for(place, operation.parts["value"], group, name)
    if _repeats(node.type, value.json):
        _insert_at(holder, value, len(_list(holder, value.json)))
    elif any(key in holder for field in group for key in (field.json, f"_{field.json}")):
        raise place.refused(f"{name!r} is already there and does not repeat; use replace")
    else:
        _put(holder, value)


def _insert(document: dict[str, Any], operation: Operation) -> None:
    nodes = _whole_list(document, operation)
    index, first = operation.number("index"), nodes[0]
    if index > len(nodes):
        raise operation.place.refused(f"index {index} is beyond the {len(nodes)} elements")
    value = value_for(operation.place, operation.parts["value"], _form(first), first.name)
    _insert_at(_parent(first).value, value, index)


def _delete(document: dict[str, Any], operation: Operation) -> None:
    nodes = _found(document, operation)
    if len(nodes) > 1:
        raise operation.place.refused(f"the path must find one element at most, it finds {len(nodes)}")
    for node in nodes:
        _remove(node, operation.place)


def _replace(document: dict[str, Any], operation: Operation) -> None:
    node, place = _single(document, operation), operation.place
    if node.parent is None:
        raise place.refused("the resource itself cannot be replaced by a patch")
    value = value_for(place, operation.parts["value"], _form(node), node.name)
    holder = node.parent.value
    if node.index is not None:
        _set_item(holder, value, node.index)
        return
    # A choice may change its type, and so its name; the place among the properties is kept.
    keys = {node.name: value.json, f"_{node.name}": f"_{value.json}"}
    kept = {keys.get(key, key): part for key, part in holder.items()}
    holder.clear()
    holder.update(kept)
    _put(holder, value)


def _move(document: dict[str, Any], operation: Operation) -> None:
    nodes = _whole_list(document, operation)
    source, destination = operation.number("source"), operation.number("destination")
    if max(source, destination) >= len(nodes):
        raise operation.place.refused(f"source and destination must be below {len(nodes)}, the number of elements")
    holder, name = _parent(nodes[0]).value, nodes[0].name
    for key in (name, f"_{name}"):
        if key in holder:
            items = _padded(holder[key], len(nodes))
            items.insert(destination, items.pop(source))
            _store(holder, key, items)


_OPERATIONS: dict[str, Callable[[dict[str, Any], Operation], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


# --- Where elements stand -----------------------------------------------------------------------------------------


def _parent(node: Node) -> Node:
    return node.parent if node.parent is not None else node


def _holder(node: Node, name: str, place: Place) -> dict[str, Any]:
    """The object that has, or gets, the property: the element itself, or what ``_name`` holds for a primitive."""
    if isinstance(node.value, dict):
        return node.value
    if name not in ("extension", "id") or node.parent is None:
        raise place.malformed(f"{node.type} has no element {name!r}")
    if not isinstance(node.extra, dict):
        node.extra = {}
        _set_extra(node)
    return node.extra


def _set_extra(node: Node) -> None:
    holder, key = _parent(node).value, f"_{node.name}"
    if node.index is None:
        holder[key] = node.extra
    else:
        extras = _padded(holder.get(key), node.index + 1)
        extras[node.index] = node.extra
        holder[key] = extras


def _group(place: Place, type: str, name: str) -> tuple[Field, ...]:
    """The forms of the element ``name``; the JSON name of a choice (valueQuantity) names that form."""
    group = fields(type).get(name) or choice_fields(type).get(name)
    if not group:
        raise place.malformed(f"{type} has no element {name!r}")
    return group


def _form(node: Node) -> tuple[Field, ...]:
    """The forms the element ``node`` may take in its parent."""
    parent = _parent(node).type
    group = next((g for g in fields(parent).values() if any(field.json == node.name for field in g)), None)
    companion = f"_{node.name}" if is_primitive(node.type) else ""
    return group or (Field(node.name, node.type, companion, False),)


def _repeats(type: str, json: str) -> bool:
    element = type_def(type).elements.get(json)
    return element is not None and element.max != 1


def _whole_list(document: dict[str, Any], operation: Operation) -> list[Node]:
    """The elements at the path, which must be all of one list."""
    nodes = _found(document, operation)
    if not nodes:
        raise operation.place.refused("the path finds no list; use add for its first element")
    first = nodes[0]
    if first.index is None or any(n.parent is not first.parent or n.name != first.name for n in nodes):
        raise operation.place.refused("the path must find one list")
    if len(nodes) != _length(_parent(first).value, first.name):
        raise operation.place.refused("the path must find the whole list, not a part of it")
    return nodes


# --- Changing -----------------------------------------------------------------------------------------------------


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    return _padded(holder.get(name), _length(holder, name))


def _length(holder: dict[str, Any], name: str) -> int:
    return max(len(holder.get(name) or ()), len(holder.get(f"_{name}") or ()))


def _padded(items: Any, length: int) -> list[Any]:
    found = list(items or ())
    return found + [None] * (length - len(found))


def _store(holder: dict[str, Any], key: str, items: list[Any]) -> None:
    """A list under its property; one without any value is left out."""
    if any(item is not None for item in items):
        holder[key] = items
    else:
        holder.pop(key, None)


def _put(holder: dict[str, Any], value: Value) -> None:
    for key, part in ((value.json, value.value), (f"_{value.json}", value.extra)):
        if part is None:
            holder.pop(key, None)
        else:
            holder[key] = part


def _insert_at(holder: dict[str, Any], value: Value, index: int) -> None:
    values, extras = _list(holder, value.json), _list(holder, f"_{value.json}")
    extras = _padded(extras, len(values))
    values.insert(index, value.value)
    extras.insert(index, value.extra)
    _store(holder, value.json, values)
    _store(holder, f"_{value.json}", extras)


def _set_item(holder: dict[str, Any], value: Value, index: int) -> None:
    length = _length(holder, value.json)
    values, extras = _padded(holder.get(value.json), length), _padded(holder.get(f"_{value.json}"), length)
    values[index], extras[index] = value.value, value.extra
    _store(holder, value.json, values)
    _store(holder, f"_{value.json}", extras)


def _has_item(holder: dict[str, Any], name: str, index: int) -> bool:
    items = holder.get(name) or ()
    return index < len(items) and items[index] is not None


def _drop(holder: dict[str, Any], name: str, index: int | None) -> None:
    for key in (name, f"_{name}"):
        if index is None:
            holder.pop(key, None)
        elif index < len(holder.get(key) or ()):
            del holder[key][index]
            _store(holder, key, holder[key])


def _remove(node: Node, place: Place) -> None:
    """Take the element out, and the parent when nothing is left of it."""
    if node.parent is None:
        raise place.refused("the resource itself cannot be deleted by a patch")
    holder = node.parent.value
    if node.name.startswith("_") and node.index is not None and _has_item(holder, node.name[1:], node.index):
        # Extensions of one of several primitives: its place stays, or the others would shift.
        holder[node.name][node.index] = None
        _store(holder, node.name, holder[node.name])
    else:
        _drop(holder, node.name.removeprefix("_") if node.index is not None else node.name, node.index)
    if not holder and node.parent.parent is not None:
        _remove(node.parent, place)
