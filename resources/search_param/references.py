"""The literal references of a resource, each with the FHIRPath of its element.

FHIR R4 Reference.reference (https://hl7.org/fhir/R4/references.html). What lies inside the entries of a Bundle or the
parts of a Parameters refers within them and is left out; so are references to contained resources.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

_Path = tuple[Any, ...]
"""Linked from the leaf to the root: (path of the holder, property or index)."""

_SELF_CONTAINED = frozenset({"Bundle", "Parameters"})


def references(resource: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """All (FHIRPath, reference text) of a resource, extensions and contained resources included."""
    type = resource.get("resourceType", "")
    if type in _SELF_CONTAINED:
        return ()
    found: list[tuple[_Path, str]] = []
    _walk(resource, (), found)
    return tuple((_text(type, path), text) for path, text in found)


def _walk(holder: Mapping[str, Any], path: _Path, found: list[tuple[_Path, str]]) -> None:
    for name, value in holder.items():
        kind = type(value)
        if kind is str:  # most are, so they are asked first
            if name == "reference" and value[:1] != "#":
                found.append(((path, name), value))
        elif kind is dict:
            _walk(value, (path, name), found)
        elif kind is list:
            for place, item in enumerate(value):
                if type(item) is dict:
                    _walk(item, ((path, name), place), found)


@lru_cache(maxsize=8192)
def _text(type: str, path: _Path) -> str:
    return type + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in reversed(list(_parts(path))))


def _parts(path: _Path) -> Iterator[str | int]:
    while path:
        path, part = path
        yield part
