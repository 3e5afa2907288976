"""Responses."""

from fhir_server.http.response import FHIR_JSON, STATUS_LINES, Response


def test_every_status_has_a_line() -> None:
    assert STATUS_LINES[201] == "201 Created"
    assert STATUS_LINES[412] == "412 Precondition Failed"


def test_headers_are_added() -> None:
    response = Response(200, b"{}").with_headers(("ETag", 'W/"1"'))
    assert response.headers == [("ETag", 'W/"1"')]
    assert response.content_type == FHIR_JSON
