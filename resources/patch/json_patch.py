"""JSON Patch on the JSON form of a resource.

RFC 6902 JSON Patch, RFC 6901 JSON Pointer; FHIR R4 patch (https://hl7.org/fhir/R4/http.html#patch). A patch that is no
JSON Patch is BadSyntax (400). A missing target and a failed ``test`` are BusinessRule (422): the request is understood
but does not fit this version (RFC 5789 section 2.2); 412 stays for If-Match and conditional criteria.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from resources import json_codec
from resources.errors import BadSyntax
from resources.patch.document import MAX_COPIED, MAX_OPERATIONS, Place, Stopwatch, copied, same_type, size

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_BAD_ESCAPE = re.compile(r"~(?![01])")


def parse(data: bytes) -> list[Any]:
    """The operations of a patch body; decimals keep their digits. Raises BadSyntax, TooLarge."""
    return json_codec.decode_array(data)


def apply(resource: dict[str, Any], patch: Any) -> dict[str, Any]:
    """``resource`` with the operations of ``patch`` (decoded JSON) applied, all or none; the input is not changed.

    Lists and objects that the patch leaves empty go away with it, as FHIR's JSON has no empty ones.
    Raises BadSyntax for a malformed patch and BusinessRule when an operation does not fit.
    """
    if not isinstance(patch, list):
        raise BadSyntax("A JSON Patch is an array of operations")
    if len(patch) > MAX_OPERATIONS:
        raise BadSyntax(f"A patch may have {MAX_OPERATIONS} operations, this one has {len(patch)}")
    document = _Document(copied(resource))
    watch = Stopwatch()
    for number, operation in enumerate(patch, 1):
        watch.check()
        _apply_one(document, number, operation)
    return same_type(resource, document.tidy())


def _apply_one(document: "_Document", number: int, operation: Any) -> None:
    kind = operation.get("op") if isinstance(operation, dict) else None
    path = operation.get("path") if isinstance(operation, dict) else None
    place = Place(number, kind if isinstance(kind, str) else "", path if isinstance(path, str) else "")
    if not isinstance(operation, dict) or not isinstance(path, str):
        raise place.malformed("expected an object with op and path")
    if not isinstance(kind, str) or kind not in _OPERATIONS:
        raise place.malformed(f"op must be one of {', '.join(_OPERATIONS)}")
    row = _OPERATIONS[kind]
    if row.needs and row.needs not in operation:
        raise place.malformed(f"{kind} needs the member {row.needs!r}")
    row.run(document, place, _pointer(place, path), operation)


def _pointer(place: Place, text: Any) -> tuple[str, ...]:
    """The reference tokens of a JSON Pointer."""
    if not isinstance(text, str) or (text and not text.startswith("/")) or _BAD_ESCAPE.search(text):
        raise place.malformed(f"{text!r} is no JSON Pointer; it starts with '/', with ~0 for ~ and ~1 for /")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:])


class _Document:
    """The JSON under change. ``emptied`` are lists and objects that lost a value."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.copied = 0
        self.emptied: dict[int, Any] = {}

    def get(self, place: Place, pointer: tuple[str, ...]) -> Any:
        found = self.root
        for token in pointer:
            found = found[_member(place, found, token)]
        return found

    def add(self, place: Place, pointer: tuple[str, ...], value: Any) -> None:
        if not pointer:
            self.root = value
            return
        holder = self.get(place, pointer[:-1])
        if isinstance(holder, list):
            holder.insert(_insertion(place, holder, pointer[-1]), value)
        elif isinstance(holder, dict):
            holder[pointer[-1]] = value
        else:
            raise place.refused("the parent is neither an object nor an array")

    def remove(self, place: Place, pointer: tuple[str, ...]) -> Any:
        if not pointer:
            raise place.refused("the whole resource cannot be removed by a patch")
        holder = self.get(place, pointer[:-1])
        member = _member(place, holder, pointer[-1])
        self.emptied[id(holder)] = holder
        return holder.pop(member)

    def replace(self, place: Place, pointer: tuple[str, ...], value: Any) -> None:
        if not pointer:
            self.root = value
            return
        holder = self.get(place, pointer[:-1])
        holder[_member(place, holder, pointer[-1])] = value

    def copy(self, place: Place, value: Any) -> Any:
        self.copied += size(value)
        if self.copied > MAX_COPIED:
            raise place.refused("the patch copies too much")
        return copied(value)

    def tidy(self) -> Any:
        """The document without what removals left empty."""
        return self._tidied(self.root) if self.emptied else self.root

    def _tidied(self, value: Any) -> Any:
        if not isinstance(value, (dict, list)):
            return value
        for key, part in list(value.items() if isinstance(value, dict) else enumerate(value)):
            value[key] = self._tidied(part)
        for key in [key for key, part in _members(value) if self._is_left_empty(part)][::-1]:
            del value[key]
            self.emptied[id(value)] = value
        return value

    def _is_left_empty(self, value: Any) -> bool:
        return isinstance(value, (dict, list)) and not value and id(value) in self.emptied


