"""What a token means, for those who may ask: clients that authenticate, or hold an access token themselves.

RFC 7662; SMART App Launch 2.2, Token Introspection. Whatever is no live token of ours, or of nobody's business, has
one answer: inactive.
"""

from typing import Any

from smart_auth.errors import OAuthError
from smart_auth.model import Approval, Claims, Client, Event, Told
from smart_auth.oauth.answer import Answer
from smart_auth.oauth.client_authentication import ClientAuthentication, Presented
from smart_auth.oauth.families import Families
from smart_auth.oauth.id_token import identity
from smart_auth.oauth.issue import context_fields
from smart_auth.oauth.verifier import Verifier
from smart_auth.ports import Note, Records
from smart_auth.scopes.algebra import parse

INACTIVE = {"active": False}


class Introspection:
    """Answers introspection requests."""

    def __init__(
        self,
        *,
        base: str,
        issuer: str,
        records: Records,
        families: Families,
        authentication: ClientAuthentication,
        verifier: Verifier,
        note: Note,
    ) -> None:
        self._base, self._issuer, self._records, self._families = base, issuer, records, families
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
            return self._refresh_token(caller, token)
        approval = self._families.live(claims.family)
        if approval is None or not (caller.introspects or claims.client == caller.id):
            return INACTIVE
        return self._told(claims, approval) | self._person(caller, claims, approval)

    def _refresh_token(self, caller: Client, secret: str) -> dict[str, Any]:
        """Only to the client that holds it: a resource server must never take one for an access token."""
        found = self._families.usable(secret, caller.id)
        if found is None:
            return INACTIVE
        token, approval = found
        return {
            "active": True,
            "scope": approval.scopes,
            "client_id": approval.client,
            "exp": token.expires,
            "iss": self._issuer,
            "sub": approval.person,
        }

    def _person(self, caller: Client, claims: Claims, approval: Approval) -> dict[str, str]:
        """Who it is, as far as an app may know by its scopes; resource servers may know, as they act on it."""
        person = self._families.person(approval)
        if person is None:
            return {}
        if not caller.introspects:
            return identity(person, parse(claims.scope), self._base)
        known = {"fhirUser": f"{self._base}/{person.fhir_user}"} if person.fhir_user else {}
        return {"username": person.login, **known}

    def _told(self, claims: Claims, approval: Approval) -> dict[str, Any]:
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
        seen = {"patient": claims.patient, "encounter": claims.encounter}
        same = claims.patient == approval.context.patient  # after breaking the glass it is another
        context = context_fields(approval.context) if same else {}
        return body | context | {name: value for name, value in seen.items() if value}
