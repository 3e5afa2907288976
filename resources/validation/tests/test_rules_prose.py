"""Rules that the specification states in words."""

from typing import Any

import pytest

from resources.validation.rules_prose import PROSE
from resources.validation.scope import Scope


def _holds(type_name: str, node: dict[str, Any]) -> bool:
    return all(rule.holds(node, Scope(node)) for rule in PROSE[type_name].values())


def test_attachment_size() -> None:
    assert _holds("Attachment", {"data": "aGVs\nbG8=", "size": 5})
    assert not _holds("Attachment", {"data": "aGVsbG8=", "size": 8})
    assert _holds("Attachment", {"size": 8})


@pytest.mark.parametrize(("question", "holds"), [("1", True), ("2", False), ("3", False), ("4", False)])
def test_enable_when_names_an_outside_question(question: str, holds: bool) -> None:
    inner = {"linkId": "3", "type": "string"}
    item = {"linkId": "2", "type": "group", "enableWhen": [{"question": question}], "item": [inner]}
    assert _holds("Questionnaire", {"item": [{"linkId": "1"}, item]}) is holds


def test_supplements() -> None:
    assert _holds("CodeSystem", {"supplements": "http://x", "content": "supplement"})
    assert not _holds("CodeSystem", {"supplements": "http://x", "content": "complete"})


def test_derived_search_parameters() -> None:
    derived = "http://hl7.org/fhir/SearchParameter/Organization-name"
    assert _holds("SearchParameter", {"derivedFrom": derived, "base": ["Organization"]})
    assert not _holds("SearchParameter", {"derivedFrom": derived, "base": ["Patient"]})
    assert _holds("SearchParameter", {"derivedFrom": "http://x.org/own", "base": ["Patient"]})
