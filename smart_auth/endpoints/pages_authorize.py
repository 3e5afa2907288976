"""Pages of an authorization request: patient, visit, consent, and the way back to the app.

SMART App Launch 2.2 section 2.0.9; RFC 6749 section 4.1; RFC 9700 section 4.16 (clickjacking). The request is kept
bound to the browser that brought it; its answer uses it up.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from flask import Response, request

from smart_auth.endpoints.pages_desk import Desk, Gone, Kind
from smart_auth.model import Client, Person, Session
from smart_auth.oauth.authorization_request import single
from smart_auth.oauth.authorize import AuthorizationRequest, RefusedPage, Step
from smart_auth.scopes.consent import granted, questions

FORM = "application/x-www-form-urlencoded"
LONGEST = 32_768  # bytes of parameters
TOO_OLD = "This request was answered already or is too old. Go back to the app and start again."


class Flow(NamedTuple):
    """An authorization request under way in this browser."""

    handle: str
    request: AuthorizationRequest


def authorize(desk: Desk) -> Response:
    """GET and POST /auth/authorize: an app's request, from anywhere.

    A post comes from the app's site, so the browser sends no cookie with it: the request waits under its handle for
    the get that follows, which brings the cookie.
    """
    posted = request.method == "POST"
    begun = desk.service.authorizations.begin(single(_posted() if posted else _asked()))
    if posted:
        handle = desk.keep_for_anybody(Kind.ARRIVING, msgspec.json.encode(begun), 60)
        return desk.go("/auth/continue", request=handle)
    return carry_on(desk, rebound(desk, begun))


def _asked() -> list[tuple[str, str]]:
    if len(request.query_string) > LONGEST:
        raise RefusedPage("invalid_request", "The request is too long.")
    return list(request.args.items(multi=True))


def _posted() -> list[tuple[str, str]]:
    """The parameters of a form, and of nowhere else: two places could say two things."""
    if request.query_string or request.mimetype != FORM or not (request.content_length or LONGEST + 1) <= LONGEST:
        raise RefusedPage("invalid_request", f"A posted request has its parameters in a body of type {FORM}.")
    return list(request.form.items(multi=True))


def arrived(desk: Desk) -> Response:
    """GET /auth/continue"""
    asked = _read(desk.use_anybodys(Kind.ARRIVING, request.args.get("request", "")))
    return carry_on(desk, rebound(desk, asked))


def rebound(desk: Desk, asked: AuthorizationRequest) -> Flow:
    """The request under a new handle of this browser."""
    lifetime = desk.service.lifetimes.request
    return Flow(desk.keep(Kind.REQUEST, msgspec.json.encode(asked), lifetime), asked)


def under_way(desk: Desk, handle: str) -> Flow:
    """Raises Gone."""
    return Flow(handle, _read(desk.look(Kind.REQUEST, handle)))


def used(desk: Desk, handle: str) -> Flow:
    """As ``under_way``, once."""
    return Flow(handle, _read(desk.use(Kind.REQUEST, handle)))


def _read(kept: bytes | None) -> AuthorizationRequest:
    """Raises Gone."""
    if kept is None:
        raise Gone(TOO_OLD)
    return msgspec.json.decode(kept, type=AuthorizationRequest)


def step_of(desk: Desk, flow: Flow) -> Step:
    browser = desk.browser()
    return desk.service.authorizations.next_step(flow.request, browser.person, browser.session)


def carry_on(desk: Desk, flow: Flow) -> Response:
    """To the page that is next, or back to the app."""
    step = step_of(desk, flow)
    if step is not Step.DONE:
        return desk.go(f"/auth/{step}", request=flow.handle)
    flow = used(desk, flow.handle)
    person, session = _logged_in(desk)
    return desk.leave(desk.service.authorizations.finish(flow.request, person, session, flow.request.scope))


def describe(desk: Desk, flow: Flow | None) -> dict[str, Any]:
    """What pages of a request have in common."""
    if flow is None:
        return {"handle": "", "app": "", "redirect_uri": ""}
    return {"handle": flow.handle, "app": _client(desk, flow).name, "redirect_uri": flow.request.redirect_uri}


def _client(desk: Desk, flow: Flow) -> Client:
    client = desk.service.records.client(flow.request.client)
    if client is None or client.disabled:
        raise Gone("This app is no longer registered here.")
    return client


def _logged_in(desk: Desk) -> tuple[Person, Session]:
    browser = desk.browser()
    if browser.person is None or browser.session is None:
        raise Gone("You were logged off. Go back to the app and start again.")
    return browser.person, browser.session


def patients(desk: Desk) -> Response:
    """GET /auth/patient"""
    return _picker(desk, request.args.get("request", ""), "")


def search_patients(desk: Desk) -> Response:
    """POST /auth/patient/search: a name that is searched for stands in no URL, and so in no log or history."""
    return _picker(desk, request.form.get("request", ""), request.form.get("q", "").strip()[:100])


def _picker(desk: Desk, handle: str, text: str) -> Response:
    flow = under_way(desk, handle)
    if step_of(desk, flow) is not Step.PATIENT:
        return carry_on(desk, flow)
    person, _ = _logged_in(desk)
    found = desk.service.chart.patients(person, text)
    return desk.page("patient.html", q=text, patients=found, **describe(desk, flow))


def choose_patient(desk: Desk) -> Response:
    """POST /auth/patient"""
    return _chosen(desk, desk.service.authorizations.choose_patient, "patient")


def encounters(desk: Desk) -> Response:
    """GET /auth/encounter"""
    flow = under_way(desk, request.args.get("request", ""))
    if step_of(desk, flow) is not Step.ENCOUNTER:
        return carry_on(desk, flow)
    person, _ = _logged_in(desk)
    id = desk.service.authorizations.context(flow.request, person).patient
    found = desk.service.chart.encounters(person, id)
    patient = desk.service.chart.patient(person, id)
    return desk.page("encounter.html", encounters=found, patient=patient, **describe(desk, flow))


def choose_encounter(desk: Desk) -> Response:
    """POST /auth/encounter"""
    return _chosen(desk, desk.service.authorizations.choose_encounter, "encounter")


def _chosen(
    desk: Desk, choose: Callable[[AuthorizationRequest, Person, str], AuthorizationRequest], field: str
) -> Response:
    """The request goes on with what the person chose in ``field`` of the form."""
    person, _ = _logged_in(desk)
    flow = used(desk, request.form.get("request", ""))
    return carry_on(desk, rebound(desk, choose(flow.request, person, request.form.get(field, ""))))


def consent(desk: Desk) -> Response:
    """GET /auth/consent"""
    flow = under_way(desk, request.args.get("request", ""))
    if step_of(desk, flow) is not Step.CONSENT:
        return carry_on(desk, flow)
    person, _ = _logged_in(desk)
    context = desk.service.authorizations.context(flow.request, person)
    patient = desk.service.chart.patient(person, context.patient) if context.patient else None
    asked = questions(flow.request.scope, person, context)
    offline = next((row.label for row in asked if row.key == "offline_access"), "")
    back_to = _place(flow.request.redirect_uri)
    return desk.page(
        "consent.html", questions=asked, patient=patient, offline=offline, back_to=back_to, **describe(desk, flow)
    )


def _place(redirect_uri: str) -> str:
    """Where a redirect leads, in what a person can check: the host, or the scheme of an app on the device."""
    parts = urlsplit(redirect_uri)
    return parts.netloc or f"{parts.scheme}:"


def answer_consent(desk: Desk) -> Response:
    """POST /auth/consent"""
    person, session = _logged_in(desk)
    flow = used(desk, request.form.get("request", ""))
    authorizations = desk.service.authorizations
    if request.form.get("answer") != "allow":
        return desk.leave(authorizations.refuse(flow.request, "access_denied", "The person refused."))
    asked = questions(flow.request.scope, person, authorizations.context(flow.request, person))
    answers = {name: values for name, values in request.form.lists() if name not in ("csrf", "request", "answer")}
    return desk.leave(authorizations.finish(flow.request, person, session, granted(asked, answers)))


def cancel(desk: Desk) -> Response:
    """POST /auth/cancel"""
    flow = used(desk, request.form.get("request", ""))
    return desk.leave(desk.service.authorizations.refuse(flow.request, "access_denied", "The person went back."))
