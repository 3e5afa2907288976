"""Whether what was read back is what was sent, when ids are new and references were rewritten.

A resource is its content without id, meta and the text of references; a reference is the content of what it points to.
Both sides are coloured by that, a few links deep, and the colours must be the same, as often.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

Resource = dict[str, Any]
DEPTH = 3
_ELSEWHERE = ("id", "meta")


class Node(NamedTuple):
    """A resource in the graph: ``label`` to speak of it, ``content`` canonical, ``targets`` keys of other nodes."""

    label: str
    content: str
    targets: tuple[str, ...]


def sent_nodes(bundles: Iterable[Resource], spaces: bool = True) -> dict[str, Node]:
    """The resources of ``bundles`` as nodes; full URLs are looked up in the same Bundle, criteria in all of them.

    Without ``spaces`` the white space of narratives does not count: programs that lay out XML change it.
    """
    bundles = list(bundles)
    by_identifier = dict(_identified(bundles))
    nodes: dict[str, Node] = {}
    for number, bundle in enumerate(bundles):
        own = {entry["fullUrl"] for entry in bundle["entry"]}

        def find(text: str, number: int = number, own: set[str] = own) -> str | None:
            return f"{number} {text}" if text in own else by_identifier.get(text)

        for entry in bundle["entry"]:
            nodes[f"{number} {entry['fullUrl']}"] = _node(entry["resource"], find, spaces)
    return nodes


def stored_nodes(resources: Iterable[Resource], spaces: bool = True) -> dict[str, Node]:
    """The stored resources as nodes; relative references are looked up among them."""
    found = {f"{resource['resourceType']}/{resource['id']}": resource for resource in resources}
    return {
        key: _node(resource, lambda text: text if text in found else None, spaces) for key, resource in found.items()
    }


def differences(sent: Mapping[str, Node], stored: Mapping[str, Node]) -> list[str]:
    """What is on one side only, in words; empty when both are the same."""
    ours, theirs = _colours(sent), _colours(stored)
    left, right = Counter(ours.values()), Counter(theirs.values())
    return [
        f"{words} {nodes[key].label} ({key})"
        for words, nodes, colours, over in (
            ("not read back:", sent, ours, left - right),
            ("not sent:", stored, theirs, right - left),
        )
        for key, colour in colours.items()
        if over[colour]
    ]


def _identified(bundles: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    for number, bundle in enumerate(bundles):
        for entry in bundle["entry"]:
            for identifier in _listed(entry["resource"].get("identifier")):
                criteria = f"identifier={identifier.get('system', '')}|{identifier.get('value', '')}"
                yield f"{entry['resource']['resourceType']}?{criteria}", f"{number} {entry['fullUrl']}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _node(resource: Resource, find: Callable[[str], str | None], spaces: bool) -> Node:
    targets: list[str] = []
    body = {name: value for name, value in resource.items() if name not in _ELSEWHERE}
    if not spaces and "text" in body:
        body["text"] = body["text"] | {"div": "".join(body["text"]["div"].split())}
    content = json.dumps(_masked(body, find, targets), sort_keys=True)
    return Node(resource["resourceType"], content, tuple(targets))


def _masked(value: Any, find: Callable[[str], str | None], targets: list[str]) -> Any:
    """``value`` with references that lead to a node replaced by a mark; the nodes are added to ``targets`` in order."""
    if isinstance(value, list):
        return [_masked(item, find, targets) for item in value]
    if not isinstance(value, dict):
        return value
    masked = {}
    for name in sorted(value):
        text = value[name]
        target = find(text) if name == "reference" and isinstance(text, str) else None
        targets += [target] if target else []
        masked[name] = "(a node)" if target else _masked(text, find, targets)
    return masked


def _colours(nodes: Mapping[str, Node]) -> dict[str, str]:
    colours = {key: _digest(node.content) for key, node in nodes.items()}
    for _ in range(DEPTH):
        colours = {
            key: _digest(colours[key] + "".join(colours[target] for target in node.targets))
            for key, node in nodes.items()
        }
    return colours


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
