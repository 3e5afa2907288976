"""From the token of a request to its caller: verified, not revoked, its grants remembered; no database is asked.

RFC 6750 (bearer tokens; ours come in the Authorization header alone), SMART App Launch 2.2 (scopes).
"""

from collections.abc import Callable

from fhir_server.http.errors import InvalidToken
from fhir_server.http.request import Request, client_address
from resources.errors import LoginRequired
from resources.repository import Caller, Grants
from smart_auth.errors import OAuthError
from smart_auth.model import Claims
from smart_auth.scopes.grants import Key, grants, key

_REMEMBERED = 4096


class Callers:
    """Says who a request comes from. ``claims`` verifies a token and raises OAuthError (smart_auth.oauth.verifier)."""

    def __init__(self, claims: Callable[[str], Claims]) -> None:
        self._claims = claims
        self._grants: dict[Key, Grants] = {}

    def __call__(self, request: Request) -> Caller:
        """Raises LoginRequired without a token, InvalidToken with a bad one, Unavailable when nobody can know."""
        try:
            claims = self._claims(_token(request.environ.get("HTTP_AUTHORIZATION", "")))
        except OAuthError as error:
            raise InvalidToken(error.description) from None
        return Caller(
            claims.who,
            client=claims.client,
            tenant=claims.tenant,
            purpose=claims.purpose,
            address=client_address(request.environ),
            request_id=request.id,
            grants=self._granted(claims),
        )

    def _granted(self, claims: Claims) -> Grants:
        """The same object for tokens that may do the same: it remembers what it was asked."""
        asked = key(claims)
        found = self._grants.get(asked)
        if found is None:
            if len(self._grants) >= _REMEMBERED:
                self._grants = {}
            found = self._grants[asked] = Grants(grants(claims))
        return found


def _token(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise LoginRequired("This server answers who shows an access token: Authorization: Bearer ...")
    return token.strip()
