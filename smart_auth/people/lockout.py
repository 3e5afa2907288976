"""Back-off after failed log-ins, per login and per network address: doubling, never longer than a quarter of an hour.

OWASP ASVS 5.0 V6.3.1; NIST SP 800-63B section 5.2.2. Nobody is locked out for good: the wait ends by itself, and log-in
by passkey, which cannot be guessed, asks only about the address.
"""

from collections.abc import Callable
from ipaddress import ip_network
from typing import NamedTuple

from smart_auth.ports import Records

LONGEST_WAIT = 900
# What failed longer ago than this counts no more.
FORGOTTEN_AFTER = 24 * 3600
# Failures of an address that a log-in from there makes up for.
FORGIVEN = 10


class Rule(NamedTuple):
    """How many tries are free before the first wait of ``first`` seconds."""

    free: int
    first: int


# A hospital's people share one address behind its gateway: an address may fail more often than a login.
RULES = {"login": Rule(5, 2), "client": Rule(10, 2), "address": Rule(50, 2)}


def wait_after(kind: str, failures: int) -> int:
    """Seconds to wait after that many failures."""
    rule = RULES[kind]
    over = failures - rule.free
    return min(rule.first << min(over, 12), LONGEST_WAIT) if over >= 0 else 0


def of_address(address: str) -> str:
    """The subject of a network address; of IPv6 its /64, all of which one household or machine has."""
    if ":" not in address:
        return f"address:{address}"
    return f"address:{ip_network((address.partition('%')[0], 64), strict=False).network_address}"


class Lockout:
    """Counts tries of subjects such as ``login:ada`` and ``address:10.0.0.1``."""

    def __init__(self, records: Records, now: Callable[[], int]) -> None:
        self._records, self._now = records, now

    def try_once(self, *subjects: str) -> int:
        """0 when a try is allowed, which is counted at once; otherwise the seconds to wait (nothing is counted).

        Counting before the check is what makes a thousand simultaneous guesses no better than one.
        """
        seen = {subject: self._failures(subject) for subject in subjects}
        wait = max(self._waiting(subject, *failures) for subject, failures in seen.items())
        return wait or max(self._count(subject, count) for subject, (count, _) in seen.items())

    def succeeded(self, *subjects: str) -> None:
        """Forgets the failures of a login or client. Of an address it forgives some: a hospital's people go on, and who
        tries one password on many logins gains little by logging in as themself in between."""
        for subject in subjects:
            if _kind(subject) == "address":
                self._records.forgive_failures(subject, FORGIVEN)
            else:
                self._records.forget_failures(subject)

    def _failures(self, subject: str) -> tuple[int, int]:
        """How many there were, and when the last one was."""
        count, last = self._records.failures(subject)
        if count and self._now() - last > FORGOTTEN_AFTER:
            self._records.forget_failures(subject)
            return 0, 0
        return count, last

    def _waiting(self, subject: str, count: int, last: int) -> int:
        return max(0, last + wait_after(_kind(subject), count) - self._now()) if count else 0

    def _count(self, subject: str, seen: int) -> int:
        """Counts the try; the wait that others' tries have earned us since ``seen`` was what allowed it."""
        count = self._records.failed(subject, self._now())
        raced = count > seen + 1
        return wait_after(_kind(subject), count - 1) if raced else 0


def _kind(subject: str) -> str:
    return subject.partition(":")[0]
