"""The clinicians' pages as rows: rule, method, view; and what those see who are not logged in any more.

OWASP ASVS 5.0 V3.5, V7.2. The chart stands in a frame, where the log-in page cannot: it says so and links there.
"""

from functools import partial

from flask import Blueprint, Response, request

from fhir_server.pages.door import Door
from fhir_server.pages.frame import Frame
from fhir_server.pages.serving import Row, View, serve
from fhir_server.pages.visits import apps, chart_page, chart_writing, day_page, inbox_page, patients
from fhir_server.pages.visits.clinic import Clinic
from fhir_server.pages.visits.desk import LOOK, Desk, chart_policy

_CHART = "/visits/chart/<type>/<id>"

ROUTES: tuple[Row, ...] = (
    ("/visits/", "GET", day_page.visits),
    ("/visits/changes", "GET", day_page.changes),
    ("/visits/enter", "POST", day_page.enter),
    ("/visits/session", "GET", day_page.session),
    ("/visits/patients", "GET", patients.patients),
    ("/visits/patients", "POST", patients.look),
    ("/visits/inbox", "GET", inbox_page.inbox),
    ("/visits/inbox/seen", "POST", inbox_page.seen),
    ("/visits/inbox/answer", "POST", inbox_page.answer),
    ("/visits/documents/<type>/<id>/<n>", "GET", chart_page.document),
    (_CHART, "GET", chart_page.chart),
    ("/visits/chart/Patient/<id>/news", "GET", chart_page.news),
    (f"{_CHART}/observations", "POST", chart_writing.measure),
    (f"{_CHART}/orders", "POST", chart_writing.order),
    (f"{_CHART}/note", "POST", chart_writing.write),
    (f"{_CHART}/apps/<app>", "POST", apps.launch),
)
_SCRIPTS: tuple[View, ...] = (day_page.changes, day_page.session, chart_page.news)
_FRAMED: tuple[View, ...] = (chart_page.chart, chart_writing.measure, chart_writing.order, chart_writing.write)
_LONGEST_KEPT = 100_000


def blueprint(clinic: Clinic, door: Door) -> Blueprint:
    """Everything below ``/visits``."""
    frame = Frame(LOOK, door, ("/visits/", "Clinic"))
    refusals = dict.fromkeys(_SCRIPTS, partial(_to_script, door)) | dict.fromkeys(
        _FRAMED, partial(_in_frame, frame, clinic)
    )
    policies = dict.fromkeys(_FRAMED, chart_policy(clinic))
    return serve("visits", frame, ROUTES, lambda visitor: Desk(clinic, frame, visitor), refusals, policies)


def _to_script(door: Door, error: Exception) -> Response | None:
    """A redirect to the log-in page is no answer to a script."""
    answer = door.refusal(error)
    return day_page.without_log_in() if answer is not None and answer.status_code == 303 else answer


def _in_frame(frame: Frame, clinic: Clinic, error: Exception) -> Response | None:
    answer = frame.door.refusal(error)
    if answer is None or answer.status_code != 303:
        return answer
    context = {
        "heading": "You are logged off",
        "error": "",
        "notice": "",
        "address": request.path if request.method == "GET" else request.path.rpartition("/")[0],
        "typed": _typed(),
    }
    return frame.show(None, "logged_off.html", 401, context, chart_policy(clinic))


def _typed() -> str:
    """What was just sent from our own page, so that it is not lost; nothing that another site made the browser send."""
    if request.method != "POST" or request.headers.get("Sec-Fetch-Site") != "same-origin":
        return ""
    return request.form.get("text", "")[:_LONGEST_KEPT]
