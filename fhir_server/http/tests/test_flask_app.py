"""Landing page, health, metrics, OpenAPI, and errors beside the base."""

import pytest
from flask.testing import FlaskClient

from fhir_server.http.flask_app import make_flask
from fhir_server.http.metrics import Metrics
from resources.errors import Unavailable

BASE = "https://fhir.example.org/fhir"


def client(**probes: object) -> FlaskClient:
    return make_flask(BASE, lambda: b'{"openapi":"3.1.0"}', probes, Metrics(), ("127.0.0.1",)).test_client()  # type: ignore[arg-type]


def broken() -> None:
    raise OSError("connection to 10.0.0.5 refused")


def test_landing_page_names_the_base() -> None:
    page = client().get("/")
    assert page.status_code == 200
    assert BASE in page.text


def test_live() -> None:
    assert client(database=broken).get("/health/live").json == {"status": "ok"}


def test_ready() -> None:
    answer = client(database=lambda: None).get("/health/ready")
    assert (answer.status_code, answer.json) == (200, {"status": "ok", "checks": {"database": "ok"}})


def test_not_ready_names_the_check_only() -> None:
    answer = client(database=broken, migrations=lambda: None).get("/health/ready")
    assert answer.status_code == 503
    assert answer.json == {"status": "unavailable", "checks": {"database": "failed", "migrations": "ok"}}


def test_metrics_from_loopback_only() -> None:
    assert client().get("/metrics").status_code == 200
    assert client().get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 404


def test_openapi() -> None:
    assert client().get("/openapi.json").json == {"openapi": "3.1.0"}


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("POST", "/health/live", 405)])
def test_errors_are_outcomes(method: str, path: str, status: int) -> None:
    answer = client().open(path, method=method)
    assert answer.status_code == status
    assert answer.get_json(force=True)["resourceType"] == "OperationOutcome"
    assert answer.content_type.startswith("application/fhir+json")


def test_pages_may_run_and_be_framed_by_nothing() -> None:
    answer = client().get("/")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_refusal_of_the_record_keeps_its_status() -> None:
    app = make_flask(BASE, lambda: b"{}", {}, Metrics(), ())

    def away() -> str:
        raise Unavailable("Try again shortly.")

    app.add_url_rule("/away", "away", away)
    answer = app.test_client().get("/away")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert (answer.json or {})["issue"][0]["code"] == "transient"
