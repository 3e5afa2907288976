"""XML Patch on resources."""

from copy import deepcopy
from typing import Any

import pytest

from resources.errors import BadSyntax, BusinessRule, FhirError
from resources.patch import xml_patch
from resources.patch.xml_selector import FHIR

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "1",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Ada</p></div>'},
    "active": True,
    "name": [{"use": "official", "given": ["Ada", "Ida"]}],
    "birthDate": "1974-12-25",
}


def _applied(operations: str, root: str = f'<diff xmlns="{FHIR}">') -> dict[str, Any]:
    before = deepcopy(PATIENT)
    result = xml_patch.apply(PATIENT, f"{root}{operations}</diff>".encode())
    assert before == PATIENT
    return result


def test_nothing() -> None:
    assert _applied("") == PATIENT


def test_add() -> None:
    added = _applied('<add sel="f:Patient/f:birthDate" pos="before"><gender value="female"/></add>')
    assert added["gender"] == "female"
    given = '<add sel="f:Patient/f:name/f:given[1]" pos="after"><given value="Eva"/></add>'
    assert _applied(given)["name"][0]["given"] == ["Ada", "Eva", "Ida"]
    named = '<add sel="f:Patient/f:name"><period><start value="2000"/></period></add>'
    assert _applied(named)["name"][0]["period"] == {"start": "2000"}
    assert _applied('<add sel="f:Patient/f:name" type="@id">n1</add>')["name"][0]["id"] == "n1"
    first = '<add sel="f:Patient" pos="prepend"><id value="2"/></add>'
    assert _applied('<remove sel="f:Patient/f:id"/>' + first)["id"] == "2"


def test_replace() -> None:
    assert _applied('<replace sel="f:Patient/f:birthDate/@value">1975</replace>')["birthDate"] == "1975"
    assert _applied('<replace sel="f:Patient/f:active"><active value="false"/></replace>')["active"] is False
    told = _applied('<replace sel="f:Patient/f:text/h:div/h:p/text()">Eva</replace>')
    assert "<p>Eva</p>" in told["text"]["div"]


def test_remove() -> None:
    assert "birthDate" not in _applied('<remove sel="f:Patient/f:birthDate"/>')
    assert _applied("<remove sel=\"f:Patient/f:name/f:given[@value='Ada']\" ws='both'/>")["name"][0]["given"] == ["Ida"]


def test_without_namespaces() -> None:
    patch = '<add sel="Patient/birthDate" pos="before"><gender value="female"/></add>'
    assert _applied(patch, "<diff>")["gender"] == "female"


def test_comments_are_not_kept_so_nothing_changes() -> None:
    assert _applied('<remove sel="f:Patient/comment()[1]"/>') == PATIENT
    assert _applied('<add sel="f:Patient" type="namespace::x">urn:x</add>') == PATIENT


@pytest.mark.parametrize(
    "operation",
    [
        '<remove sel="f:Patient/f:gender"/>',
        '<remove sel="f:Patient/f:name/f:given"/>',
        '<remove sel="f:Patient"/>',
        '<add sel="f:Patient/f:gender"><extension/></add>',
        '<add sel="f:Patient" pos="after"><id value="2"/></add>',
        '<add sel="f:Patient/f:birthDate" type="@value">1</add>',
        '<replace sel="f:Patient/f:gender/@value">male</replace>',
        '<replace sel="f:Patient"><Person/></replace>',
    ],
)
def test_what_does_not_fit(operation: str) -> None:
    with pytest.raises(BusinessRule):
        _applied(operation)


@pytest.mark.parametrize(
    "operation",
    [
        '<change sel="f:Patient"/>',
        "<remove/>",
        '<remove sel="//f:name"/>',
        '<remove sel="f:Patient/f:active" ws="none"/>',
        '<add sel="f:Patient" pos="middle"><id value="2"/></add>',
        '<add sel="f:Patient/f:active" type="value">1</add>',
        '<add sel="f:Patient/f:active" type="@q:value">1</add>',
        '<add sel="f:Patient/f:active" type="@1 2">1</add>',
        '<add sel="f:Patient/f:active" type="@"/>',
        '<add sel="f:Patient/f:active/@value">1</add>',
        '<replace sel="f:Patient/f:active/@value"><b/></replace>',
        '<replace sel="f:Patient/f:active">true</replace>',
        '<other:add xmlns:other="urn:o" sel="f:Patient"/>',
    ],
)
def test_what_is_no_patch(operation: str) -> None:
    with pytest.raises(BadSyntax):
        _applied(operation)


@pytest.mark.parametrize(
    "patch",
    [
        b"",
        b"<diff>",
        b"\xff",
        b'<!DOCTYPE diff [<!ENTITY a "aaaa">]><diff/>',
        b'<!DOCTYPE diff SYSTEM "file:///etc/passwd"><diff/>',
        b"<diff" + b"<a>" * 10_000,
    ],
)
def test_what_is_no_xml(patch: bytes) -> None:
    with pytest.raises(BadSyntax):
        xml_patch.apply(PATIENT, patch)


def test_results_that_are_no_fhir_are_refused() -> None:
    with pytest.raises(FhirError):
        _applied('<add sel="f:Patient"><nonsense value="1"/></add>')
