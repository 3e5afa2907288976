"""Token families: an approval, its code and its refresh tokens, each of which is used once.

RFC 6749 sections 4.1.2 and 6, RFC 9700 section 4.14 (rotation and reuse); SMART App Launch 2.2 (offline_access,
online_access). Every use is one conditional UPDATE in the records: of any number of threads one wins.
"""

from collections.abc import Callable

from smart_auth.lifetimes import Lifetimes
from smart_auth.model import Approval, Code, Event, Person, RefreshToken, Told
from smart_auth.people.secret import digest, fresh
from smart_auth.people.sessions import alive
from smart_auth.ports import Note, Records
from smart_auth.scopes.algebra import parse

_SKEW = 60  # seconds that a revocation outlives the last token, for nodes whose clock is behind


class Families:
    """Redeems and rotates. ``None`` is the one answer to everything that is not valid any more."""

    def __init__(self, records: Records, note: Note, now: Callable[[], int], lifetimes: Lifetimes) -> None:
        self._records, self._note, self._now, self._lifetimes = records, note, now, lifetimes

    def redeem(self, secret: str, client: str) -> tuple[Code, Approval] | None:
        """Use a code of ``client``: once, whatever comes of it. A second use revokes the family."""
        known = self._records.code(digest(secret))
        if known is None or known.client != client:
            return None
        used = self._records.use_code(known.code_hash, self._now())
        if used is None:
            return None
        code, first = used
        if not first:
            self.revoke(code.approval, Told(event=Event.REUSE, client=client, detail="code"))
            return None
        # Not ``live``: the use found it alive, and who comes second must not undo the answer of who was first.
        approval = self._records.approval(code.approval)
        return (code, approval) if approval else None

    def live(self, id: str) -> Approval | None:
        """The approval, unless it was revoked."""
        approval = self._records.approval(id)
        return None if approval is None or approval.revoked else approval

    def person(self, approval: Approval) -> Person | None:
        """Who granted it, unless the account was disabled since."""
        person = self._records.person(approval.person) if approval.person else None
        return None if person is None or person.disabled else person

    def first_refresh(self, approval: Approval) -> str:
        """A refresh token when offline_access or online_access was granted, else ''."""
        granted = parse(approval.scopes)
        if not (granted.has("offline_access") or granted.has("online_access")):
            return ""
        secret = fresh()
        self._records.put_refresh(self._successor(secret, approval))
        return secret

    def _successor(self, secret: str, approval: Approval) -> RefreshToken:
        expires = self._now() + self._lifetimes.refresh
        return RefreshToken(token_hash=digest(secret), approval=approval.id, client=approval.client, expires=expires)

    def of_refresh(self, secret: str, client: str) -> tuple[RefreshToken, Approval] | None:
        """A refresh token that ``client`` may use now. One that was used before revokes the family, unless it was
        moments ago: that is a second browser tab."""
        token = self._records.refresh(digest(secret))
        if token is None or token.client != client:
            return None
        return None if self._reused(token) else self._alive(token)

    def usable(self, secret: str, client: str) -> tuple[RefreshToken, Approval] | None:
        """As ``of_refresh``, for who only asks: nothing is revoked by it."""
        token = self._records.refresh(digest(secret))
        if token is None or token.client != client or self._records.used_at(token.token_hash) is not None:
            return None
        found = self._alive(token)
        return found if found and self.person(found[1]) else None

    def _alive(self, token: RefreshToken) -> tuple[RefreshToken, Approval] | None:
        approval = self.live(token.approval) if token.expires > self._now() else None
        return (token, approval) if approval and self._session_lives(approval) else None

    def _reused(self, token: RefreshToken) -> bool:
        used = self._records.used_at(token.token_hash)
        if used is not None and self._now() - used > self._lifetimes.reuse_grace:
            self.revoke(token.approval, Told(event=Event.REUSE, client=token.client, detail="refresh token"))
        return used is not None

    def _session_lives(self, approval: Approval) -> bool:
        """online_access lasts as long as the log-in, also an idle one's; offline_access needs none."""
        if approval.offline:
            return True
        session = self._records.session(approval.session_hash)
        return session is not None and alive(session, self._now())

    def rotate(self, token: RefreshToken, approval: Approval) -> str | None:
        """The next refresh token; None when another thread was first."""
        secret = fresh()
        if not self._records.rotate(token.token_hash, self._successor(secret, approval), self._now()):
            return None
        self._records.touch_approval(approval.id, self._now())
        if not approval.offline:  # who uses an app is there
            self._records.touch_session(approval.session_hash, self._now())
        return secret

    def revoke(self, approval: str, told: Told) -> None:
        """End a family: its tokens are refused on every worker from the next poll of the revocation list."""
        self._records.revoke_family(approval, self._now(), self.keep())
        self._note(told)

    def keep(self) -> int:
        """Until when a revocation must be known: the longest that a token of now can live."""
        lifetimes = self._lifetimes
        return self._now() + max(lifetimes.user_token, lifetimes.backend_token, lifetimes.break_glass) + _SKEW
