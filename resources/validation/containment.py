"""The rules of contained resources: nothing nested, no version of their own, referred to from somewhere.

FHIR R4 contained resources (https://hl7.org/fhir/R4/references.html#contained), invariants dom-2 to dom-5.
"""

import re
from collections.abc import Iterator
from typing import Any

from resources.errors import Issue
from resources.validation.primitives import shown
from resources.validation.scope import Node

_NARRATIVE_LINK = re.compile(r"(?:src|href)\s*=\s*[\"'](#[^\"']+)")
_FORBIDDEN_META = (("versionId", "dom-4"), ("lastUpdated", "dom-4"), ("security", "dom-5"))


def containment_issues(resource: Node, path: str) -> Iterator[Issue]:
    """Every breach of dom-2, dom-3, dom-4 and dom-5 below ``path``, the expression of ``resource``."""
    rows = resource.get("contained")
    if not isinstance(rows, list):
        return
    fragments = fragments_in(resource)
    for index, row in enumerate(rows):
        if isinstance(row, dict):
            place = f"{path}.contained[{index}]"
            yield from _own_issues(row, place)
            yield from _reference_issues(row, place, fragments)


def _own_issues(row: Node, place: str) -> Iterator[Issue]:
    if "contained" in row:
        text = "a contained resource may not contain resources itself; move them up to the outermost resource (dom-2)"
        yield Issue("invariant", f"{place}.contained: {text}", f"{place}.contained")
    meta = row.get("meta")
    for name, key in _FORBIDDEN_META:
        if isinstance(meta, dict) and name in meta:
            text = f"a contained resource has no meta.{name} of its own; leave it out ({key})"
            yield Issue("invariant", f"{place}.meta.{name}: {text}", f"{place}.meta.{name}")


def _reference_issues(row: Node, place: str, fragments: frozenset[str]) -> Iterator[Issue]:
    if f"#{row.get('id')}" in fragments or "#" in fragments_in(row):
        return
    name = shown(f"#{row.get('id', 'its-id')}")
    text = f"nothing refers to this contained resource; expected a reference {name} (dom-3)"
    yield Issue("invariant", f"{place}: {text}", place)


def fragments_in(node: Any) -> frozenset[str]:
    """Every text below ``node`` that begins with ``#``, without the version, and such links in narratives."""
    found: set[str] = set()
    waiting: list[Any] = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if item[:1] == "#":
                found.add(item.partition("|")[0])
            elif item[:4] == "<div":
                found.update(_NARRATIVE_LINK.findall(item))
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return frozenset(found)
