"""The token endpoint: Authlib's authorization server without a framework, with our clients, codes and tokens.

RFC 6749 section 3.2 and 5; SMART App Launch 2.2 sections 2.0.10-2.0.11.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from smart_auth.errors import OAuthError
from smart_auth.model import ClientKind, Event, Told
from smart_auth.oauth.answer import Answer, refused
from smart_auth.oauth.client_authentication import ClientAuthentication, Presented
from smart_auth.oauth.families import Families
from smart_auth.oauth.grant_types import S256, BackendGrant, CodeGrant, RefreshGrant, Registered
from smart_auth.oauth.issue import Issue, name
from smart_auth.ports import Note, Records

# Authlib writes requests and tokens at DEBUG; nothing of that is ever wanted.
logging.getLogger("authlib").setLevel(logging.INFO)

_GRANTS = {grant.GRANT_TYPE: grant for grant in (CodeGrant, RefreshGrant, BackendGrant)}
GRANT_TYPES: tuple[str, ...] = tuple(_GRANTS)


class TokenRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A request as Authlib reads it: of the body alone, each parameter once. ``issued`` is told to the audit trail."""

    def __init__(self, presented: Presented) -> None:
        # Whether the transport is secure is seen at the edge, behind which TLS may end; Authlib would judge the URL.
        super().__init__("POST", "https://localhost/auth/token")
        self.presented, self.payload, self.issued = presented, BasicOAuth2Payload(presented.form), None

    @property
    def form(self) -> Mapping[str, str]:
        return self.presented.form


class TokenEndpoint(AuthorizationServer):  # type: ignore[misc]
    """Answers token requests; every outcome is told to the audit trail."""

    def __init__(
        self,
        *,
        records: Records,
        authentication: ClientAuthentication,
        families: Families,
        issue: Issue,
        note: Note,
        now: Callable[[], int],
    ) -> None:
        super().__init__()
        self.records, self.families, self.issue, self.now = records, families, issue, now
        self._authentication, self._note = authentication, note
        self.register_grant(CodeGrant, [S256(required=True)])
        self.register_grant(RefreshGrant)
        self.register_grant(BackendGrant)

    def answer(self, presented: Presented) -> Answer:
        """The response to a form that was posted to the token endpoint. Never raises OAuthError."""
        request = TokenRequest(presented)
        try:
            _check_grant_type(presented.form.get("grant_type", ""))
            answer: Answer = self.create_token_response(request)
        except OAuthError as error:
            answer = refused(error)
        self._tell(request, answer)
        return answer

    def _tell(self, request: TokenRequest, answer: Answer) -> None:
        client = request.client.client.id if request.client else ""
        if request.issued is None or answer.status != 200:
            error = (answer.body or {}).get("error", "")
            self._note(Told(event=Event.TOKEN_REFUSED, client=client, detail=error, ok=False))
            return
        approval, person, scope = request.issued
        patient = f"Patient/{approval.context.patient}" if approval.context.patient else ""
        self._note(Told(event=Event.TOKEN, who=name(person), client=client, patient=patient, detail=scope))

    # What Authlib asks of who brings it to a framework.

    def create_oauth2_request(self, request: TokenRequest) -> TokenRequest:
        return request

    def authenticate_client(self, request: TokenRequest, methods: object, endpoint: str = "token") -> Registered:
        client = self._authentication(request.presented)
        request.auth_method = "none" if client.kind is ClientKind.PUBLIC else str(client.kind)
        request.client = registered = Registered(client)
        return registered

    def handle_error_response(self, request: TokenRequest, error: OAuth2Error) -> Answer:
        description = _UNIFORM.get(error.error) or error.get_error_description() or "The request cannot be answered."
        return refused(OAuthError(error.error, description, error.status_code))

    def handle_response(self, status: int, body: dict[str, Any], headers: list[tuple[str, str]]) -> Answer:
        return Answer(status, body, dict(headers))

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""


_UNIFORM = {"invalid_grant": "The code or refresh token is not valid."}
"""One text whatever was wrong: which check failed is nothing to tell to who has somebody else's code."""


def _check_grant_type(grant_type: str) -> None:
    if not grant_type:
        raise OAuthError("invalid_request", "The parameter grant_type is missing.")
    if grant_type not in _GRANTS:
        raise OAuthError("unsupported_grant_type", "The grant_type is not supported.")
