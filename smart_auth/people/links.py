"""One-time links: the first administrator, an invitation, a password reset.

OWASP ASVS 5.0 V6.4: random, short-lived, used once; only the hash is kept.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from smart_auth.people.secret import digest, fresh
from smart_auth.ports import Records


class Purpose(StrEnum):
    """What a link is for."""

    ADMINISTRATOR = "administrator"
    INVITATION = "invitation"
    RESET = "reset"


# Seconds that a link lives.
LIFETIMES = {Purpose.ADMINISTRATOR: 24 * 3600, Purpose.INVITATION: 7 * 24 * 3600, Purpose.RESET: 3600}


class Invited(NamedTuple):
    """Whom a link is for."""

    person: str
    purpose: Purpose


class Links:
    """Issues and redeems one-time links."""

    def __init__(self, records: Records, now: Callable[[], int]) -> None:
        self._records, self._now = records, now

    def issue(self, person: str, purpose: Purpose) -> str:
        """The secret that ends the link; it is shown once. Older links end: of two, that may have gone astray."""
        secret = fresh()
        self.drop(person)
        self._records.put_link(digest(secret), person, purpose, self._now() + LIFETIMES[purpose])
        return secret

    def drop(self, person: str) -> None:
        """Links of a person that are still about open nothing any more."""
        self._records.drop_links(person, list(Purpose))

    def look(self, secret: str) -> Invited | None:
        """Whom the link is for, without using it."""
        for purpose in Purpose:
            if person := self._records.link(digest(secret), purpose, self._now()):
                return Invited(person, purpose)
        return None

    def use(self, secret: str) -> Invited | None:
        """As ``look``, once."""
        for purpose in Purpose:
            if person := self._records.use_link(digest(secret), purpose, self._now()):
                return Invited(person, purpose)
        return None
