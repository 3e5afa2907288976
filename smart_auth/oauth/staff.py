"""The staff person behind a bearer token, for what only staff may start, through the hospital's own apps: launches and
breaking the glass.

SMART App Launch 2.2 section 2.0.6 (launch from an EHR session).
"""

from typing import NamedTuple

from smart_auth.errors import OAuthError
from smart_auth.model import Claims, Person
from smart_auth.oauth.verifier import Verifier
from smart_auth.ports import Records


class Staff(NamedTuple):
    """A staff person and the token that they call with."""

    person: Person
    claims: Claims


def staff_of(token: str, verifier: Verifier, records: Records) -> Staff:
    """Raises OAuthError: invalid_token (401); insufficient_scope (403) when it is no staff person's, was itself got by
    breaking the glass, or is in the hands of an app that is not the hospital's own: nobody who consents to a
    stranger's app is told that it could ask who is a patient, or see what its scopes do not name."""
    claims = verifier.claims(token)
    approval = records.approval(claims.family)
    person = records.person(approval.person) if approval and approval.person and not approval.revoked else None
    if person is None or person.disabled or not person.staff or claims.purpose:
        raise OAuthError("insufficient_scope", "Only a member of staff may do this.", 403)
    client = records.client(claims.client)
    if client is None or client.disabled or not (client.trusted or client.ehr):
        raise OAuthError("insufficient_scope", "Only the hospital's own apps may do this.", 403)
    return Staff(person, claims)
