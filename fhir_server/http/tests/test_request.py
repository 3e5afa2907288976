"""Requests as parsed from a WSGI environ."""

import io
from typing import Any

import pytest

from fhir_server.http.request import Request, client_address, parse_query, parse_request, request_id, split_url
from resources.errors import BadSyntax


def parsed(path: str, method: str = "GET", query: str = "", **headers: Any) -> Request:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": io.BytesIO(),
        **headers,
    }
    return parse_request(environ, "r1")


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/fhir", ()),
        ("/fhir/", ()),
        ("/fhir/Patient", ("Patient",)),
        ("/fhir/Patient/1/", ("Patient", "1")),
        ("/fhir/Patient/1/_history/2", ("Patient", "1", "_history", "2")),
        ("/fhir/Patient//1", ("Patient", "", "1")),
    ],
)
def test_segments(path: str, segments: tuple[str, ...]) -> None:
    assert parsed(path).segments == segments


def test_head_is_a_get() -> None:
    assert parsed("/fhir/Patient/1", "HEAD").method == "GET"


def test_query_keeps_order_and_blanks() -> None:
    assert parsed("/fhir/Patient", query="b=1&a=&b=2%2C3").query == (("b", "1"), ("a", ""), ("b", "2,3"))


def test_param_is_the_last() -> None:
    request = parsed("/fhir/Patient", query="a=1&a=2")
    assert (request.param("a"), request.param("b")) == ("2", "")


def test_path_in_utf8() -> None:
    assert parsed("/fhir/" + "Pätient".encode().decode("latin-1")).segments == ("Pätient",)
    with pytest.raises(BadSyntax):
        parsed("/fhir/\xff")


def test_query_that_is_no_utf8_or_endless() -> None:
    with pytest.raises(BadSyntax, match="UTF-8"):
        parse_query("a=%ff")
    with pytest.raises(BadSyntax, match="10000"):
        parse_query("&".join(["a=1"] * 10_001))


@pytest.mark.parametrize("id", ["abc-1.2_3", "A" * 64])
def test_request_id_is_kept(id: str) -> None:
    assert request_id({"HTTP_X_REQUEST_ID": id}) == id


@pytest.mark.parametrize("id", ["", "a b", "a\r\nSet-Cookie: x", 'a"', "A" * 65, "-a", "ä"])
def test_harmful_request_id_is_replaced(id: str) -> None:
    found = request_id({"HTTP_X_REQUEST_ID": id})
    assert found != id
    assert found.isalnum()


def test_headers_and_address() -> None:
    request = parsed("/fhir", HTTP_IF_MATCH='W/"1"', CONTENT_TYPE="text/plain", REMOTE_ADDR="10.0.0.1")
    assert request.header("IF_MATCH") == 'W/"1"'
    assert request.header("ACCEPT") == ""
    assert request.content_type == "text/plain"
    assert client_address(request.environ) == "10.0.0.1"


def test_split_url() -> None:
    assert split_url("Patient?identifier=a%7Cb") == (("Patient",), (("identifier", "a|b"),))
    assert split_url("Patient/a%20b") == (("Patient", "a b"), ())
    assert split_url("?_type=Patient") == ((), (("_type", "Patient"),))
    with pytest.raises(BadSyntax):
        split_url("Patient/%ff")


@pytest.mark.parametrize("query", ["access_token=x", "a=b&access_token=", "access%5Ftoken=x"])
def test_a_token_in_an_address_is_refused_and_not_repeated(query: str) -> None:
    with pytest.raises(BadSyntax) as refused:
        parsed("/fhir/Patient", QUERY_STRING=query)
    assert "Authorization" in str(refused.value)
