"""A client gives a token back: a refresh token ends its whole family, an access token itself alone.

RFC 7009. A token that is unknown, dead or another client's is no error: the answer tells nothing about it.
"""

from collections.abc import Callable

from smart_auth.errors import OAuthError
from smart_auth.model import Client, Event, Told
from smart_auth.oauth.answer import NO_STORE, Answer
from smart_auth.oauth.client_authentication import ClientAuthentication, Presented
from smart_auth.oauth.families import Families
from smart_auth.oauth.verifier import Verifier
from smart_auth.people.secret import digest
from smart_auth.ports import Note, Records


class RevocationEndpoint:
    """Answers revocation requests."""

    def __init__(
        self,
        *,
        records: Records,
        authentication: ClientAuthentication,
        verifier: Verifier,
        families: Families,
        note: Note,
        now: Callable[[], int],
    ) -> None:
        self._records, self._authentication, self._verifier = records, authentication, verifier
        self._families, self._note, self._now = families, note, now

    def answer(self, presented: Presented) -> Answer:
        """Raises OAuthError when the client does not authenticate."""
        client = self._authentication(presented)
        token = presented.form.get("token")
        if not token:
            raise OAuthError("invalid_request", "The parameter token is missing.")
        if not self._revoked_refresh(client, token):
            self._revoke_access(client, token)
        return Answer(200, None, NO_STORE)

    def _revoked_refresh(self, client: Client, token: str) -> bool:
        found = self._records.refresh(digest(token))
        if found is None:
            return False
        if found.client == client.id:
            self._families.revoke(found.approval, Told(event=Event.REVOKED, client=client.id, detail="refresh token"))
        return True

    def _revoke_access(self, client: Client, token: str) -> None:
        try:
            claims = self._verifier.claims(token)
        except OAuthError:
            return
        if claims.client == client.id:
            self._records.revoke_jti(claims.jti, self._now(), self._families.keep())
            self._note(Told(event=Event.REVOKED, who=claims.who, client=client.id, detail="access token"))
