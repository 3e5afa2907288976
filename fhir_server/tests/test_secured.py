"""A secured server: every route there is, without a token, with a bad one, and with one in the wrong place."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_server import wiring
from fhir_server.audit.refusals import NAMELESS, PRESENTED
from fhir_server.conftest import Answer, Client
from fhir_server.http.this_machine import ThisMachine
from fhir_server.interactions.table import INTERACTIONS
from fhir_server.operations.table import OPERATIONS
from fhir_server.page_table import Premises, blueprints
from fhir_server.preparation import prepare
from fhir_server.settings import load
from smart_auth import revocations
from smart_auth.development import development_token

BASE = "http://127.0.0.1:8080/fhir"
_FILLED = {"type": "Patient", "id": "p1", "vid": "1", "other": "Observation"}
PLACES = {"system": "", "type": "Patient/", "instance": "Patient/p1/"}
# What answers strangers beside the base: documents, probes, and pages that ask who you are.
PUBLIC = re.compile(
    r"/|/openapi\.json|/health/(live|ready)|/metrics|(/fhir)?/\.well-known/[a-z-]+|/auth/.*|/(hl7|my|visits|billing)/.*|/static/<path:filename>"
)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[wiring.Process]:
    folder: Path = tmp_path_factory.mktemp("secured")
    settings = load({"DATA_DIR": str(folder), "PUBLIC_URL": BASE}, {})
    prepare(settings)
    with wiring.Process(settings) as made:
        yield made


@pytest.fixture(scope="module")
def client(process: wiring.Process) -> Client:
    return Client(wiring.compose(process))


def routes() -> list[tuple[str, str]]:
    """Method and path below the base of every row that serves."""
    paths = [(row.method, re.sub(r"\{(\w+)\}", lambda found: _FILLED[found[1]], row.path)) for row in INTERACTIONS]
    for row in OPERATIONS:
        type = sorted(row.types)[0] if row.types else "Patient"
        for level in row.levels:
            path = PLACES[level].replace("Patient", type) + f"${row.name}"
            paths += [(method, path) for method in (("POST",) if row.affects_state else ("GET", "POST"))]
    return sorted(set(paths))


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_route_but_metadata_asks_for_a_token(client: Client, method: str, path: str) -> None:
    body = {"resourceType": "Patient"} if method in ("POST", "PUT", "PATCH") else None
    answer = client.send(method, path, body)
    if path == "metadata":
        assert answer.status == 200
        return
    assert (answer.status, answer.issue["code"]) == (401, "login"), path
    assert answer.headers["www-authenticate"] == 'Bearer realm="hearth"'
    refused = client.send(method, path, body, Authorization="Bearer nonsense")
    assert (refused.status, refused.issue["code"]) == (401, "login")
    assert refused.headers["www-authenticate"] == 'Bearer realm="hearth", error="invalid_token"'
    assert b"nonsense" not in refused.body


def test_a_preflight_is_answered_and_other_options_are_not(client: Client) -> None:
    asked = {"Origin": "https://app.example", "Access_Control_Request_Method": "GET"}
    assert client.send("OPTIONS", "Patient", **asked).status == 204
    assert client.send("OPTIONS", "Patient").status == 401


def test_nothing_beside_the_base_is_open_by_accident(process: wiring.Process) -> None:
    from fhir_server.http.metrics import Metrics

    rim = wiring._rim(process, (), Metrics())
    wiring.secured(process, rim, Metrics())
    for pages in blueprints(Premises(process), ThisMachine(BASE, ())):
        rim.register_blueprint(pages)
    strange = [rule.rule for rule in rim.url_map.iter_rules() if not PUBLIC.fullmatch(rule.rule)]
    assert strange == []


@pytest.mark.parametrize(
    "path",
    [
        "/auth/access",
        "/auth/account",
        "/auth/admin/people",
        "/auth/admin/keys",
        "/hl7/",
        "/hl7/messages",
        "/hl7/messages/1",
        "/hl7/messages/1/edit",
        "/hl7/messages/1/made/Patient/1/1",
        "/hl7/codes",
        "/hl7/receivers",
        "/my/",
        "/my/book",
        "/my/results",
        "/my/record.json",
        "/my/messages",
        "/my/access",
        "/my/documents",
        "/visits/",
        "/visits/patients",
        "/visits/inbox",
        "/billing/",
    ],
)
def test_pages_of_people_ask_who_you_are(client: Client, path: str) -> None:
    answer = beside(client, path)
    assert answer.status == 303
    assert answer.headers["location"].startswith("/auth/login")


@pytest.mark.parametrize("path", ["/fhir/.well-known/smart-configuration", "/.well-known/oauth-authorization-server"])
def test_documents_are_for_everybody(client: Client, path: str) -> None:
    answer = beside(client, path, HTTP_ORIGIN="https://app.example")
    assert answer.status == 200
    assert answer.json["token_endpoint"] == "http://127.0.0.1:8080/auth/token"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_statement_tells_where_to_log_in(client: Client) -> None:
    [rest] = client.send("GET", "metadata").json["rest"]
    [uris] = [e for e in rest["security"]["extension"] if e["url"].endswith("oauth-uris")]
    assert {each["url"]: each["valueUri"] for each in uris["extension"]}["token"] == "http://127.0.0.1:8080/auth/token"


def test_a_token_elsewhere_than_in_the_header_is_refused(client: Client, process: wiring.Process) -> None:
    token = development_token(process.authorization.service, "user/*.cruds")
    good = {"Authorization": f"Bearer {token}"}
    form = f"access_token={token}".encode()
    answers = [
        client.send("GET", f"Patient?access_token={token}"),
        client.send("GET", f"Patient?access_token={token}", **good),
        client.send("POST", "Patient/_search", form, Content_Type="application/x-www-form-urlencoded"),
        client.send("POST", "Patient/_search", form, Content_Type="application/x-www-form-urlencoded", **good),
    ]
    assert [answer.status for answer in answers] == [400, 400, 401, 400]
    assert not any(token.encode() in answer.body for answer in answers)


def test_a_good_token_opens_what_its_scopes_name(client: Client, process: wiring.Process) -> None:
    token = development_token(process.authorization.service, "user/*.cruds")
    good = {"Authorization": f"Bearer {token}"}
    made = client.send("POST", "Patient", {"resourceType": "Patient"}, **good)
    assert made.status == 201
    assert client.send("GET", f"Patient/{made.json['id']}", **good).status == 200


def test_a_worker_that_cannot_read_the_revocation_list_is_not_ready_and_takes_no_token(
    client: Client, process: wiring.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database answers: it is the reading that came to an end, for whatever reason."""
    listed = process.authorization.revocations
    good = {"Authorization": "Bearer " + development_token(process.authorization.service, "user/*.rs")}
    assert beside(client, "/health/ready").json["checks"]["revocations"] == "ok"
    monkeypatch.setattr(revocations, "TOO_OLD", 0.2)
    listed.stop()
    time.sleep(0.3)
    ready = beside(client, "/health/ready")
    assert ready.status == 503
    assert ready.json["checks"] == {"database": "ok", "migrations": "ok", "revocations": "failed"}
    assert client.send("GET", "Patient", **good).status == 503
    assert client.send("GET", "metadata").status == beside(client, "/health/live").status == 200
    monkeypatch.undo()
    listed.start()
    assert beside(client, "/health/ready").status == client.send("GET", "Patient", **good).status == 200


