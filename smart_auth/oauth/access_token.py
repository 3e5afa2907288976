"""Access tokens: signed JWTs that a request is decided by without asking a database.

RFC 9068 (profile), RFC 7519; our own claims begin with ``hearth_``.
"""

from typing import Any

import msgspec
from joserfc import jwt

from smart_auth.model import Claims, Clearance
from smart_auth.oauth.keys import Keys

ALGORITHM = "RS256"
TYPE = "at+jwt"
LONGEST_SCOPE = 5000
"""Characters of a granted scope: HTTP servers take header lines of about 8 kB, and the token must fit in one."""


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The payload of an access token, as RFC 9068 and SMART name it; ``sid`` is the token family."""

    # Beside model.Claims on purpose: these are the words of the wire, which apps and resource servers read; those are
    # ours, which may change. The one place where they meet is below.

    iss: str
    aud: str
    sub: str
    client_id: str
    scope: str
    jti: str
    sid: str
    iat: int
    exp: int
    patient: str = ""
    encounter: str = ""
    fhirUser: str = ""
    hearth_reach: str = ""
    hearth_who: str = ""
    hearth_purpose: str = ""
    hearth_tenant: int = 0
    hearth_clearance: Clearance = Clearance.NORMAL

    def claims(self) -> Claims:
        """What a request is decided by."""
        return Claims(
            jti=self.jti,
            family=self.sid,
            client=self.client_id,
            scope=self.scope,
            expires=self.exp,
            issued=self.iat,
            subject=self.sub,
            who=self.hearth_who,
            reach=self.hearth_reach,
            patient=self.patient,
            encounter=self.encounter,
            purpose=self.hearth_purpose,
            tenant=self.hearth_tenant,
            clearance=self.hearth_clearance,
        )


def payload(claims: Claims, *, issuer: str, base: str, fhir_user: str) -> Payload:
    """The payload that says ``claims``; ``fhir_user`` is a relative reference or ''."""
    return Payload(
        iss=issuer,
        aud=base,
        sub=claims.subject,
        client_id=claims.client,
        scope=claims.scope,
        jti=claims.jti,
        sid=claims.family,
        iat=claims.issued,
        exp=claims.expires,
        patient=claims.patient,
        encounter=claims.encounter,
        fhirUser=f"{base}/{fhir_user}" if fhir_user else "",
        hearth_reach=claims.reach,
        hearth_who=claims.who,
        hearth_purpose=claims.purpose,
        hearth_tenant=claims.tenant,
        hearth_clearance=claims.clearance,
    )


def sign(body: dict[str, Any], type: str, keys: Keys) -> str:
    """A compact JWT of ``body`` under the key of today."""
    kid, key = keys.current()
    return jwt.encode({"alg": ALGORITHM, "typ": type, "kid": kid}, body, key, algorithms=[ALGORITHM])


class Mint:
    """Makes access tokens. ``base`` is their audience."""

    def __init__(self, *, base: str, issuer: str, keys: Keys) -> None:
        self._base, self._issuer, self._keys = base, issuer, keys

    def access_token(self, claims: Claims, fhir_user: str = "") -> str:
        """The token that says ``claims``."""
        body = payload(claims, issuer=self._issuer, base=self._base, fhir_user=fhir_user)
        return sign(msgspec.to_builtins(body), TYPE, self._keys)

    def id_token(self, body: dict[str, Any]) -> str:
        """An OpenID Connect token: of another type, so that none is ever taken for the other."""
        return sign({"iss": self._issuer, **body}, "JWT", self._keys)
