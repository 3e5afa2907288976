"""Log-in: password and second factor, or a passkey; every outcome is told to the audit trail.

OWASP ASVS 5.0 V6.3, V6.6. What an outsider sees (words, status, work done) is the same for an unknown login, a wrong
password and a disabled account.
"""

from typing import NamedTuple

from smart_auth.errors import LoginRefused
from smart_auth.model import Event, Person, Told
from smart_auth.people.accounts import fold
from smart_auth.people.lockout import Lockout, of_address
from smart_auth.people.passkeys import Passkeys
from smart_auth.people.passwords import Passwords
from smart_auth.people.totp import Totp
from smart_auth.ports import Note, Records

REFUSED = "Login or password is not right. Please try again."
CODE_REFUSED = "That code is not right or was used before. Wait for the next one and try again."


class Passed(NamedTuple):
    """Who passed, and how (RFC 8176 words); ``complete`` is False while the second factor is owed."""

    person: Person
    amr: tuple[str, ...]
    complete: bool


class LogIn:
    """The checks of one log-in. ``address`` is the network address of the browser."""

    def __init__(
        self, records: Records, note: Note, lockout: Lockout, passwords: Passwords, totp: Totp, passkeys: Passkeys
    ) -> None:
        self._records, self._note, self._lockout = records, note, lockout
        self._passwords, self._totp, self._passkeys = passwords, totp, passkeys

    def by_password(self, login: str, password: str, address: str) -> Passed:
        """The first factor. Raises LoginRefused."""
        login = fold(login)[:64]
        person = self._records.person_by_login(login)
        self._admit(person, address, f"login:{login}", of_address(address))
        fits = self._passwords.fits(person.password_argon2 if person else "", password)
        if person is None or not fits or person.disabled:
            raise self._refused(person, address, "password", REFUSED)
        if self._passwords.outdated(person.password_argon2):
            person = self._hash_again(person, password)
        passed = Passed(person, ("pwd",), complete=not person.totp)
        if passed.complete:
            self._succeeded(passed, address)
        return passed

    def _hash_again(self, person: Person, password: str) -> Person:
        """The hash alone, and only while it is the one that was compared: what others change meanwhile stays."""
        old = {"password_argon2": person.password_argon2}
        return self._records.amend_person(person.id, {"password_argon2": self._passwords.hash(password)}, old) or person

    def by_code(self, person_id: str, code: str, address: str) -> Passed:
        """The second factor after the password. Raises LoginRefused."""
        person = self._records.person(person_id)
        if person is None or person.disabled or not person.totp:
            raise self._refused(person, address, "second factor", REFUSED)
        self._admit(person, address, f"login:{person.login}", of_address(address))
        if not self._totp.check(person, code):
            raise self._refused(person, address, "second factor", CODE_REFUSED)
        passed = Passed(person, ("pwd", "otp", "mfa"), complete=True)
        self._succeeded(passed, address)
        return passed

    def by_passkey(self, answer: str, challenge: bytes, address: str) -> Passed:
        """A passkey is two factors in one (the device, and the finger or PIN that unlocks it). Raises LoginRefused."""
        self._admit(None, address, of_address(address))
        try:
            person = self._passkeys.log_in(answer, challenge)
        except LoginRefused as refused:
            raise self._refused(None, address, "passkey", str(refused)) from refused
        passed = Passed(person, ("hwk", "user", "mfa"), complete=True)
        self._succeeded(passed, address)
        return passed

    def by_link(self, person: Person, address: str) -> Passed:
        """Who chose a password by a one-time link just now and has no second factor."""
        passed = Passed(person, ("pwd",), complete=True)
        self._succeeded(passed, address)
        return passed

    def confirm_password(self, person: Person, password: str, address: str) -> None:
        """Asks the person who is logged in once more, before credentials change. Raises LoginRefused."""
        self._admit(person, address, f"login:{person.login}")
        if not self._passwords.fits(person.password_argon2, password):
            raise self._refused(person, address, "password", "Your present password is not right.")
        self._lockout.succeeded(f"login:{person.login}")

    def _admit(self, person: Person | None, address: str, *subjects: str) -> None:
        if wait := self._lockout.try_once(*subjects):
            self._note(Told(event=Event.LOCKED, who=_who(person), address=address, detail=f"{wait} s", ok=False))
            raise LoginRefused(f"Too many tries. Please wait {_in_words(wait)} and try again.")

    def _refused(self, person: Person | None, address: str, detail: str, words: str) -> LoginRefused:
        # What was typed as a login may be a password: only logins that exist are named.
        self._note(Told(event=Event.LOGIN_REFUSED, who=_who(person), address=address, detail=detail, ok=False))
        return LoginRefused(words)

    def _succeeded(self, passed: Passed, address: str) -> None:
        self._lockout.succeeded(f"login:{passed.person.login}", of_address(address))
        self._note(Told(event=Event.LOGIN, who=_who(passed.person), address=address, detail=" ".join(passed.amr)))


def _who(person: Person | None) -> str:
    return (person.fhir_user or person.login) if person else ""


def _in_words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} second{'s' * (seconds != 1)}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'s' * (minutes != 1)}"
