"""The authorization endpoint without a browser: begin a request, what comes next, finish or refuse it.

SMART App Launch 2.2 sections 2.0.8-2.0.9 and 3, RFC 6749 section 4.1, OpenID Connect Core 3.1.2, RFC 9207. Pages call
this in the order begin, next_step, (choose_patient, choose_encounter), finish or refuse.
"""

from collections.abc import Callable
from enum import StrEnum

from msgspec.structs import replace

from smart_auth.errors import OAuthError
from smart_auth.lifetimes import Lifetimes
from smart_auth.model import Approval, Client, Code, Context, Event, Person, Session, Told
from smart_auth.oauth import authorization_request, redirect_uri
from smart_auth.oauth.access_token import LONGEST_SCOPE
from smart_auth.oauth.authorization_request import AuthorizationRequest, Params
from smart_auth.oauth.refused import RefusedPage, RefusedRedirect, answer_url
from smart_auth.people.second_factor import Required
from smart_auth.people.secret import digest, fresh
from smart_auth.ports import Chart, Note, Records
from smart_auth.scopes.algebra import Scopes, covers, intersect, parse

__all__ = ["AuthorizationRequest", "Authorizations", "RefusedPage", "RefusedRedirect", "Step"]


class Step(StrEnum):
    """The page that an authorization request needs next; DONE needs none."""

    LOGIN = "login"
    FACTOR = "factor"
    PATIENT = "patient"
    ENCOUNTER = "encounter"
    CONSENT = "consent"
    DONE = "done"


_SILENT = {
    Step.LOGIN: "login_required",
    Step.FACTOR: "interaction_required",
    Step.PATIENT: "interaction_required",
    Step.ENCOUNTER: "interaction_required",
    Step.CONSENT: "consent_required",
}


