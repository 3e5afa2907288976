"""What a token says and what stands beside it: from an approval to the body of the token response.

SMART App Launch 2.2 sections 2.0.11 and 3.0 (launch context), RFC 6749 section 5.1.
"""

from collections.abc import Callable
from typing import Any

from smart_auth.lifetimes import Lifetimes
from smart_auth.model import Approval, Claims, Clearance, Context, Person
from smart_auth.oauth import id_token
from smart_auth.oauth.access_token import Mint
from smart_auth.people.secret import fresh
from smart_auth.ports import Records
from smart_auth.scopes.algebra import parse
from smart_auth.scopes.grants import WHOLE_RECORD


def reach(person: Person | None) -> str:
    """What a person may see at all: staff the whole record, who has a patient that compartment, others nothing. A
    backend client (None) reaches the whole record, within its system/ scopes."""
    if person is None or person.staff:
        return WHOLE_RECORD
    return f"Patient/{person.patient}" if person.patient else ""


def clearance(records: Records, approval: Approval) -> Clearance:
    """How much a token of ``approval`` sees of what is labelled: what both its app and its person may.

    Asked of the records and not of what the caller has read before: whoever takes a clearance away writes that first
    and then ends the families there are, so that a family stored later than that finds it gone here.
    """
    client = records.client(approval.client)
    given = [client.clearance if client else Clearance.NORMAL]
    if approval.person:
        person = records.person(approval.person)
        given.append(person.clearance if person else Clearance.NORMAL)
    return Clearance.least(*given)


def name(person: Person | None) -> str:
    """How audit rows name a person."""
    return (person.fhir_user or person.login) if person else ""


def context_fields(context: Context) -> dict[str, Any]:
    """The launch context in the words of the token response; what is not known is left out."""
    told = {
        "patient": context.patient,
        "encounter": context.encounter,
        "fhirContext": list(context.fhir_context),
        "intent": context.intent,
        "smart_style_url": context.smart_style_url,
        "tenant": context.tenant,
    }
    found: dict[str, Any] = {name: value for name, value in told.items() if value}
    if context.need_patient_banner is not None:
        found["need_patient_banner"] = context.need_patient_banner
    return found


class Issue:
    """Issues tokens of an approval that is stored."""

    def __init__(
        self, *, base: str, mint: Mint, records: Records, now: Callable[[], int], lifetimes: Lifetimes
    ) -> None:
        self._base, self._mint, self._records, self._now, self._lifetimes = base, mint, records, now, lifetimes

    def claims(self, approval: Approval, person: Person | None, scope: str) -> Claims:
        """What an access token of ``approval`` says; ``person`` None for a backend client."""
        now = self._now()
        return Claims(
            jti=fresh(),
            family=approval.id,
            client=approval.client,
            scope=scope,
            issued=now,
            expires=now + self._lifetime(approval, person),
            subject=person.id if person else approval.client,
            who=name(person),
            reach=reach(person),
            patient=approval.context.patient,
            encounter=approval.context.encounter,
            clearance=clearance(self._records, approval),
        )

    def _lifetime(self, approval: Approval, person: Person | None) -> int:
        """Seconds that an access token of the approval lives."""
        if person is None:
            return self._lifetimes.backend_token
        online = not approval.offline and parse(approval.scopes).has("online_access")
        return self._lifetimes.online_token if online else self._lifetimes.user_token

    def response(self, approval: Approval, person: Person | None, scope: str, refresh: str = "") -> dict[str, Any]:
        """The token response for ``scope`` of the approval, with ``refresh`` as its refresh token when there is one."""
        claims = self.claims(approval, person, scope)
        body = self.bearer(claims, person) | context_fields(approval.context)
        if refresh:
            body["refresh_token"] = refresh
        if person and parse(scope).has("openid"):
            body["id_token"] = self._id_token(approval, person, claims, body["access_token"])
        return body

    def bearer(self, claims: Claims, person: Person | None) -> dict[str, Any]:
        """The four fields that every token response has."""
        return {
            "access_token": self._mint.access_token(claims, person.fhir_user if person else ""),
            "token_type": "Bearer",
            "expires_in": claims.expires - claims.issued,
            "scope": claims.scope,
        }

    def _id_token(self, approval: Approval, person: Person, claims: Claims, access_token: str) -> str:
        lifetime = claims.expires - claims.issued
        body = id_token.body(approval, person, parse(claims.scope), self._base, claims.issued, lifetime)
        return self._mint.id_token(body | {"at_hash": id_token.at_hash(access_token)})
