"""What a token means, for those who may ask: clients that authenticate, or hold an access token themselves.

RFC 7662; SMART App Launch 2.2, Token Introspection. Whatever is no live token of ours, or of nobody's business, has
one answer: inactive.
"""

from typing import Any

from smart_auth.errors import OAuthError
from smart_auth.model import Approval, Claims, Client, Event, Told
from smart_auth.oauth.answer import Answer
from smart_auth.oauth.client_authentication import ClientAuthentication, Presented
from smart_auth.oauth.issue import context_fields
from smart_auth.oauth.verifier import Verifier
from smart_auth.ports import Note, Records

INACTIVE = {"active": False}


class Introspection:
    """Answers introspection requests."""

    def __init__(
        self,
        *,
        base: str,
        issuer: str,
        records: Records,
        authentication: ClientAuthentication,
        verifier: Verifier,
        note: Note,
    ) -> None:
        self._base, self._issuer, self._records = base, issuer, records
        self._authentication, self._verifier, self._note = authentication, verifier, note

    def answer(self, presented: Presented) -> Answer:
        """Raises OAuthError when the caller may not ask at all."""
        caller = self._caller(presented)
        if not presented.form.get("token"):
            raise OAuthError("invalid_request", "The parameter token is missing.")
        body = self._seen_by(caller, presented.form["token"])
        self._note(Told(event=Event.INTROSPECTION, client=caller.id, detail=str(body["active"]).lower()))
        return Answer(200, body)

    def _caller(self, presented: Presented) -> Client:
        """SMART: a client may also show an access token instead of its credentials."""
        if presented.authorization[:7].lower() != "bearer ":
            return self._authentication(presented, public=False)
        claims = self._verifier.claims(presented.authorization[7:].strip())
        client = self._records.client(claims.client)
        if client is None or client.disabled:
            raise OAuthError("invalid_token", "The access token is not valid here.", 401)
        return client

    def _seen_by(self, caller: Client, token: str) -> dict[str, Any]:
        """A client sees its own tokens; those registered to introspect see every client's."""
        try:
            claims = self._verifier.claims(token)
        except OAuthError:
            return INACTIVE
        approval = self._records.approval(claims.family)
        if approval is None or approval.revoked or not (caller.introspects or claims.client == caller.id):
            return INACTIVE
        return self._told(claims, approval)

    def _told(self, claims: Claims, approval: Approval) -> dict[str, Any]:
        person = self._records.person(approval.person) if approval.person else None
        body = {
            "active": True,
            "scope": claims.scope,
            "client_id": claims.client,
            "token_type": "Bearer",
            "exp": claims.expires,
            "iat": claims.issued,
            "iss": self._issuer,
            "aud": self._base,
            "sub": claims.subject,
            "jti": claims.jti,
        }
        if person:
            body["username"] = person.login
        if person and person.fhir_user:
            body["fhirUser"] = f"{self._base}/{person.fhir_user}"
        seen = {"patient": claims.patient, "encounter": claims.encounter}
        return body | context_fields(approval.context) | {name: value for name, value in seen.items() if value}
