"""The literal references of a resource, and the FHIRPaths of their elements.

FHIR R4 Reference.reference (https://hl7.org/fhir/R4/references.html). What lies inside the entries of a Bundle or the
parts of a Parameters refers within them and is left out; so are references to contained resources.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from resources import json_codec

_Path = tuple[Any, ...]
"""Linked from the root to the leaf: (property or index, the rest); made on the way back, where something was found."""

_Found = list[tuple[_Path, str]]

_SELF_CONTAINED = frozenset({"Bundle", "Parameters"})


_NAME = b'"reference":"'
_WRITTEN = re.compile(_NAME + rb'([^"\\]*)"')


def references(type: str, document: bytes) -> tuple[str, ...]:
    """The reference texts of a resource of ``type`` as `json_codec.encode` wrote it, in its order.

    Read off the bytes: a quote within a text is escaped there, so nothing but a property looks like one.
    """
    if type in _SELF_CONTAINED:
        return ()
    found = _WRITTEN.findall(document)
    if len(found) != document.count(_NAME):  # one of them is escaped
        return tuple(text for _, text in placed_references(json_codec.decode_stored(document)))
    return tuple(text.decode() for text in found if text[:1] != b"#")


def placed_references(resource: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
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
