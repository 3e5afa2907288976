"""Cross-origin requests."""

from fhir_server.http.cors import Cors

PREFLIGHT = {
    "REQUEST_METHOD": "OPTIONS",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "PUT",
    "HTTP_ORIGIN": "https://a.example",
}


def test_any_origin() -> None:
    headers = dict(Cors(["*"]).headers("https://a.example"))
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in headers["Access-Control-Expose-Headers"]


def test_listed_origin() -> None:
    cors = Cors(["https://a.example"])
    assert dict(cors.headers("https://a.example"))["Access-Control-Allow-Origin"] == "https://a.example"
    assert cors.headers("https://b.example") == [("Vary", "Origin")]


def test_preflight() -> None:
    response = Cors(["*"]).preflight(PREFLIGHT)
    assert response is not None
    headers = dict(response.headers)
    assert response.status == 204
    assert "PATCH" in headers["Access-Control-Allow-Methods"]
    assert "If-None-Exist" in headers["Access-Control-Allow-Headers"]


def test_other_requests_are_no_preflight() -> None:
    assert Cors(["*"]).preflight({"REQUEST_METHOD": "OPTIONS"}) is None
    assert Cors(["*"]).preflight({**PREFLIGHT, "REQUEST_METHOD": "GET"}) is None
