"""Who logged in, for an app that holds a token with the scope openid.

OpenID Connect Core 1.0 section 5.3.
"""

from smart_auth.errors import OAuthError
from smart_auth.oauth import id_token
from smart_auth.oauth.answer import Answer
from smart_auth.oauth.verifier import Verifier
from smart_auth.ports import Records
from smart_auth.scopes.algebra import parse


class Userinfo:
    """Answers userinfo requests."""

    def __init__(self, *, base: str, records: Records, verifier: Verifier) -> None:
        self._base, self._records, self._verifier = base, records, verifier

    def answer(self, token: str) -> Answer:
        """Raises OAuthError invalid_token (401) or insufficient_scope (403)."""
        claims = self._verifier.claims(token)
        scopes = parse(claims.scope)
        if not scopes.has("openid"):
            raise OAuthError("insufficient_scope", "The scope openid is needed.", 403)
        person = self._records.person(claims.subject)
        if person is None or person.disabled:
            raise OAuthError("invalid_token", "The access token is not valid here.", 401)
        return Answer(200, {"sub": person.id, **id_token.identity(person, scopes, self._base)})
