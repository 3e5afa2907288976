"""The literal references of a resource, each with the FHIRPath of its element.

FHIR R4 Reference.reference (https://hl7.org/fhir/R4/references.html). What lies inside the entries of a Bundle or the
parts of a Parameters refers within them and is left out; so are references to contained resources.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_Path = tuple[Any, ...]
"""Linked from the root to the leaf: (property or index, the rest); made on the way back, where something was found."""

_Found = list[tuple[_Path, str]]

_SELF_CONTAINED = frozenset({"Bundle", "Parameters"})


def references(resource: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """All (FHIRPath, reference text) of a resource, extensions and contained resources included."""
    type = resource.get("resourceType", "")
    if type in _SELF_CONTAINED:
        return ()
    return tuple((_text(type, path), text) for path, text in _walk(resource) or ())


def _walk(holder: Mapping[str, Any]) -> _Found | None:
    """Nearly every node of a resource holds no reference; those cost a look at the type of their values."""
    found: _Found | None = None
    for name, value in holder.items():
        kind = type(value)
        if kind is str:
            if name != "reference" or value[:1] == "#":
                continue
            inner: _Found | None = [((), value)]
        elif kind is dict:
            inner = _walk(value)
        elif kind is list:
            inner = _walk_list(value)
        else:
            continue
        if inner:
            found = found or []
            found += [((name, path), text) for path, text in inner]
    return found


def _walk_list(items: list[Any]) -> _Found | None:
    found: _Found | None = None
    for place, item in enumerate(items):
        if type(item) is dict:
            inner = _walk(item)
            if inner:
                found = found or []
                found += [((place, path), text) for path, text in inner]
    return found


@lru_cache(maxsize=8192)
def _text(type: str, path: _Path) -> str:
    return type + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in _parts(path))


def _parts(path: _Path) -> Iterator[str | int]:
    while path:
        part, path = path
        yield part
