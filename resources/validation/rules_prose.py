"""Rules that the specification states in words on an element, without a constraint key.

FHIR R4 element definitions; each key is the path of the element whose definition or comment says so.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from resources.definitions import search_param
from resources.validation.nodes import children, descendants, has
from resources.validation.scope import Node, Rule, Scope


def _stated_size(node: Node, scope: Scope) -> bool:
    if "data" not in node or "size" not in node:
        return True
    text = "".join(node["data"].split())
    return bool(node["size"] == len(text) * 3 // 4 - text.count("="))


def _known_questions(node: Node, scope: Scope) -> bool:
    """A question decides about items outside itself, and it must be there."""
    known = {row.get("linkId") for row in descendants(node)}
    return all(used in known and used not in own for used, own in _conditions(children(node, "item")))


def _conditions(items: list[Node]) -> Iterator[tuple[Any, set[Any]]]:
    """Every enableWhen.question with the linkIds of the item it enables and of those below."""
    waiting = list(items)
    while waiting:
        item = waiting.pop()
        waiting.extend(children(item, "item"))
        used = children(item, "enableWhen", "question")
        own = {item.get("linkId"), *(row.get("linkId") for row in descendants(item))} if used else set()
        yield from ((name, own) for name in used)


def _base_as_derived(node: Node, scope: Scope) -> bool:
    try:
        wider = set(search_param(node.get("derivedFrom", "").partition("|")[0]).base)
    except KeyError:
        return True
    return bool(wider & {"Resource", "DomainResource"}) or set(node.get("base", ())) <= wider


PROSE: Mapping[str, Mapping[str, Rule]] = {
    "Attachment": {
        "Attachment.size": Rule(_stated_size, "expected size to be the number of bytes that data decodes to")
    },
    "CodeSystem": {
        "CodeSystem.supplements": Rule(
            lambda n, s: not has(n, "supplements") or n.get("content") == "supplement",
            "a code system that supplements another has the content 'supplement'",
        )
    },
    "Questionnaire": {
        "Questionnaire.item.enableWhen.question": Rule(
            _known_questions, "enableWhen.question names the linkId of a question that is not inside the item itself"
        )
    },
    "SearchParameter": {
        "SearchParameter.derivedFrom": Rule(
            _base_as_derived, "base holds only types of the search parameter that this one is derived from"
        )
    },
}
