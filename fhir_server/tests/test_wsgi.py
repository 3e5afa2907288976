"""The application: pipeline, headers of every answer, errors of every kind in one shape, hostile input."""

import gzip
import json
import logging
import tracemalloc
from time import monotonic, sleep
from typing import Any

import pytest

from fhir_server.conftest import BASE, Client
from fhir_server.http.access_log import AccessLog
from fhir_server.http.cors import Cors
from fhir_server.http.metrics import Metrics
from fhir_server.http.request import Request
from fhir_server.http.this_machine import open_caller
from fhir_server.interactions.dispatch import Dispatcher
from fhir_server.interactions.exchange import Service
from fhir_server.interactions.table import INTERACTIONS
from fhir_server.operations.table import OPERATIONS
from fhir_server.wsgi import Application
from resources import json_codec, xml_codec
from resources.errors import LoginRequired
from resources.repository import Caller

PATIENT = {"resourceType": "Patient", "name": [{"family": "Wsgi"}]}
DEEP = b'{"resourceType":"Patient","a":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
BOMB = gzip.compress(b'{"resourceType":"Patient","a":"' + b"a" * 100_000_000 + b'"}')
XXE = (
    b'<!DOCTYPE P [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    b'<Patient xmlns="http://hl7.org/fhir"><id value="&x;"/></Patient>'
)
LAUGHS = (
    b'<!DOCTYPE P [<!ENTITY a "'
    + b"a" * 1000
    + b'"><!ENTITY b "'
    + b"&a;" * 1000
    + b'"><!ENTITY c "'
    + b"&b;" * 1000
    + b'">]>'
    b'<Patient xmlns="http://hl7.org/fhir"><id value="&c;"/></Patient>'
)

ERRORS: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("GET", "Nothing/1", None, {}, 404),
    ("GET", "Patient/absent", None, {}, 404),
    ("GET", "Patient/a%20b", None, {}, 400),
    ("GET", "Patient/%FF", None, {}, 400),
    ("GET", "Patient?a=%FF", None, {}, 400),
    ("GET", "Patient/1/2/3/4/5", None, {}, 404),
    ("POST", "Patient/1", PATIENT, {}, 405),
    ("BREW", "Patient", None, {}, 405),
    ("GET", "Patient", None, {"Accept": "text/turtle"}, 406),
    ("GET", "Patient?_format=ttl", None, {}, 406),
    ("GET", "Patient", None, {"Accept": "application/fhir+json; fhirVersion=3.0"}, 406),
    ("POST", "Patient", b"x", {"Content_Type": "text/plain"}, 415),
    ("POST", "Patient", PATIENT, {"Content_Encoding": "br"}, 415),
    ("POST", "Patient", b"", {}, 400),
    ("POST", "Patient", b'{"resourceType":"Patient",}', {}, 400),
    ("POST", "Patient", b'{"resourceType":"Patient","resourceType":"Patient"}', {}, 400),
    ("POST", "Patient", b'{"resourceType":"Patient","multipleBirthInteger":NaN}', {}, 400),
    ("POST", "Patient", b'{"resourceType":"Patient","multipleBirthInteger":' + b"9" * 200_000 + b"}", {}, 400),
    ("POST", "Patient", b'{"resourceType":"Patient","language":"\\ud800"}', {}, 400),
    ("POST", "Patient", DEEP, {}, 400),
    ("POST", "Patient", BOMB, {"Content_Encoding": "gzip"}, 413),
    ("POST", "Patient", XXE, {"Content_Type": "application/fhir+xml"}, 400),
    ("POST", "Patient", LAUGHS, {"Content_Type": "application/fhir+xml"}, 400),
    ("POST", "Patient", b"<Patient", {"Content_Type": "application/fhir+xml"}, 400),
    ("POST", "Patient", {"resourceType": "Patient", "gender": "blue"}, {}, 400),
    ("PUT", "Patient/1", {"resourceType": "Patient", "id": "1"}, {"If_Match": 'W/"3"'}, 412),
    ("GET", "Patient?nonsense=1", None, {}, 400),
    ("GET", "Patient/$nothing", None, {}, 404),
    ("POST", "", {"resourceType": "Bundle", "type": "document"}, {}, 400),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), ERRORS)
