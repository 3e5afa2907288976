"""The functions FHIR adds."""

from typing import Any

import pytest

from resources.fhirpath import PathExecutionError, compile, evaluate
from resources.fhirpath.tests.sample import PATIENT


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("birthDate.extension('http://example.org/time').value.toString()", ["1974-12-25T14:35:45-05:00"]),
        ("birthDate.hasValue() and name.hasValue().not() and name.first().hasValue().not()", [True]),
        ("birthDate.getValue() is System.Date or birthDate.getValue() = '1974-12-25'", [True]),
        ("name.getValue()", []),
        ("active.type().name | 1.type().namespace", ["boolean", "System"]),
        ("managingOrganization.resolve().name", ["Ward"]),
        ("'Organization/9'.resolve()", []),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/DomainResource')", [True]),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/Person')", [False]),
    ],
)
def test_results(expression: str, result: list[Any]) -> None:
    assert evaluate(expression, PATIENT) == result


@pytest.mark.parametrize("expression", ["id.memberOf('http://example.org')", "conformsTo('http://example.org')"])
def test_what_needs_a_server_says_so(expression: str) -> None:
    with pytest.raises(PathExecutionError):
        evaluate(expression, PATIENT)


def test_references_within_a_bundle() -> None:
    organization = {"resourceType": "Organization", "id": "1"}
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"fullUrl": "urn:uuid:a", "resource": organization}, {"resource": PATIENT}],
    }
    resolve = compile("'urn:uuid:a'.resolve() | 'Organization/1'.resolve()")
    assert resolve(PATIENT, resource=PATIENT, root=bundle) == [organization]


@pytest.mark.parametrize(("body", "safe"), [("<b>hello</b>", True), ("<script>x()</script>", False), ("", False)])
def test_html_checks(body: str, safe: bool) -> None:
    narrative = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'}
    assert compile("`div`.htmlChecks()", "Narrative")(narrative) == [safe]
