"""Every error has the shape of an OperationOutcome; unexpected ones tell nothing."""

import logging

import pytest

from fhir_server.http.errors import WrongMethod, error_response, unexpected_response
from resources import errors, json_codec
from resources.errors import FhirError


def kinds(base: type[FhirError]) -> list[type[FhirError]]:
    return [base, *(kind for child in base.__subclasses__() for kind in kinds(child))]


@pytest.mark.parametrize("kind", [k for k in kinds(FhirError) if k.__module__ == errors.__name__])
def test_shape(kind: type[FhirError]) -> None:
    response = error_response(kind("What happened.", expression="Patient.name"))
    outcome = json_codec.decode(response.body)
    assert response.status == kind.status
    assert outcome["resourceType"] == "OperationOutcome"
    [issue] = outcome["issue"]
    assert issue["severity"] == "error"
    assert issue["code"] == kind.code
    assert issue["details"]["text"] == "What happened."
    assert issue["expression"] == ["Patient.name"]


def test_quoted_characters_that_xml_cannot_carry_are_replaced() -> None:
    [issue] = json_codec.decode(error_response(errors.Invalid("a\x0b\ud800\ufffe\tb")).body)["issue"]
    assert issue["details"]["text"] == "a\ufffd\ufffd\ufffd\tb"


def test_headers_by_status() -> None:
    assert ("Retry-After", "2") in error_response(errors.Unavailable("x")).headers
    assert error_response(errors.OutcomeUnknown("x")).headers == []  # nobody sends again by itself what may be there
    assert error_response(errors.LoginRequired("x")).headers[0][0] == "WWW-Authenticate"
    assert error_response(WrongMethod("PUT", ["POST", "GET"])).headers == [("Allow", "GET, POST")]


def test_unexpected_error_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    secret = "Jane Doe 1970-01-01"
    with caplog.at_level(logging.ERROR):
        try:
            raise KeyError(secret)
        except KeyError as error:
            response = unexpected_response(error, "r-17")
    assert response.status == 500
    assert b"r-17" in response.body
    assert secret.encode() not in response.body
    assert b"Traceback" not in response.body
    assert secret not in str(caplog.records[0].__dict__)
    assert "test_errors.py" in caplog.records[0].__dict__["at"]
