"""The three grants of the token endpoint, on Authlib's: authorization_code, refresh_token, client_credentials.

RFC 6749 sections 4.1, 4.4 and 6, RFC 7636 (S256 alone); SMART App Launch 2.2 and its Backend Services.
"""

from typing import Any, ClassVar

from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc6749.errors import InvalidGrantError
from authlib.oauth2.rfc7636 import CodeChallenge

from smart_auth.errors import OAuthError
from smart_auth.model import Approval, Client, ClientKind, Code, Person, RefreshToken
from smart_auth.oauth.access_token import LONGEST_SCOPE
from smart_auth.oauth.answer import NO_STORE
from smart_auth.people.secret import fresh
from smart_auth.scopes.algebra import intersect, narrowed, parse, refuse_mixed_contexts


class Registered(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """A client as Authlib asks about it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def check_grant_type(self, grant_type: str) -> bool:
        """Services without a person are asymmetric clients alone (SMART: a secret is not enough)."""
        if grant_type == "client_credentials":
            return self.client.backend and self.client.kind is ClientKind.ASYMMETRIC
        return bool(self.client.redirect_uris)


class Redeemed:
    """A code that was just used, as Authlib asks about it."""

    def __init__(self, code: Code, approval: Approval) -> None:
        self.approval, self.redirect_uri, self.code_challenge = approval, code.redirect_uri, code.challenge

    def get_redirect_uri(self) -> str:
        return self.redirect_uri


class Presented:
    """A refresh token that may be used, as Authlib asks about it."""

    def __init__(self, token: RefreshToken, approval: Approval) -> None:
        self.token, self.approval = token, approval

    def check_client(self, client: Registered) -> bool:
        return self.token.client == client.client.id


class S256(CodeChallenge):  # type: ignore[misc]
    """PKCE by S256, for every client."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    CODE_CHALLENGE_METHODS: ClassVar = {"S256": CodeChallenge.CODE_CHALLENGE_METHODS["S256"]}

    def get_authorization_code_challenge_method(self, authorization_code: Redeemed) -> str:
        return "S256"


_Answered = tuple[int, dict[str, Any], list[tuple[str, str]]]


class _Answers:
    """Answers with a token of an approval. Authlib's own way prints tokens at DEBUG and keeps them in clear."""

    request: Any
    server: Any

    def _answered(self, approval: Approval, person: Person | None, scope: str, refresh: str = "") -> _Answered:
        body = self.server.issue.response(approval, person, scope, refresh)
        self.request.issued = (approval, person, scope)
        return 200, body, list(NO_STORE.items())


class CodeGrant(_Answers, grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """authorization_code: the code is used up by the first who names its client, whatever else is wrong."""

    def query_authorization_code(self, code: str, client: Registered) -> Redeemed | None:
        found = self.server.families.redeem(code, client.client.id)
        return Redeemed(*found) if found else None

    def create_token_response(self) -> _Answered:
        approval = self.request.authorization_code.approval
        person = self.server.families.person(approval)
        if person is None:
            raise InvalidGrantError
        return self._answered(approval, person, approval.scopes, self.server.families.first_refresh(approval))


class RefreshGrant(_Answers, grants.RefreshTokenGrant):  # type: ignore[misc]
    """refresh_token: each is used once and followed by another."""

    def authenticate_refresh_token(self, refresh_token: str) -> Presented | None:
        found = self.server.families.of_refresh(refresh_token, self.request.client.client.id)
        return Presented(*found) if found else None

    def _validate_token_scope(self, token: Presented) -> None:
        """Narrowing lasts for this access token alone; the family keeps what was granted. What an administrator took
        from the client since is gone."""
        granted = intersect(parse(self.request.client.client.scopes), parse(token.approval.scopes))
        if not granted:
            raise OAuthError("invalid_scope", "Nothing of what was granted is open to this app any more.")
        self.request.scope = str(narrowed(granted, self.request.form.get("scope", "")))

    def create_token_response(self) -> _Answered:
        presented: Presented = self.request.refresh_token
        person = self.server.families.person(presented.approval)
        if person is None:
            raise InvalidGrantError
        successor = self.server.families.rotate(presented.token, presented.approval)
        if successor is None:
            raise InvalidGrantError
        return self._answered(presented.approval, person, self.request.scope, successor)


class BackendGrant(_Answers, grants.ClientCredentialsGrant):  # type: ignore[misc]
    """client_credentials: a service within the system/ scopes it was registered for; no refresh token."""

    def create_token_response(self) -> _Answered:
        client: Client = self.request.client.client
        asked = parse(self.request.form.get("scope", ""))
        refuse_mixed_contexts(asked)
        granted = intersect(parse(client.scopes), asked)
        if not granted.resources or granted.contexts != {"system"}:
            raise OAuthError("invalid_scope", "A backend service asks for system/ scopes it is registered for.")
        if len(str(granted)) > LONGEST_SCOPE:
            raise OAuthError("invalid_scope", "The scope is too long for a token.")
        now = self.server.now()
        approval = Approval(id=fresh(), client=client.id, scopes=str(granted), created=now, last_used=now)
        self.server.records.put_approval(approval)
        self._check_still_there(approval)
        return self._answered(approval, None, approval.scopes)

    def _check_still_there(self, approval: Approval) -> None:
        """Who shuts a client out ends the families that there are; this one may have come just after."""
        client = self.server.records.client(approval.client)
        if client is None or client.disabled:
            raise OAuthError("invalid_client", "The client could not be authenticated.", 401)
