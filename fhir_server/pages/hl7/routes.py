"""The pages of the console as rows: rule, method, view; one door that lets in, checks forms and shows refusals.

WHATWG HTML 4.10.22.3 (form submission). What could name a patient is asked by POST, so that no address holds it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from fhir_server.pages.hl7 import codes, journal, message_page, overview, receivers
from fhir_server.pages.hl7.console import Console
from fhir_server.pages.hl7.desk import Desk, problem
from fhir_server.pages.hl7.door import Door, Visitor
from fhir_server.pages.hl7.rendering import guard, statics
from resources.errors import FhirError, Forbidden, Unavailable

LARGEST_BODY = 2 * 1024 * 1024
"""Bytes of any form: an edited message is the longest, and its characters may take three each."""

View = Callable[..., Response]
_ONE = "/hl7/messages/<int:id>"

ROUTES: tuple[tuple[str, str, View], ...] = (
    ("/hl7/", "GET", overview.overview),
    ("/hl7/messages", "GET", journal.linked),
    ("/hl7/messages", "POST", journal.search),
    ("/hl7/messages/replay", "POST", journal.replay),
    (_ONE, "GET", message_page.message),
    (f"{_ONE}/replay", "POST", message_page.replay),
    (f"{_ONE}/set-aside", "POST", message_page.set_aside),
    (f"{_ONE}/edit", "GET", message_page.edit),
    (f"{_ONE}/edit", "POST", message_page.replay_edited),
    (f"{_ONE}/made/<type>/<made>/<int:version>", "GET", message_page.resource),
    ("/hl7/codes", "GET", codes.codes),
    ("/hl7/codes", "POST", codes.answer),
    ("/hl7/receivers", "GET", receivers.receivers),
    ("/hl7/receivers/resend", "POST", receivers.resend),
)


def blueprint(console: Console, door: Door) -> Blueprint:
    """Everything below ``/hl7``."""
    made = Blueprint("hl7_console", __name__)
    made.before_request(_bound_body)
    for rule, method, view in ROUTES:
        _add(made, rule, method, _served(console, door, view, form=method == "POST"))
    _add(made, "/hl7/static/<name>", "GET", partial(_static, door))
    return made


def _add(blueprint: Blueprint, rule: str, method: str, view: View) -> None:
    name = f"{method} {rule}".replace(".", "_")
    # /hl7 is /hl7/: the redirect that Flask makes otherwise would believe the Host header.
    blueprint.add_url_rule(rule, name, view, methods=[method], provide_automatic_options=False, strict_slashes=False)


def _bound_body() -> None:
    """Whatever reads the body stops here, also one without a length or with files in it."""
    request.max_content_length = request.max_form_memory_size = LARGEST_BODY


def _served(console: Console, door: Door, view: View, *, form: bool) -> View:
    def serve(**path: Any) -> Response:
        visitor = None
        try:
            visitor = door.visitor()
            if form:
                door.check_form(visitor)
            return view(Desk(console, door, visitor), **path)
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 what nobody expected is raised again
            return _refused(door, visitor, error)

    return serve


_HEADINGS = {403: "Not allowed", 404: "Not found", 410: "No longer there", 503: "Not available"}


def _refused(door: Door, visitor: Visitor | None, error: Exception) -> Response:
    """The answer to what the door or a view refuses; what nobody expected goes on to the application."""
    answer = door.refusal(error)
    if answer is not None:
        return answer
    if not isinstance(error, FhirError):
        raise error
    if isinstance(error, Unavailable):
        text = "For a moment Hearth cannot read its records. Please try again shortly."
        answer = problem(door, visitor, 503, _HEADINGS[503], text)
        answer.headers["Retry-After"] = "5"
        return answer
    shown = None if isinstance(error, Forbidden) else visitor
    return problem(door, shown, error.status, _HEADINGS.get(error.status, "Not done"), error.issues[0].text)


def _static(door: Door, name: str) -> Response:
    """A file of the pages. Its address changes with its content, so it may be kept for a year."""
    file = statics().get(name)
    if file is None:
        return problem(door, None, 404, "Not found", "There is no such file.")
    response = guard(Response(file.body, content_type=file.type))
    del response.headers["Pragma"]
    response.set_etag(file.etag)
    current = request.args.get("v") == file.etag[:12]
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "public, max-age=300"
    response.make_conditional(request)
    return response
