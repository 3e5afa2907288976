"""A token from the command line, for who holds the data folder: ``hearth token --scope ... [--patient ...]``.

RFC 9068; it is one of the client ``hearth-cli`` and listed, told to the audit trail and revoked as any other.
"""

from smart_auth.errors import OAuthError
from smart_auth.model import Approval, Claims, Client, Context, Event, Told
from smart_auth.oauth.issue import clearance
from smart_auth.people.secret import fresh
from smart_auth.scopes.algebra import Scopes, parse, refuse_mixed_contexts
from smart_auth.scopes.grants import WHOLE_RECORD
from smart_auth.service import AuthService

CLIENT = "hearth-cli"


def development_token(service: AuthService, scope: str, patient: str = "") -> str:
    """An access token for ``scope``: an hour, five minutes for system/ scopes; ``patient`` is the id of the patient in
    context. Raises OAuthError invalid_scope for what no token could say."""
    scopes = _checked(scope, patient)
    backend = "system" in scopes.contexts
    if service.records.client(CLIENT) is None:
        service.records.put_client(Client(id=CLIENT, name="Command line", created=service.now()))
    approval = Approval(
        id=fresh(),
        client=CLIENT,
        scopes=str(scopes),
        context=Context(patient=patient),
        created=service.now(),
        last_used=service.now(),
    )
    service.records.put_approval(approval)
    claims = _claims(service, approval, backend)
    reference = f"Patient/{patient}" if patient else ""
    service.tell(Told(event=Event.TOKEN, who="cli", client=CLIENT, patient=reference, detail=approval.scopes))
    token: str = service.issue.bearer(claims, None)["access_token"]
    return token


def _checked(scope: str, patient: str) -> Scopes:
    scopes = parse(scope)
    refuse_mixed_contexts(scopes)
    if scopes.malformed or not scopes.resources:
        raise OAuthError("invalid_scope", "These are no SMART scopes, such as user/*.cruds or patient/Observation.rs.")
    if "patient" in scopes.contexts and not patient:
        raise OAuthError("invalid_scope", "patient/ scopes need the id of a patient.")
    return scopes


def _claims(service: AuthService, approval: Approval, backend: bool) -> Claims:
    now, lifetimes = service.now(), service.lifetimes
    return Claims(
        jti=fresh(),
        family=approval.id,
        client=CLIENT,
        scope=approval.scopes,
        issued=now,
        expires=now + (lifetimes.backend_token if backend else lifetimes.user_token),
        subject=CLIENT,
        who="" if backend else CLIENT,
        reach=WHOLE_RECORD,
        patient=approval.context.patient,
        clearance=clearance(service.records, approval),
    )
