"""Pages as rows: rule, method, view; one door that lets in, checks forms and shows refusals.

WHATWG HTML 4.10.22.3 (form submission). What could name a patient is asked by POST, so that no address holds it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from fhir_server.pages.door import Visitor
from fhir_server.pages.frame import Frame
from fhir_server.pages.rendering import Policy, guard
from resources.errors import FhirError, Forbidden, OutcomeUnknown, Unavailable

LARGEST_BODY = 2 * 1024 * 1024
"""Bytes of any form: the longest is a text whose characters may take three each."""

View = Callable[..., Response]
"""Given what ``desk`` made for the visitor, and the parts of the path."""
Row = tuple[str, str, View]
Refusal = Callable[[Exception], Response | None]
"""The answer to an error that the door would answer otherwise; None leaves it to the door."""


def serve(
    name: str,
    frame: Frame,
    rows: Sequence[Row],
    desk: Callable[[Visitor], Any],
    refusals: Mapping[View, Refusal] = MappingProxyType({}),
    policies: Mapping[View, Policy] = MappingProxyType({}),
) -> Blueprint:
    """The blueprint of ``rows`` and of the statics of their look; ``refusals`` are those of single views,
    and ``policies`` the ones under which their refusals are shown."""
    made = Blueprint(name, __name__)
    made.before_request(_bound_body)
    for rule, method, view in rows:
        refusal, policy = refusals.get(view, frame.door.refusal), policies.get(view)
        _add(made, rule, method, _served(frame, view, desk, refusal, policy, form=method == "POST"))
    _add(made, f"/{frame.look.name}/static/<name>", "GET", partial(_static, frame))
    return made


def quiet(view: View) -> View:
    """``view`` as one whose requests are no sign of a person: they keep no log-in alive unless they say ``active``."""
    view.quiet = True  # type: ignore[attr-defined]
    return view


def _add(blueprint: Blueprint, rule: str, method: str, view: View) -> None:
    name = f"{method} {rule}".replace(".", "_")
    # /hl7 is /hl7/: the redirect that Flask makes otherwise would believe the Host header.
    blueprint.add_url_rule(rule, name, view, methods=[method], provide_automatic_options=False, strict_slashes=False)


def _bound_body() -> None:
    """Whatever reads the body stops here, also one without a length or with files in it."""
    request.max_content_length = request.max_form_memory_size = LARGEST_BODY


def _served(
    frame: Frame,
    view: View,
    desk: Callable[[Visitor], Any],
    refusal: Refusal,
    policy: Policy | None,
    *,
    form: bool,
) -> View:
    quiet = getattr(view, "quiet", False)

    def serve(**path: Any) -> Response:
        visitor = None
        try:
            visitor = frame.door.visitor(active=not quiet or request.args.get("active") == "1")
            if form:
                frame.door.check_form(visitor)
            return view(desk(visitor), **path)
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 what nobody expected is raised again
            answer = refusal(error) or frame.door.refusal(error) or _refused(frame, visitor, error)
            return guard(answer, policy) if policy else answer

    return serve


_HEADINGS = {403: "Not allowed", 404: "Not found", 410: "No longer there", 503: "Not available"}


def _refused(frame: Frame, visitor: Visitor | None, error: Exception) -> Response:
    """The answer to what a view refuses; what nobody expected goes on to the application."""
    if not isinstance(error, FhirError):
        raise error
    if isinstance(error, OutcomeUnknown):
        text = "Hearth cannot say whether this was stored. Please look whether it is there before you do it again."
        return frame.problem(visitor, 503, "Not certain", text)
    if isinstance(error, Unavailable):
        text = "For a moment Hearth cannot read its records. Please try again shortly."
        answer = frame.problem(visitor, 503, _HEADINGS[503], text)
        answer.headers["Retry-After"] = "5"
        return answer
    shown = None if isinstance(error, Forbidden) else visitor
    return frame.problem(shown, error.status, _HEADINGS.get(error.status, "Not done"), error.issues[0].text)


def _static(frame: Frame, name: str) -> Response:
    """A file of the pages. Its address changes with its content, so it may be kept for a year."""
    file = frame.look.statics.get(name)
    if file is None:
        return frame.problem(None, 404, "Not found", "There is no such file.")
    response = guard(Response(file.body, content_type=file.type))
    del response.headers["Pragma"]
    response.set_etag(file.etag)
    current = request.args.get("v") == file.etag[:12]
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if current else "public, max-age=300"
    response.make_conditional(request)
    return response
