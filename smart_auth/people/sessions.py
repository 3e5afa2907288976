"""Log-ins of browsers: a secret in a cookie, its hash in the records; idle 15 minutes, 12 hours at most.

OWASP ASVS 5.0 V7; HIPAA 164.312(a)(2)(iii) automatic log-off.
"""

from collections.abc import Callable
from typing import NamedTuple

from smart_auth.model import Person, Session
from smart_auth.people.secret import digest, fresh
from smart_auth.ports import Records

IDLE = 900
ABSOLUTE = 12 * 3600
# A page view writes only when this much has passed: log-off is as exact, and clicking costs no write each.
TOUCH_EVERY = 30


def alive(session: Session, now: int) -> bool:
    """Whether it was neither idle for too long nor lasts for too long."""
    return now - session.last_seen <= IDLE and now - session.created <= ABSOLUTE


class LoggedIn(NamedTuple):
    """A live session and whose it is."""

    session: Session
    person: Person


class Sessions:
    """Starts, finds and ends sessions. A session of a disabled person is none."""

    def __init__(self, records: Records, now: Callable[[], int]) -> None:
        self._records, self._now = records, now

    def start(self, person: str, amr: tuple[str, ...]) -> tuple[str, Session]:
        """(cookie value, session); the value is always new, so a planted one gains nothing."""
        secret, now = fresh(), self._now()
        session = Session(session_hash=digest(secret), person=person, csrf=fresh(), amr=amr, created=now, last_seen=now)
        self._records.put_session(session)
        return secret, session

    def find(self, secret: str, *, active: bool = True) -> LoggedIn | None:
        """Who is logged in with that cookie value; counts as activity when it is ``active``."""
        session = self._records.session(digest(secret)) if secret else None
        if session is None:
            return None
        now = self._now()
        if not alive(session, now):
            self._records.end_session(session.session_hash, now)
            return None
        person = self._records.person(session.person)
        if person is None or person.disabled:
            return None
        if active and now - session.last_seen >= TOUCH_EVERY:
            self._records.touch_session(session.session_hash, now)
        return LoggedIn(session, person)

    def end(self, session: Session) -> None:
        self._records.end_session(session.session_hash, self._now())

    def all(self, person: str) -> list[Session]:
        """The live ones of a person, newest first."""
        return [session for session in self._records.sessions(person) if alive(session, self._now())]

    def end_all(self, person: str) -> None:
        self._records.end_sessions(person, self._now())