class Authorizations:
    """Authorization requests from the first parameter to the code. ``base`` is the FHIR base, ``now`` whole seconds."""

    def __init__(
        self,
        *,
        base: str,
        issuer: str,
        records: Records,
        chart: Chart,
        note: Note,
        now: Callable[[], int],
        lifetimes: Lifetimes,
        second_factor: Required = Required.NOBODY,
    ) -> None:
        self._base, self._issuer, self._records, self._chart = base, issuer, records, chart
        self._note, self._now, self._lifetimes, self._second_factor = note, now, lifetimes, second_factor

    def begin(self, params: Params) -> AuthorizationRequest:
        """Check an app's request. Raises RefusedPage (client, redirect URI or state are not good: nothing may be
        redirected) and RefusedRedirect (everything else)."""
        client = self._client(params)
        try:
            authorization_request.check(params, self._base)
            return self._request(client, params)
        except OAuthError as error:
            self._note(Told(event=Event.TOKEN_REFUSED, client=client.id, detail=error.error, ok=False))
            raise self._redirected(params["redirect_uri"], params["state"], error) from None

    def _client(self, params: Params) -> Client:
        client = self._records.client(params.get("client_id", ""))
        if client is None or client.disabled or not redirect_uri.registered(client, params.get("redirect_uri", "")):
            self._note(Told(event=Event.TOKEN_REFUSED, detail="unregistered client or redirect_uri", ok=False))
            raise RefusedPage("invalid_request", "This app, or the address it wants to return to, is not registered.")
        if not params.get("state"):
            self._note(Told(event=Event.TOKEN_REFUSED, client=client.id, detail="no state", ok=False))
            raise RefusedPage("invalid_request", "The parameter state is missing.")
        return client

    def _request(self, client: Client, params: Params) -> AuthorizationRequest:
        request = AuthorizationRequest(
            client=client.id,
            redirect_uri=params["redirect_uri"],
            state=params["state"],
            scope=_asked(client, params),
            challenge=params["code_challenge"],
            begun=self._now(),
            nonce=params.get("nonce", ""),
            prompt=authorization_request.prompts(params),
            max_age=authorization_request.max_age(params),
        )
        return self._launched(request, params["launch"]) if params.get("launch") else request

    def _launched(self, request: AuthorizationRequest, handle: str) -> AuthorizationRequest:
        if "launch" not in request.scopes:
            raise OAuthError("invalid_scope", "An EHR launch needs the scope launch.")
        launch = self._records.use_launch(digest(handle), self._now())
        if launch is None or launch.client not in ("", request.client):
            raise OAuthError("invalid_request", "The parameter launch is unknown, used or too old.")
        told = Told(event=Event.LAUNCH, client=request.client, patient=_reference(launch.context.patient))
        self._note(told)
        return replace(request, context=launch.context, person=launch.person)

    def next_step(self, request: AuthorizationRequest, person: Person | None, session: Session | None) -> Step:
        """The page that comes next. Raises RefusedRedirect when this person may not go on (a launch of another, a
        patient out of reach) and, with prompt=none, when there is anything left to ask."""
        if person is None or session is None or self._must_log_in(request, session):
            return self._unless_silent(request, Step.LOGIN)
        self._check_person(request, person)
        if self._second_factor.owed(person, session.amr):
            return self._unless_silent(request, Step.FACTOR)
        for step, needed in _STEPS:
            if needed(self, request, person):
                return self._unless_silent(request, step)
        return Step.DONE

    def _unless_silent(self, request: AuthorizationRequest, step: Step) -> Step:
        if "none" in request.prompt:
            raise self.refusal(request, _SILENT[step], "The person has to be asked.")
        return step

    def _must_log_in(self, request: AuthorizationRequest, session: Session) -> bool:
        if session.created >= request.begun:
            return False  # logged in for this very request
        if "login" in request.prompt or "select_account" in request.prompt:
            return True
        return request.max_age is not None and self._now() - session.created > request.max_age

    def _check_person(self, request: AuthorizationRequest, person: Person) -> None:
        if person.disabled or request.person not in ("", person.id):
            raise self.refusal(request, "access_denied", "This launch is for another person.")
        patient = request.context.patient
        if patient and (person.patient not in ("", patient) or self._chart.patient(person, patient) is None):
            raise self.refusal(request, "access_denied", "This person may not see the patient.")

    def context(self, request: AuthorizationRequest, person: Person) -> Context:
        """The launch context as it stands for this person: a Patient's own patient needs no picker."""
        if person.patient and not request.context.patient:
            return replace(request.context, patient=person.patient)
        return request.context

    def needs_patient(self, request: AuthorizationRequest, person: Person) -> bool:
        """Whether a patient is asked for and none is chosen."""
        asked = any(word == "launch/patient" or word.startswith("patient/") for word in request.scopes)
        return asked and not self.context(request, person).patient

    def needs_encounter(self, request: AuthorizationRequest, person: Person) -> bool:
        """Whether an encounter is asked for, was neither chosen nor left out, and there is one to choose."""
        if "launch/encounter" not in request.scopes or request.encounter_asked or request.context.encounter:
            return False
        patient = self.context(request, person).patient
        return bool(patient and self._chart.encounters(person, patient))

    def needs_consent(self, request: AuthorizationRequest, person: Person) -> bool:
        """Whether the person is asked: always, but for the hospital's own apps, and for an app that asks silently for
        what it still has.

        Consent is remembered for prompt=none alone: who opens an app sees each time what it asks, and may take it away.
        """
        client = self._records.client(request.client)
        if client is None or "consent" in request.prompt:
            return True
        return not client.trusted and not ("none" in request.prompt and self._has_already(request, person))

    def _has_already(self, request: AuthorizationRequest, person: Person) -> bool:
        """Whether a living approval of this person gives this app all that it asks, about the same patient.

        Only where the answer goes by https: any app on a device may claim a loopback port or a scheme (RFC 8252
        section 8.6), and nobody is there to see which one asks.
        """
        asked, patient = parse(request.scope), self.context(request, person).patient
        return request.redirect_uri.startswith("https://") and any(
            approval.client == request.client
            and approval.context.patient == patient
            and covers(parse(approval.scopes), asked)
            for approval in self._records.approvals(person.id)
        )

    def choose_patient(self, request: AuthorizationRequest, person: Person, id: str) -> AuthorizationRequest:
        """Raises RefusedPage for a patient that this person may not see, and where the launch chose already."""
        if not self.needs_patient(request, person) or self._chart.patient(person, id) is None:
            raise RefusedPage("invalid_request", "There is no such patient to choose.")
        return replace(request, context=replace(request.context, patient=id))

    def choose_encounter(self, request: AuthorizationRequest, person: Person, id: str) -> AuthorizationRequest:
        """``id`` '' goes on without an encounter. Raises RefusedPage for one that is not the patient's."""
        patient = self.context(request, person).patient
        known = {""} | {choice.id for choice in self._chart.encounters(person, patient)} if patient else {""}
        if id not in known:
            raise RefusedPage("invalid_request", "There is no such encounter to choose.")
        return replace(request, context=replace(request.context, encounter=id), encounter_asked=True)

    def finish(self, request: AuthorizationRequest, person: Person, session: Session, scopes: str) -> str:
        """Grant ``scopes`` (never more than was asked for): the redirect URL with code, state and iss.

        Nothing granted is a refusal. Raises RefusedPage when a page was left out, RefusedRedirect as next_step.
        """
        if self.next_step(request, person, session) not in (Step.CONSENT, Step.DONE):
            raise RefusedPage("invalid_request", "A step of this authorization was left out.")
        granted = intersect(parse(request.scope), parse(scopes))
        if not granted:
            return self.refuse(request, "access_denied", "The person granted nothing.")
        if len(str(granted)) > LONGEST_SCOPE:
            return self.refuse(request, "invalid_scope", "The scope is too long for a token.")
        code = fresh()
        approval = self._approval(request, person, session, granted)
        self._records.put_approval(approval, self._code(approval, request, code))
        self._tell(request, Event.CONSENT, person, approval)
        return answer_url(request.redirect_uri, code=code, state=request.state, iss=self._issuer)

    def _approval(self, request: AuthorizationRequest, person: Person, session: Session, granted: Scopes) -> Approval:
        offline = granted.has("offline_access")
        return Approval(
            id=fresh(),
            client=request.client,
            scopes=str(granted),
            person=person.id,
            context=self.context(request, person) if _tells_context(granted) else Context(),
            nonce=request.nonce,
            auth_time=session.created,
            amr=session.amr,
            offline=offline,
            session_hash="" if offline else session.session_hash,
            created=self._now(),
            last_used=self._now(),
        )

    def _code(self, approval: Approval, request: AuthorizationRequest, code: str) -> Code:
        return Code(
            code_hash=digest(code),
            approval=approval.id,
            client=request.client,
            redirect_uri=request.redirect_uri,
            challenge=request.challenge,
            expires=self._now() + self._lifetimes.code,
        )

    def _tell(self, request: AuthorizationRequest, event: Event, person: Person, approval: Approval) -> None:
        who = person.fhir_user or person.login
        patient = _reference(approval.context.patient)
        self._note(Told(event=event, who=who, client=request.client, patient=patient, detail=approval.scopes))

    def refuse(self, request: AuthorizationRequest, error: str, description: str) -> str:
        """The redirect URL with error, state and iss, for what a person refused on a page."""
        told = Told(event=Event.CONSENT_REFUSED, client=request.client, detail=error, ok=False)
        self._note(told)
        return self._redirected(request.redirect_uri, request.state, OAuthError(error, description)).url

    def refusal(self, request: AuthorizationRequest, error: str, description: str) -> RefusedRedirect:
        """As ``refuse``, to be raised."""
        return RefusedRedirect(error, description, self.refuse(request, error, description))

    def _redirected(self, to: str, state: str, error: OAuthError) -> RefusedRedirect:
        told = {"error": error.error, "error_description": error.description, "state": state, "iss": self._issuer}
        return RefusedRedirect(error.error, error.description, answer_url(to, **told))


_STEPS = (
    (Step.PATIENT, Authorizations.needs_patient),
    (Step.ENCOUNTER, Authorizations.needs_encounter),
    (Step.CONSENT, Authorizations.needs_consent),
)


def _asked(client: Client, params: Params) -> str:
    """What is asked for, within what the client may ask for. ``launch`` without a handle is standalone: no context."""
    allowed = intersect(parse(client.scopes), parse(params.get("scope", "")))
    if not params.get("launch"):
        allowed = replace(allowed, special=tuple(word for word in allowed.special if word != "launch"))
    if not allowed:
        raise OAuthError("invalid_scope", "Nothing of the scope asked for is open to this app.")
    return str(allowed)


def _tells_context(granted: Scopes) -> bool:
    return "patient" in granted.contexts or any(word.startswith("launch") for word in granted.special)


def _reference(patient: str) -> str:
    return f"Patient/{patient}" if patient else ""
