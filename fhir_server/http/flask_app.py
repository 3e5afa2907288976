"""What lies beside the FHIR base: landing page, health, metrics, OpenAPI. Flask serves it, off the hot path.

Health as Kubernetes probes ask for it: live says the process answers, ready that it can do work.
"""

import base64
import json
import logging
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from fhir_server.http.errors import error_response, outcome_bytes
from fhir_server.http.metrics import CONTENT_TYPE, Metrics, may_read
from fhir_server.http.response import FHIR_JSON
from fhir_server.logs import raised_at
from resources.errors import FhirError, Issue

log = logging.getLogger("hearth.http")

_LANDING = (Path(__file__).parent / "templates" / "landing.html").read_text()
_STYLE = base64.b64encode(sha256(_LANDING.partition("<style>")[2].partition("</style>")[0].encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Probe = Callable[[], None]
_CODES = {404: "not-found", 405: "not-supported", 413: "too-long", 415: "not-supported"}


def make_flask(
    base_url: str,
    openapi: Callable[[], bytes],
    probes: Mapping[str, Probe],
    metrics: Metrics,
    metrics_hosts: Collection[str],
) -> Flask:
    """The Flask application. ``probes`` raise when what they are named after (database, migrations, ...) is not ready;
    blueprints of other packages are registered by the wiring."""
    app = Flask("fhir_server.http")
    app.add_url_rule("/", "landing", lambda: render_template("landing.html", base_url=base_url))
    app.add_url_rule("/openapi.json", "openapi", lambda: Response(openapi(), mimetype="application/json"))
    app.add_url_rule("/health/live", "live", lambda: {"status": "ok"})
    app.add_url_rule("/health/ready", "ready", lambda: _ready(probes))
    app.add_url_rule("/metrics", "metrics", lambda: _metrics(metrics, metrics_hosts))
    app.after_request(_safe)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(FhirError, _fhir_error)
    app.register_error_handler(Exception, _unexpected)
    return app


def _safe(answer: Response) -> Response:
    """Pages that belong to others (a workspace, a login) set their own policy before; this one is for the rest."""
    answer.headers.setdefault("X-Content-Type-Options", "nosniff")
    answer.headers.setdefault("Referrer-Policy", "no-referrer")
    answer.headers.setdefault("Cache-Control", "no-store")
    answer.headers.setdefault("Content-Security-Policy", _POLICY)
    return answer


def _ready(probes: Mapping[str, Probe]) -> Response:
    states = {name: _state(name, probe) for name, probe in probes.items()}
    ready = all(state == "ok" for state in states.values())
    body = json.dumps({"status": "ok" if ready else "unavailable", "checks": states})
    return Response(body, 200 if ready else 503, mimetype="application/json")


def _state(name: str, probe: Probe) -> str:
    try:
        probe()
    except Exception as error:  # noqa: BLE001 a probe fails in whatever way what it probes does
        log.warning("not ready", extra={"check": name, "error": type(error).__name__})
        return "failed"
    return "ok"


def _metrics(metrics: Metrics, hosts: Collection[str]) -> Response:
    if not may_read(request.environ, hosts):
        return _outcome(404, Issue("not-found", "There is nothing at this path."))
    return Response(metrics.exposition(), content_type=CONTENT_TYPE)


def _outcome(status: int, issue: Issue) -> Response:
    return Response(outcome_bytes([issue]), status, content_type=FHIR_JSON)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    text = {404: "There is nothing at this path."}.get(status, f"{error.name}.")
    answer = _outcome(status, Issue(_CODES.get(status, "processing"), text))
    for name, value in error.get_headers():
        if name in ("Allow", "Location"):
            answer.headers[name] = value
    return answer


def _fhir_error(error: FhirError) -> Response:
    told = error_response(error)
    return Response(told.body, told.status, told.headers, content_type=FHIR_JSON)


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", extra={"error": type(error).__name__, "at": raised_at(error.__traceback__)})
    return _outcome(500, Issue("exception", "The server failed on this request.", severity="fatal"))
