"""Responses."""

from fhir_server.http.response import FHIR_JSON, STATUS_LINES, Response


def test_every_status_has_a_line() -> None:
    assert STATUS_LINES[201] == "201 Created"
    assert STATUS_LINES[412] == "412 Precondition Failed"


def test_a_response_is_fhir_json_unless_said_otherwise() -> None:
    assert Response(200, b"{}").content_type == FHIR_JSON
