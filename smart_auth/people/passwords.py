"""Passwords: Argon2id, at least twelve characters, none of the commonest; no composition rules.

NIST SP 800-63B section 5.1.1.2; RFC 9106 (Argon2); OWASP ASVS 5.0 V6.2.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from resources.errors import Unavailable

SHORTEST = 12
# Argon2 reads the whole text: without a bound, a megabyte of password is work that a stranger orders.
LONGEST = 256

# More than OWASP asks at least (19 MiB, two passes), and a burst of log-ins still fits in the memory of a small server.
HASHER = PasswordHasher(time_cost=2, memory_cost=32 * 1024, parallelism=1)

# The commonest of lists of leaked passwords that are long enough to pass the rule of length.
_COMMONEST = """
    123456789012 1234567890123 12345678901234 123456789123 1234567891011 123123123123 1234512345123 111111111111
    000000000000 111222333444 112233445566 121212121212 123456123456 123456654321 1234567890qwerty 0123456789012
    987654321098 098765432109 qwertyuiop12 qwertyuiop123 qwertyuiop123456 qwertyuiopas qwertyuiopasdfghjkl
    qwertyuiopasdfghjklzxcvbnm qwerty123456 qwerty1234567 qwerty12345678 qwerty123456789 qwertyqwerty qwerty123qwerty
    1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1qaz2wsx3edc 1qaz2wsx3edc4rfv q1w2e3r4t5y6 qazwsxedcrfv qazwsxedc123
    asdfghjkl123 asdfghjklzxcvbnm zxcvbnmasdfghjkl asdfasdfasdf zxczxczxczxc aaaaaaaaaaaa abcdefghijkl abcdefghijklm
    abcd1234abcd abc123abc123 abcdef123456 abcdefg12345 password1234 password12345 password123456 password1234567
    passwordpassword password1password passw0rd1234 passw0rd12345 p@ssw0rd1234 p@ssword1234 password123! password1234!
    password2024 password2025 password2026 mypassword123 mypassword1234 newpassword1 newpassword123 changeme1234
    changemenow1 changemeplease letmein12345 letmein123456 letmeinplease welcome12345 welcome123456 welcome12345!
    administrator administrator1 administrator123 adminadmin12 adminadminadmin admin1234567 admin12345678 admin123456789
    rootrootroot testtesttest testing12345 test12345678 default12345 iloveyou1234 iloveyou12345 iloveyou123456
    iloveyouforever iloveyousomuch princess1234 sunshine1234 football1234 baseball1234 basketball12 liverpool123
    manchesterunited superman1234 spiderman123 batman123456 dragon123456 monkey123456 michael12345 jordan232323
    trustno1trustno1 correcthorsebatterystaple unbelievable internet1234 computer1234 samsung12345 christopher1
    hospital1234 hospital12345 hospital123! medicine1234 doctor123456 nurse1234567 healthcare12 healthcare123
    summer2024!! summer2025!! summer2026!! winter2024!! winter2025!! winter2026!! spring202600 autumn202600
"""
COMMONEST = frozenset(_COMMONEST.split())


def objection(password: str, login: str = "", name: str = "") -> str | None:
    """Why this password cannot be taken, as a sentence for the person; None when it can."""
    text = _same(password)
    if len(text) < SHORTEST:
        return f"Choose a password of at least {SHORTEST} characters. A few unrelated words are easy to remember."
    if len(text) > LONGEST:
        return f"Choose a password of at most {LONGEST} characters."
    folded = text.casefold()
    if folded in COMMONEST or len(set(folded)) < 4:
        return "That password is among the first that attackers try. Choose another."
    if folded in _own_words(login, name):
        return "That password is made of your own name. Choose another."
    return None


def _own_words(login: str, name: str) -> set[str]:
    words = {login.casefold(), name.casefold(), name.casefold().replace(" ", "")}
    return {word * times for word in words for times in (1, 2, 3)}


def _same(password: str) -> str:
    """One form for what different keyboards send for the same characters (NIST SP 800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password)


AT_ONCE = 4
LONGEST_WAIT = 3.0  # seconds
_room = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def _bounded() -> Iterator[None]:
    """So many hashes at once in one process: strangers who send passwords may have some of its memory and time, not
    all. Raises Unavailable when it was full for LONGEST_WAIT."""
    if not _room.acquire(timeout=LONGEST_WAIT):
        raise Unavailable("Too many people log in at this moment; try again shortly.")
    try:
        yield
    finally:
        _room.release()


class Passwords:
    """Makes and checks Argon2id hashes; ``hasher`` holds the parameters of today."""

    def __init__(self, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        self._decoy = hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """The encoded hash (PHC string)."""
        with _bounded():
            return self._hasher.hash(_same(password))

    def fits(self, encoded: str, password: str) -> bool:
        """Whether it is the password. Does the same work when there is no hash, so that time tells nothing."""
        if len(password) > LONGEST:
            password, encoded = "", ""
        try:
            with _bounded():
                return self._hasher.verify(encoded or self._decoy, _same(password)) and bool(encoded)
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's; then hash again while the password is known."""
        return self._hasher.check_needs_rehash(encoded)
