"""What the entries of a Bundle must agree on: requests, responses, full URLs, links and ids.

FHIR R4 Bundle (https://hl7.org/fhir/R4/bundle.html), invariants bdl-3, bdl-4 and bdl-7 and its rules for fullUrl.
"""

import re
from collections.abc import Iterator
from typing import Any

from resources.definitions import RESOURCE_TYPES
from resources.errors import Issue
from resources.literal_reference import ID
from resources.validation.primitives import shown
from resources.validation.scope import Node

_WITH_REQUEST = frozenset(["batch", "transaction", "history"])
_WITH_RESPONSE = frozenset(["batch-response", "transaction-response", "history"])
_REST_URL = re.compile(rf"https?://\S+/([A-Z][A-Za-z]+)/({ID})")
_ONCE = frozenset(["self", "first", "last", "next", "previous", "prev"])


def bundle_issues(bundle: Node, path: str) -> Iterator[Issue]:
    """Every breach of the rules that need the whole Bundle; ``path`` is the expression of ``bundle``."""
    yield from _link_issues(bundle, path)
    kind = bundle["type"] if isinstance(bundle.get("type"), str) else ""
    seen: dict[tuple[str, Any], int] = {}
    for index, entry in enumerate(_objects(bundle.get("entry"))):
        place = f"{path}.entry[{index}]"
        yield from _interaction_issues(entry, place, kind)
        yield from _full_url_issues(entry, place, kind)
        yield from _repeat_issues(entry, index, place, kind, seen)


def _objects(rows: Any) -> list[Node]:
    return [row if isinstance(row, dict) else {} for row in rows] if isinstance(rows, list) else []


def _interaction_issues(entry: Node, place: str, kind: str) -> Iterator[Issue]:
    if not kind:
        return
    for name, kinds, key in (("request", _WITH_REQUEST, "bdl-3"), ("response", _WITH_RESPONSE, "bdl-4")):
        if (name in entry) != (kind in kinds):
            verb = "must have" if kind in kinds else "may not have"
            text = f"an entry of a Bundle of type {shown(kind)} {verb} a {name} ({key})"
            yield Issue("invariant", f"{place}.{name}: {text}", f"{place}.{name}")


def _full_url_issues(entry: Node, place: str, kind: str) -> Iterator[Issue]:
    resource = entry.get("resource")
    identity = resource if isinstance(resource, dict) else {}
    found = kind == "searchset" and identity and identity.get("resourceType") != "OperationOutcome"
    if found and "id" not in identity:
        text = "a resource found by a search must have its id"
        yield Issue("required", f"{place}.resource.id: {text}", f"{place}.resource.id")
    url = entry.get("fullUrl")
    if isinstance(url, str) and url.strip() and ":" not in url and kind not in _WITH_REQUEST:
        text = f"{shown(url)} is relative; expected an absolute URL, or urn:uuid: and a UUID"
        yield Issue("value", f"{place}.fullUrl: {text}", f"{place}.fullUrl")
    named = _REST_URL.fullmatch(url) if isinstance(url, str) else None
    if named is None or named[1] not in RESOURCE_TYPES or not identity or kind in _WITH_REQUEST:
        return
    if (named[1], named[2]) != (identity.get("resourceType"), identity.get("id")):
        own = shown(f"{identity.get('resourceType')}/{identity.get('id', '(no id)')}")
        text = f"the URL ends with {named[1]}/{named[2]} but the resource is {own}; both must say the same"
        yield Issue("value", f"{place}.fullUrl: {text}", f"{place}.fullUrl")


def _repeat_issues(entry: Node, index: int, place: str, kind: str, seen: dict[tuple[str, Any], int]) -> Iterator[Issue]:
    url, resource = entry.get("fullUrl"), entry.get("resource")
    if kind == "history" or not isinstance(url, str):
        return
    meta = resource.get("meta") if isinstance(resource, dict) else None
    version = meta.get("versionId") if isinstance(meta, dict) else None
    first = seen.setdefault((url, str(version)), index)
    if first != index:
        text = f"{shown(url)} is already the fullUrl of entry {first}; each must be unique (bdl-7)"
        yield Issue("invariant", f"{place}.fullUrl: {text}", f"{place}.fullUrl")


def _link_issues(bundle: Node, path: str) -> Iterator[Issue]:
    seen: set[str] = set()
    for index, link in enumerate(_objects(bundle.get("link"))):
        relation = link.get("relation")
        if isinstance(relation, str) and relation in seen and relation in _ONCE:
            text = f"relation '{relation}' is given twice; expected it once"
            yield Issue("value", f"{path}.link[{index}].relation: {text}", f"{path}.link[{index}].relation")
        seen.add(str(relation))