def _members(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items() if isinstance(value, dict) else enumerate(value))


def _member(place: Place, holder: Any, token: str) -> Any:
    """The key or index ``token`` names in ``holder``, which must have it."""
    if isinstance(holder, dict):
        if token not in holder:
            raise place.refused(f"there is no member {token!r}")
        return token
    if not isinstance(holder, list):
        raise place.refused(f"{token!r} is looked for in a value that is neither object nor array")
    index = _number(place, token)
    if index >= len(holder):
        raise place.refused(f"there is no item {index}, the array has {len(holder)}")
    return index


def _insertion(place: Place, holder: list[Any], token: str) -> int:
    index = len(holder) if token == "-" else _number(place, token)
    if index > len(holder):
        raise place.refused(f"item {index} cannot be added, the array has {len(holder)}")
    return index


def _number(place: Place, token: str) -> int:
    if token == "-":
        raise place.refused("'-' is the place after the last item, where nothing is")
    if not _INDEX.fullmatch(token):
        raise place.refused(f"{token!r} is no index of an array")
    return int(token)


# --- Operations ---------------------------------------------------------------------------------------------------


def _add(document: _Document, place: Place, pointer: tuple[str, ...], operation: dict[str, Any]) -> None:
    document.add(place, pointer, document.copy(place, operation["value"]))


def _remove(document: _Document, place: Place, pointer: tuple[str, ...], operation: dict[str, Any]) -> None:
    document.remove(place, pointer)


def _replace(document: _Document, place: Place, pointer: tuple[str, ...], operation: dict[str, Any]) -> None:
    document.replace(place, pointer, document.copy(place, operation["value"]))


def _move(document: _Document, place: Place, pointer: tuple[str, ...], operation: dict[str, Any]) -> None:
    source = _pointer(place, operation["from"])
    if source == pointer:
        document.get(place, source)
        return
    if pointer[: len(source)] == source:
        raise place.refused("a value cannot be moved into itself")
    document.add(place, pointer, document.remove(place, source))


def _copy(document: _Document, place: Place, pointer: tuple[str, ...], operation: dict[str, Any]) -> None:
    source = document.get(place, _pointer(place, operation["from"]))
    document.add(place, pointer, document.copy(place, source))


def _test(document: _Document, place: Place, pointer: tuple[str, ...], operation: dict[str, Any]) -> None:
    if not same_json(document.get(place, pointer), operation["value"]):
        raise place.refused("the value is not the one the patch expects")


def same_json(left: Any, right: Any) -> bool:
    """Equality of JSON values (RFC 6902 section 4.6): numbers by value, never equal to true, false or a string."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    return _kind(left) == _kind(right) and bool(left == right)


def _kind(value: Any) -> type:
    return Decimal if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else type(value)


class _Operation(NamedTuple):
    run: Callable[[_Document, Place, tuple[str, ...], dict[str, Any]], None]
    needs: str = ""


_OPERATIONS = {
    "add": _Operation(_add, "value"),
    "remove": _Operation(_remove),
    "replace": _Operation(_replace, "value"),
    "move": _Operation(_move, "from"),
    "copy": _Operation(_copy, "from"),
    "test": _Operation(_test, "value"),
}
