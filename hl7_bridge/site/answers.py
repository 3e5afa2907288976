"""Answers to unmapped codes: they join the sender's code tables at once, and stand in the record as a ConceptMap.

FHIR R4 ConceptMap (https://hl7.org/fhir/R4/conceptmap.html), so that ``$translate`` gives what the bridge gives.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from hl7_bridge.mapping.reading import LOCAL, quoted
from hl7_bridge.site.model import DEFAULT, Coding, Sender, Site

URL = "https://hearth.health/v2"
"""Begins the url of every ConceptMap of answers."""


class Item(Protocol):
    """A row of the worklist: a ``code`` that ``sender`` uses in ``source`` (HL7 table or field), ``answer`` as JSON."""

    @property
    def sender(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def answer(self) -> str: ...


Codes = dict[str, dict[str, Coding]]


class Senders:
    """The senders of ``site`` by name, with the answers people gave; those of the site's files come first."""

    def __init__(self, site: Site, answered: Callable[[], Iterable[Item]]) -> None:
        self._files = {sender.name: sender for sender in (*site.senders, DEFAULT)}
        self._answered = answered
        self._answers: Mapping[str, Codes] = {}
        self._known = dict(self._files)

    def __call__(self, name: str) -> Sender | None:
        return self._known.get(name)

    def refresh(self) -> None:
        """Take up new answers. Raises resources.errors.Unavailable; then what was known stays."""
        answers = _by_sender(self._answered())
        if answers == self._answers:
            return
        self._known = {name: _with(sender, answers.get(name, {})) for name, sender in self._files.items()}
        self._answers = answers


def _by_sender(items: Iterable[Item]) -> dict[str, Codes]:
    found: dict[str, Codes] = defaultdict(lambda: defaultdict(dict))
    for item in items:
        found[item.sender][item.source][item.code] = coding(item)
    return {sender: {source: dict(codes) for source, codes in tables.items()} for sender, tables in found.items()}


def coding(item: Item) -> Coding:
    """The answer of ``item``."""
    return msgspec.json.decode(item.answer, type=Coding)


def _with(sender: Sender, answers: Codes) -> Sender:
    tables = {*sender.codes, *answers}
    return msgspec.structs.replace(
        sender, codes={table: {**answers.get(table, {}), **sender.codes.get(table, {})} for table in tables}
    )


def concept_map(sender: str, source: str, items: Sequence[Item]) -> dict[str, Any]:
    """The ConceptMap of all answers to codes of ``sender`` in ``source``."""
    targets: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.code):
        targets[coding(item).system].append(item)
    name = f"{quoted(sender)}/{quoted(source)}"
    groups = [
        {"source": f"{LOCAL}{quoted(sender)}:{quoted(source)}", "target": system, "element": list(map(_element, some))}
        for system, some in sorted(targets.items())
    ]
    return {
        "resourceType": "ConceptMap",
        "url": f"{URL}/{name}",
        "title": f"Codes of {sender} in {source}",
        "status": "active",
        **({"group": groups} if groups else {}),
    }


def _element(item: Item) -> dict[str, Any]:
    answer = coding(item)
    target = {"code": answer.code, "display": answer.display, "equivalence": "equivalent"}
    element = {"code": item.code, "display": item.text, "target": [{k: v for k, v in target.items() if v}]}
    return {name: value for name, value in element.items() if value}
