"""Format, _pretty and compression."""

import gzip

import pytest

from fhir_server.http.finish import compress, render, takes_gzip
from fhir_server.http.negotiation import Format
from fhir_server.http.response import FHIR_XML, Response

DOC = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}'


def test_json_leaves_as_stored() -> None:
    response = Response(200, DOC)
    render(response, Format.JSON, "")
    assert response.body is DOC


def test_pretty_keeps_decimals() -> None:
    response = Response(200, DOC)
    render(response, Format.JSON, "true")
    assert b'  "valueQuantity": {\n    "value": 1.00\n  }' in response.body


def test_xml() -> None:
    response = Response(200, DOC)
    render(response, Format.XML, "")
    assert response.content_type == FHIR_XML
    assert b'<value value="1.00"/>' in response.body


def test_raw_content_is_not_rendered() -> None:
    response = Response(200, b"%PDF", content_type="application/pdf")
    render(response, Format.XML, "true")
    assert response.body == b"%PDF"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("br", False),
        ("", False),
        ("*;q=0", False),
    ],
)
def test_takes_gzip(header: str, expected: bool) -> None:
    assert takes_gzip(header) is expected


def test_large_text_is_packed() -> None:
    response = Response(200, DOC * 20)
    compress(response, "gzip")
    assert ("Content-Encoding", "gzip") in response.headers
    assert gzip.decompress(response.body) == DOC * 20


@pytest.mark.parametrize(("body", "type"), [(DOC, "application/json"), (b"\0" * 5000, "image/png")])
def test_small_or_other_content_is_not_packed(body: bytes, type: str) -> None:
    response = Response(200, body, content_type=type)
    compress(response, "gzip")
    assert (response.body, response.headers) == (body, [])
