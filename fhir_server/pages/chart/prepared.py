"""What the patient prepared: the answers to questionnaires before a visit, in their own words and marked as such.

FHIR R4 QuestionnaireResponse.source, status; docs/adr/questionnaires.md. No clinician looked at them.
"""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from fhir_server.pages.chart.found import find
from fhir_server.pages.chart.section import Item, Section
from fhir_server.pages.chart.words import name, when
from resources.questionnaires.told import Line, lines
from resources.repository import Repository

Json = dict[str, Any]

_MOST = 20
_OWN = ("Patient/", "RelatedPerson/")
_WORDS = "own words, not checked by a clinician"


def prepared(repository: Repository, patient: str, zone: tzinfo) -> Section:
    """What was sent last, and behind a fold what was sent before or recorded by others."""
    found = find(
        repository, "QuestionnaireResponse", ("patient", patient), ("status", "completed,amended"),
        ("_include", "QuestionnaireResponse:source"), ("_sort", "-authored"), most=_MOST,
    )  # fmt: skip
    own = [one for one in found.matches if _source(one).startswith(_OWN)]
    last, rest = own[:1], [one for one in found.matches if one not in own[:1]]
    shown, folded = ([item for one in which for item in _items(one, found.included, zone)] for which in (last, rest))
    return Section("prepared", "Prepared by the patient", shown, folded, "earlier answers, or recorded by others",
                   found.more, found.refused)  # fmt: skip


def _source(one: Json) -> str:
    return str(one.get("source", {}).get("reference") or one.get("author", {}).get("reference", ""))


def _items(one: Json, included: dict[str, Json], zone: tzinfo) -> Iterator[Item]:
    source = _source(one)
    who = name(included.get(source)) or ("the patient" if source.startswith("Patient/") else source or "somebody")
    amended = [("Amended", "warn")] if one.get("status") == "amended" else []
    at = when(one.get("authored", ""), zone)
    said = f"{who}'s {_WORDS}" if source.startswith(_OWN) else f"recorded by {who}"
    yield Item(f"Sent {at}" if at else "Sent", [said], amended)
    yield from _answers(lines(one, zone))


def _answers(found: list[Line], depth: int = 0) -> Iterator[Item]:
    """A question by itself, an inner group in one line."""
    for line in found:
        if line.answers:
            yield Item(line.text, line.answers)
            yield from _answers(line.below, depth + 1)
        elif depth:
            yield Item(line.text, [f"{one.text}: {', '.join(one.answers)}" for one in _leaves(line)])
        else:
            yield from _answers(line.below, depth + 1)


def _leaves(line: Line) -> Iterator[Line]:
    for below in line.below:
        if below.answers:
            yield below
        yield from _leaves(below)
