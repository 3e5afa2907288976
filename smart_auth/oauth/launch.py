"""An EHR launches an app: it tells us the context and gets a handle, which the app brings back once.

SMART App Launch 2.2 sections 2.0.6 (EHR launch) and 3.0 (launch context, fhirContext).
"""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from smart_auth.errors import OAuthError
from smart_auth.lifetimes import Lifetimes
from smart_auth.model import Client, Context, Event, Launch, Person, Told
from smart_auth.oauth.answer import Answer
from smart_auth.oauth.client_authentication import ClientAuthentication, Presented
from smart_auth.oauth.refused import answer_url
from smart_auth.oauth.staff import staff_of
from smart_auth.oauth.verifier import Verifier
from smart_auth.people.secret import digest, fresh
from smart_auth.ports import Chart, Note, Records
from smart_auth.scopes.algebra import parse

_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9\-.]{1,64}\Z")]
_Text = Annotated[str, msgspec.Meta(max_length=512)]
_URL = Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^https?://[^\s]+\Z")]
_Reference = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Za-z]{1,40}/[A-Za-z0-9\-.]{1,64}\Z")]


class FhirContext(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An item of fhirContext: what else is open. One of reference (relative), canonical and identifier is there."""

    reference: _Reference = ""
    canonical: _Text = ""
    identifier: dict[str, Any] = {}
    type: _Text = ""
    role: _Text = ""


class LaunchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an EHR tells, as JSON. ``app`` is the client that is launched, ``person`` the login of who launches it;
    the other names are those of the token response. Client authentication may stand beside them."""

    app: _Text = ""
    person: _Text = ""
    patient: _Id | None = None
    encounter: _Id | None = None
    fhirContext: Annotated[tuple[FhirContext, ...], msgspec.Meta(max_length=50)] = ()
    intent: _Text = ""
    need_patient_banner: bool = True
    smart_style_url: _URL | None = None
    client_id: _Text = ""
    client_assertion: str = ""
    client_assertion_type: _Text = ""


class Launches:
    """Mints launch handles, for EHRs and for our own pages. ``style_url`` is told to apps when the EHR names none."""

    def __init__(
        self,
        *,
        base: str,
        records: Records,
        chart: Chart,
        authentication: ClientAuthentication,
        verifier: Verifier,
        note: Note,
        now: Callable[[], int],
        lifetimes: Lifetimes,
        style_url: str,
    ) -> None:
        self._base, self._records, self._chart, self._style_url = base, records, chart, style_url
        self._authentication, self._verifier = authentication, verifier
        self._note, self._now, self._lifetimes = note, now, lifetimes

    def answer(self, body: bytes, authorization: str, address: str) -> Answer:
        """A handle for the context in ``body``. Raises OAuthError: invalid_request, invalid_client, invalid_token,
        insufficient_scope (403)."""
        asked = _read(body)
        ehr, person = self._caller(asked, authorization, address)
        app = self._app(asked)
        return Answer(201, self._told(self._minted(asked, person, ehr), app))

    def apps(self) -> list[Client]:
        """Those that a person can open from a chart, by name."""
        found = [client for client in self._records.clients() if _opens(client)]
        return sorted(found, key=lambda client: (client.name.casefold(), client.id))

    def address(self, person: Person, app: str, patient: str, encounter: str, through: str) -> str:
        """Where the browser of ``person`` goes, who opens ``app`` (of ``apps``) with what is in front of them on a page
        of ours, ``through`` which audit rows say it was. ``encounter`` may be ''. Raises OAuthError."""
        client = next((one for one in self.apps() if one.id == app), None)
        if client is None:
            raise OAuthError("invalid_request", "There is no such app.")
        asked = LaunchRequest(app=app, patient=patient, encounter=encounter or None)
        return answer_url(client.launch_uri, iss=self._base, launch=self._minted(asked, person, through))

    def _minted(self, asked: LaunchRequest, person: Person | None, ehr: str) -> str:
        """The handle. Raises OAuthError for what ``person`` may not see."""
        self._check_context(asked, person)
        handle = fresh()
        launch = Launch(
            launch_hash=digest(handle),
            context=self._context(asked),
            expires=self._now() + self._lifetimes.launch,
            client=asked.app,
            person=person.id if person else "",
        )
        self._records.put_launch(launch)
        who = (person.fhir_user or person.login) if person else ""
        patient = f"Patient/{asked.patient}" if asked.patient else ""
        self._note(Told(event=Event.LAUNCH, who=who, client=ehr, patient=patient, detail=f"for {asked.app or 'any'}"))
        return handle

    def _caller(self, asked: LaunchRequest, authorization: str, address: str) -> tuple[str, Person | None]:
        """(client, who launches): an EHR for the person it names, or staff for themselves in the hospital's own app."""
        if authorization[:7].lower() == "bearer ":
            staff = staff_of(authorization[7:].strip(), self._verifier, self._records)
            return staff.claims.client, staff.person
        names = ("client_id", "client_assertion", "client_assertion_type")
        form = {name: getattr(asked, name) for name in names if getattr(asked, name)}
        client = self._authentication(Presented(authorization, form, address), public=False)
        if not client.ehr:
            raise OAuthError("unauthorized_client", "This client may not launch apps.", 403)
        return client.id, self._person(asked.person) if asked.person else None

    def _person(self, login: str) -> Person:
        person = self._records.person_by_login(login.strip().lower())
        if person is None or person.disabled:
            raise OAuthError("invalid_request", "There is no such person.")
        return person

    def _app(self, asked: LaunchRequest) -> Client | None:
        client = self._records.client(asked.app) if asked.app else None
        if asked.app and (client is None or client.disabled):
            raise OAuthError("invalid_request", "There is no such app.")
        return client

    def _check_context(self, asked: LaunchRequest, person: Person | None) -> None:
        if asked.patient and not self._sees(asked.patient, person):
            raise OAuthError("invalid_request", "There is no such patient.")
        if asked.encounter and self._chart.patient_of(f"Encounter/{asked.encounter}") != (asked.patient or None):
            raise OAuthError("invalid_request", "There is no such encounter of the patient.")
        if any(not (item.reference or item.canonical or item.identifier) for item in asked.fhirContext):
            raise OAuthError("invalid_request", "Each fhirContext has a reference, a canonical or an identifier.")

    def _sees(self, patient: str, person: Person | None) -> bool:
        if person is None:
            return self._chart.exists(f"Patient/{patient}")
        return self._chart.patient(person, patient) is not None

    def _context(self, asked: LaunchRequest) -> Context:
        return Context(
            patient=asked.patient or "",
            encounter=asked.encounter or "",
            fhir_context=tuple(msgspec.to_builtins(item) for item in asked.fhirContext),
            intent=asked.intent,
            need_patient_banner=asked.need_patient_banner,
            smart_style_url=asked.smart_style_url or self._style_url,
        )

    def _told(self, handle: str, app: Client | None) -> dict[str, Any]:
        told: dict[str, Any] = {"launch": handle, "iss": self._base, "expires_in": self._lifetimes.launch}
        if app and app.launch_uri:
            told["launch_url"] = answer_url(app.launch_uri, iss=self._base, launch=handle)
        return told


def _opens(client: Client) -> bool:
    """Whether ``client`` can be launched by a browser: a handle is of no use to who may not ask for ``launch``."""
    web = client.launch_uri.startswith(("https://", "http://"))
    return web and not client.disabled and parse(client.scopes).has("launch")


def _read(body: bytes) -> LaunchRequest:
    try:
        return msgspec.json.decode(body, type=LaunchRequest)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        raise OAuthError("invalid_request", "The body is JSON with the fields of a launch.") from None