def test_shape_of_every_error(
    client: Client, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    answer = client.send(method, path, body, **headers)
    assert answer.status == status, answer.body[:500]
    outcome = answer.json
    assert outcome["resourceType"] == "OperationOutcome"
    for issue in outcome["issue"]:
        assert issue["severity"] in ("error", "fatal")
        assert issue["code"]
        assert issue["details"]["text"] == issue["diagnostics"]
        assert len(issue["diagnostics"]) < 2000
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.headers["x-request-id"]
    assert ("allow" in answer.headers) == (status == 405)
    assert len(answer.body) < 10_000


def test_errors_in_xml(client: Client) -> None:
    answer = client.send("GET", "Patient/absent", Accept="application/fhir+xml")
    assert answer.headers["content-type"].startswith("application/fhir+xml")
    assert xml_codec.decode(answer.body)["issue"][0]["code"] == "not-found"


def test_what_xml_cannot_carry_is_told_in_json(client: Client) -> None:
    body = {"resourceType": "Basic", "code": {"text": "x\u0001"}}
    made = client.send("POST", "Basic", body)
    if made.status == 201:
        answer = client.send("GET", f"Basic/{made.json['id']}", Accept="application/fhir+xml")
        assert (answer.status, answer.issue["code"]) == (406, "not-supported")
    told = client.send("POST", "Patient", {"resourceType": "\u0001"}, Accept="application/fhir+xml")
    assert told.status == 400
    assert xml_codec.decode(told.body)["resourceType"] == "OperationOutcome"


def test_syntax_errors_have_line_and_column(client: Client) -> None:
    answer = client.send("POST", "Patient", b'{"resourceType":"Patient",\n  "active":tru}')
    assert "line 2" in answer.issue["diagnostics"]
    assert "column" in answer.issue["diagnostics"]


def test_bomb_is_refused_in_little_memory(client: Client) -> None:
    tracemalloc.start()
    assert client.send("POST", "Patient", BOMB, Content_Encoding="gzip").status == 413
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 160 * 1024 * 1024


def test_headers_of_every_answer(client: Client) -> None:
    answer = client.send("GET", "metadata", X_Request_Id="abc-1")
    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert "access-control-allow-origin" not in answer.headers


def test_cross_origin(client: Client) -> None:
    answer = client.send("GET", "Patient/absent", Origin="https://app.example")
    assert answer.headers["access-control-allow-origin"] == "*"
    preflight = client.send("OPTIONS", "Patient/1", Origin="https://app.example", Access_Control_Request_Method="PUT")
    assert (preflight.status, preflight.body) == (204, b"")
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert preflight.headers["access-control-allow-origin"] == "*"


def test_options(client: Client) -> None:
    answer = client.send("OPTIONS", "Patient/1")
    assert (answer.status, answer.body) == (204, b"")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}


def test_gzip_both_ways(client: Client) -> None:
    packed = gzip.compress(json.dumps(PATIENT).encode())
    assert client.send("POST", "Patient", packed, Content_Encoding="gzip").status == 201
    answer = client.send("GET", "metadata", Accept_Encoding="gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert json.loads(gzip.decompress(answer.body))["resourceType"] == "CapabilityStatement"


def test_pretty_and_format(client: Client) -> None:
    id = client.create(PATIENT)
    assert b'\n  "resourceType"' in client.send("GET", f"Patient/{id}?_pretty=true").body
    assert b"<Patient" in client.send("GET", f"Patient/{id}?_format=xml", Accept="text/turtle").body


def test_paths_beside_the_base_go_to_the_rim(client: Client) -> None:
    for path in ("/", "/health/live", "/health/ready", "/fhirx", "/openapi.json"):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "wsgi.url_scheme": "http"}
        answer = client.call({**environ, "SERVER_NAME": "x", "SERVER_PORT": "80"})
        assert answer.status == (404 if path == "/fhirx" else 200)


