"""What an interaction is given."""

import io
from typing import Any, cast

import pytest

from fhir_server.http.request import Request
from fhir_server.interactions.exchange import Exchange, Service
from resources.errors import BadSyntax, FhirError, TooLarge, UnsupportedMediaType
from resources.repository import Repository


def exchange(
    body: bytes = b"", type: str = "application/fhir+json", lenient: bool = False, prefer: str = ""
) -> Exchange:
    environ = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": type}
    if prefer:
        environ["HTTP_PREFER"] = prefer
    service = Service("https://h.example/fhir", lambda: b"", body_max=1000, lenient=lenient)
    request = Request("POST", ("Patient",), (), environ, "r1")
    return Exchange(request, cast(Repository, None), service, lambda e: cast(Any, None))


def test_resource_in_both_formats() -> None:
    patient = {"resourceType": "Patient", "active": True}
    assert exchange(b'\xef\xbb\xbf{"resourceType":"Patient","active":true}').resource() == patient
    xml = b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>'
    assert exchange(xml, "application/xml").resource() == patient


@pytest.mark.parametrize(
    ("body", "type", "error"),
    [
        (b"", "application/fhir+json", BadSyntax),
        (b"[]", "application/fhir+json", BadSyntax),
        (b"{}", "application/fhir+json", BadSyntax),
        (b'{"resourceType":1}', "application/fhir+json", BadSyntax),
        (b"{}", "text/plain", UnsupportedMediaType),
        (b"{}" + b" " * 1000, "application/fhir+json", TooLarge),
    ],
)
def test_bad_bodies(body: bytes, type: str, error: type[FhirError]) -> None:
    with pytest.raises(error):
        exchange(body, type).resource()


@pytest.mark.parametrize(
    ("setting", "prefer", "expected"),
    [(False, "", False), (True, "", True), (False, "handling=lenient", True), (True, "handling=strict", False)],
)
def test_lenient(setting: bool, prefer: str, expected: bool) -> None:
    assert exchange(lenient=setting, prefer=prefer).lenient is expected