def test_an_open_server_answers_no_page_of_another_site(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "OPEN": True}, {})
    prepare(settings)
    with wiring.Process(settings) as process:
        client = Client(wiring.compose(process))
        assert client.send("GET", "Patient", Host="127.0.0.1:8080", Origin="http://localhost:3000").status == 200
        for headers in ({"Host": "evil.example"}, {"Host": "127.0.0.1:8080", "Origin": "https://evil.example"}):
            assert client.send("GET", "Patient", **headers).status == 403
            assert client.send("POST", "Binary", b"x", Content_Type="text/plain", **headers).status == 403


def test_any_number_of_strangers_makes_few_rows_and_a_known_caller_one_each(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "PUBLIC_URL": BASE}, {})
    prepare(settings)
    with wiring.Process(settings) as process:
        client, service = Client(wiring.compose(process)), process.authorization.service
        known = {"Authorization": "Bearer " + development_token(service, "user/Patient.rs")}
        for _ in range(300):
            assert client.send("GET", "Patient").status == 401
            assert client.send("GET", "Patient", Authorization="Bearer nonsense").status == 401
            assert client.send("GET", "Patient/1/2/3/4/5").status == 404
        for _ in range(30):
            assert client.send("POST", "Patient/_search", b"x", Content_Type="text/plain", **known).status == 415
        process.refusals.settle(last=True)
        told = _refusals(process)
    strangers = [detail for who, detail in told if not who]
    assert len(strangers) == NAMELESS + PRESENTED + 2
    assert sum(int(detail.split(" more")[0]) if " more " in detail else 1 for detail in strangers) == 900
    assert [who for who, _ in told if who] == ["hearth-cli"] * 30


def _refusals(process: wiring.Process) -> list[tuple[str, str]]:
    """Who and detail of the rows of refusals, once they are stored."""
    process.spool.drain(process.trail())
    found = process.store.session().query("SELECT who, detail FROM audit WHERE interaction = 'refused'")
    return [(str(row[0]), str(row[1])) for row in found]


def test_an_open_server_has_no_such_list(tmp_path: Path) -> None:
    settings = load({"DATA_DIR": str(tmp_path), "OPEN": True}, {})
    prepare(settings)
    with wiring.Process(settings) as process:
        assert "revocations" not in beside(Client(wiring.compose(process)), "/health/ready").json["checks"]


def beside(client: Client, path: str, **more: Any) -> Answer:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "wsgi.url_scheme": "http"}
    return client.call({**environ, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8080", **more})