class Broken:
    """A repository whose every use fails in an unforeseen way, with clinical data in the message."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("Jane Doe has syphilis")


def application(repository: Any = None, **more: Any) -> Application:
    return Application(
        service=Service(BASE, lambda: b'{"resourceType":"CapabilityStatement"}'),
        dispatcher=Dispatcher(INTERACTIONS, OPERATIONS),
        repository_for=lambda caller: repository or Broken(),
        rim=more.pop("rim", lambda environ, start: []),
        metrics=more.pop("metrics", Metrics()),
        cors=Cors(["*"]),
        **more,
    )


def test_unexpected_errors_tell_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = Client(application()).send("GET", "Patient/1", X_Request_Id="req-9")
    assert (answer.status, answer.issue["severity"], answer.issue["code"]) == (500, "fatal", "exception")
    assert "req-9" in answer.issue["diagnostics"]
    assert b"Jane" not in answer.body
    assert "Jane" not in "".join(str(record.__dict__) for record in caplog.records)


def test_caller_is_asked_for_all_but_metadata() -> None:
    def nobody(request: Request) -> Caller:
        raise LoginRequired("Log in first.")

    closed = Client(application(caller_of=nobody))
    assert closed.send("GET", "metadata").status == 200
    refused = closed.send("GET", "Patient/1")
    assert (refused.status, refused.issue["code"]) == (401, "login")
    assert refused.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("peer", "seen"),
    [
        ("127.0.0.1", "198.51.100.7"),
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:127.0.0.1", "198.51.100.7"),  # HOST=:: names IPv4 so; all of it would be one /64 to the lockout
        ("::ffff:192.0.2.1", "192.0.2.1"),
    ],
)
def test_who_asks_stands_in_the_place_of_a_trusted_proxy(peer: str, seen: str) -> None:
    asked: list[str] = []

    def told(request: Request) -> Caller:
        asked.append(open_caller(request).address)
        raise LoginRequired("Log in first.")

    def rim(environ: dict[str, Any], start: Any) -> list[bytes]:
        asked.append(environ["REMOTE_ADDR"])
        return []

    behind = application(caller_of=told, rim=rim, proxies=["127.0.0.1"])
    forwarded = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7", "QUERY_STRING": ""}
    for path in ("/fhir/Patient/1", "/auth/login"):
        list(behind({"REQUEST_METHOD": "GET", "PATH_INFO": path, **forwarded}, lambda *told: None))
    assert asked == [seen, seen]


def test_log_and_metrics_hold_no_clinical_data(capfd: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics()
    client = Client(application(metrics=metrics, access_log=AccessLog(2)))
    client.send("GET", "Patient/secret-id?name=Jane", X_Request_Id="req-10")
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert (line["request_id"], line["interaction"], line["type"], line["status"]) == ("req-10", "read", "Patient", 500)
    assert "secret-id" not in str(line)
    assert "Jane" not in str(line)
    text = metrics.exposition().decode()
    assert 'interaction="read",status="500"' in text
    assert "secret-id" not in text


def test_every_answer_is_json_that_decodes(client: Client) -> None:
    id = client.create(
        {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueQuantity": {"value": 1}}
    )
    for path in (
        "metadata",
        "",
        "_history",
        f"Observation/{id}",
        "Observation",
        f"Observation/{id}/_history",
        f"Observation/{id}/$meta",
    ):
        answer = client.send("GET", path)
        assert answer.status == 200, path
        json_codec.decode(answer.body)


def test_every_refusal_is_in_the_audit_trail_once(client: Client) -> None:
    refused = [
        client.send("POST", "Patient", b"{", X_Request_Id="refused-syntax"),
        client.send("DELETE", "metadata", X_Request_Id="refused-method"),
        client.send("GET", "Nonsense/1", X_Request_Id="refused-type"),
        client.send("GET", "Patient/absent", X_Request_Id="refused-absent"),
    ]
    assert [answer.status for answer in refused] == [400, 405, 404, 404]
    deadline = monotonic() + 20
    while len(found := _refusals(client)) < len(refused) and monotonic() < deadline:
        sleep(0.1)
    assert sorted(found) == ["refused-absent", "refused-method", "refused-syntax", "refused-type"]


def _refusals(client: Client) -> list[str]:
    """Request ids of our refusals, as the trail tells them."""
    entries = client.send("GET", "AuditEvent?outcome=4&_count=100").json.get("entry", [])
    named = [entity.get("what", {}).get("identifier", {}) for e in entries for entity in e["resource"]["entity"]]
    return [found["value"] for found in named if found.get("value", "").startswith("refused-")]
