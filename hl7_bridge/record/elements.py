"""The elements of a resource as units that are stated, compared and replaced: choices as one, extensions by url.

FHIR R4 JSON (https://hl7.org/fhir/R4/json.html): ``_name`` belongs to ``name``, ``deceasedBoolean`` to deceased[x].
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec

from hl7_bridge.mapping.model import Resource
from resources.definitions import type_def

Part = dict[str, Any]
"""The JSON properties of one element."""

_OUTSIDE = frozenset({"resourceType", "id", "meta"})
_BY_URL = ("extension", "modifierExtension")
_SETS = {("DiagnosticReport", "result"), ("Observation", "hasMember")}
_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


def canonical(value: Any) -> bytes:
    """``value`` as JSON whose properties are in one order; decimals as they are written."""
    return _encode(value)


def digest(value: bytes | str, secret: bytes = b"") -> str:
    """16 hexadecimal digits for ``value``; with ``secret`` nobody else can tell which value it was."""
    data = value.encode() if isinstance(value, str) else value
    return hashlib.blake2b(data, digest_size=8, key=secret).hexdigest()


@lru_cache(maxsize=8192)
def element(type: str, name: str) -> str:
    """The element that the property ``name`` belongs to: ``deceased[x]``, ``birthDate``."""
    name = name.removeprefix("_")
    found = type_def(type).elements.get(name)
    return f"{found.choice}[x]" if found and found.choice else name


def is_set(type: str, name: str) -> bool:
    """Whether the items of ``name`` are stated one by one, and none is lost because a statement leaves it out."""
    return name == "identifier" or (type, name) in _SETS


def parts(resource: Resource) -> dict[str, Part]:
    """``resource`` by element; an extension is ``extension:`` and its url. Identity and meta are left out."""
    type, found = resource["resourceType"], dict[str, Part]()
    for name, value in resource.items():
        if name in _OUTSIDE:
            continue
        if name in _BY_URL:
            for each in value:
                found.setdefault(f"{name}:{each.get('url', '')}", {name: []})[name].append(each)
        else:
            found.setdefault(element(type, name), {})[name] = value
    return found


def replace(resource: Resource, name: str, part: Part | None) -> None:
    """Let element ``name`` of ``resource`` be ``part``, or be gone."""
    holder, _, url = name.partition(":")
    if url or holder in _BY_URL:
        _replace_extension(resource, holder, url, part)
        return
    if name.endswith("[x]"):
        type = resource["resourceType"]
        for old in [old for old in resource if old not in _OUTSIDE and element(type, old) == name]:
            del resource[old]
    else:
        resource.pop(name, None)
        resource.pop(f"_{name}", None)
    resource.update(part or {})


def _replace_extension(resource: Resource, holder: str, url: str, part: Part | None) -> None:
    kept = [each for each in resource.get(holder, ()) if each.get("url", "") != url]
    items = sorted(kept + (part or {}).get(holder, []), key=lambda each: str(each.get("url", "")))
    if items:
        resource[holder] = items
    else:
        resource.pop(holder, None)


def items(resource: Resource, name: str) -> list[Any]:
    """The items of an element that repeats."""
    found = resource.get(name, [])
    return found if isinstance(found, list) else [found]


def item_key(item: Any) -> str:
    """What an item of a set is known by: an Identifier's system and value, a Reference's target."""
    if "reference" in item:
        return str(item["reference"])
    inner = item.get("identifier", item)
    return f"{inner.get('system', '')}|{inner.get('value', '')}"


def mapped_references(resource: Resource, change: Callable[[Resource], Resource]) -> Resource:
    """``resource`` with ``change`` applied to every object that can be a Reference; ``change`` returns what it was
    given to leave it. What holds no change is shared with ``resource``, which stays as it is."""
    return _changed(resource, change) or resource


def stated_references(resource: Resource, change: Callable[[Resource], Resource]) -> Resource:
    """The same of a resource as maps make it: their extensions hold no references, so that only elements are looked
    into whose datatypes do."""
    may = _referring(resource["resourceType"])
    made: Resource | None = None
    for name in resource.keys() & may:
        inner = resource[name]
        new = _changed_items(inner, change) if type(inner) is list else _changed(inner, change)
        if new is not None:
            made = made or {**resource}
            made[name] = new
    return made or resource


@lru_cache(maxsize=1024)
def _referring(type: str) -> frozenset[str]:
    """The properties of ``type`` that may hold a Reference, at whatever depth."""
    return frozenset(name for name, one in type_def(type).elements.items() if _may_refer(one.type, frozenset((type,))))


def _may_refer(type: str, above: frozenset[str]) -> bool:
    if type in ("Reference", "Identifier", "Resource"):
        return True
    if type in above or type in ("Extension", "") or not type[0].isupper():
        return False
    try:
        inner = type_def(type).elements.values()
    except KeyError:  # a resource inside, or the content of another element
        return True
    return any(_may_refer(one.type, above | {type}) for one in inner)


def _changed(holder: Resource, change: Callable[[Resource], Resource]) -> Resource | None:
    """None when nothing in ``holder`` changed: most objects of a resource hold no reference."""
    made: Resource | None = None
    for name, inner in holder.items():
        kind = type(inner)
        if kind is str:  # most are
            continue
        new = _changed(inner, change) if kind is dict else _changed_items(inner, change) if kind is list else None
        if new is not None:
            made = made or {**holder}
            made[name] = new
    if "reference" not in holder and "identifier" not in holder:
        return made
    given = made or holder
    answer = change(given)
    return made if answer is given else answer


def _changed_items(items: list[Any], change: Callable[[Resource], Resource]) -> list[Any] | None:
    made: list[Any] | None = None
    for place, inner in enumerate(items):
        new = _changed(inner, change) if type(inner) is dict else None
        if new is not None:
            made = made or [*items]
            made[place] = new
    return made


def unite_meta(resource: Resource, stated: Resource) -> None:
    """Add profiles, labels and tags that ``stated`` has; none is taken away."""
    if "meta" not in stated:
        return
    for name in ("profile", "security", "tag"):
        old: list[Any] = resource.get("meta", {}).get(name, [])
        known = {canonical(each) for each in old}
        new = [each for each in stated.get("meta", {}).get(name, ()) if canonical(each) not in known]
        if new:
            resource["meta"] = {**resource.get("meta", {}), name: sorted(old + new, key=canonical)}


def same(one: Resource, other: Resource) -> bool:
    """Whether they say the same, whoever said it and when."""
    return canonical(_said(one)) == canonical(_said(other))


def _said(resource: Resource) -> Resource:
    meta = {name: value for name, value in resource.get("meta", {}).items() if name in ("profile", "security", "tag")}
    return {**resource, "id": "", "meta": meta}
