"""Identity tokens: who logged in, when and how.

OpenID Connect Core 1.0 sections 2 and 3.1.3.6; SMART App Launch 2.2 section 3.0.7 (``fhirUser``).
"""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

from smart_auth.model import Approval, Person
from smart_auth.scopes.algebra import Scopes


def body(approval: Approval, person: Person, scopes: Scopes, base: str, now: int, lifetime: int) -> dict[str, Any]:
    """The claims about ``person`` for the client of ``approval``; ``iss`` and ``at_hash`` are added by who signs.

    fhirUser is told when it was asked for and is known.
    """
    found: dict[str, Any] = {
        "sub": person.id,
        "aud": approval.client,
        "iat": now,
        "exp": now + lifetime,
        "auth_time": approval.auth_time,
    }
    if approval.nonce:
        found["nonce"] = approval.nonce
    if approval.amr:
        found["amr"] = list(approval.amr)
    return found | identity(person, scopes, base)


def identity(person: Person, scopes: Scopes, base: str) -> dict[str, str]:
    """What the scopes let an app know of a person, in an id_token and from userinfo alike."""
    found: dict[str, str] = {}
    if person.fhir_user and scopes.has("fhirUser"):
        found["fhirUser"] = f"{base}/{person.fhir_user}"
    if scopes.has("profile"):
        found["name"] = person.name
        if person.fhir_user:
            found["profile"] = f"{base}/{person.fhir_user}"
    return found


def at_hash(access_token: str) -> str:
    """The left half of its SHA-256, base64url: binds the id_token to the access token beside it."""
    return urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()[:16]).rstrip(b"=").decode()
