"""Accounts: made by an administrator, opened by a one-time link; their role, password and second factor.

HIPAA 164.312(a)(2)(i) unique user identification; OWASP ASVS 5.0 V6.4. Whatever lessens what a person may do ends their
sessions and revokes their tokens.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from smart_auth.errors import LoginRefused
from smart_auth.model import Clearance, Event, Person, Told
from smart_auth.people.links import Links, Purpose
from smart_auth.people.passwords import Passwords, objection
from smart_auth.ports import Chart, Note, Records

LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,62}")
FHIR_USER = re.compile(r"(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9.-]{1,64}")
FHIR_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What a person is: a reference into the record, the patient they are confined to, whether they administer."""

    fhir_user: str = ""
    patient: str = ""
    administrator: bool = False


class Accounts:
    """Makes and changes accounts. ``keep`` is how long a revocation must be remembered: the longest token lifetime.

    Each change writes its own fields alone: a person who is disabled while they log in or rename themselves stays so.
    """

    def __init__(
        self, records: Records, chart: Chart, note: Note, passwords: Passwords, now: Callable[[], int], keep: int = 3600
    ) -> None:
        self._records, self._chart, self._note, self._passwords = records, chart, note, passwords
        self._links = Links(records, now)
        self._now, self._keep = now, keep

    def make(self, login: str, name: str, role: Role, by: str) -> Person:
        """A new account without a password. Raises Taken, or LoginRefused with what is wrong about the input."""
        person = Person(
            id=secrets.token_hex(16),
            login=fold(login),
            name=name.strip(),
            created=self._now(),
            **msgspec.structs.asdict(self._sound(role)),
        )
        _check_names(person)
        self._records.put_person(person)
        self._tell(Event.PERSON_CHANGED, by, f"made {person.login}")
        return person

    def change_role(self, person: Person, role: Role, by: str) -> Person:
        """Ends sessions and tokens of the person: what they were allowed was decided by the old role. A clearance is
        that of one entry of the record and ends when the login becomes another's."""
        fields = msgspec.structs.asdict(self._sound(role))
        changed = msgspec.structs.replace(person, **fields)
        if changed == person:
            return person
        ended = changed.fhir_user != person.fhir_user and person.clearance is not Clearance.NORMAL
        if changed.fhir_user != person.fhir_user:
            fields["clearance"] = Clearance.NORMAL
        changed = (self._amend if role.administrator else self._unseat)(person, **fields)
        self.log_off_everywhere(person, by)
        what = ", whose clearance ended" if ended else ""
        self._tell(Event.PERSON_CHANGED, by, f"changed the role of {person.login}{what}")
        return changed

    def invite(self, person: Person, purpose: Purpose, by: str) -> str:
        """The secret of a one-time link with which the person chooses a password."""
        self._tell(Event.CREDENTIAL_CHANGED, by, f"{purpose} link for {person.login}")
        return self._links.issue(person.id, purpose)

    def rename(self, person: Person, name: str, by: str) -> Person:
        changed = msgspec.structs.replace(person, name=name.strip())
        _check_names(changed)
        changed = self._amend(person, name=changed.name)
        self._tell(Event.PERSON_CHANGED, by, f"renamed {person.login}")
        return changed

    def disable(self, person: Person, by: str) -> None:
        self._unseat(person, disabled=True)
        self._links.drop(person.id)
        self.log_off_everywhere(person, by)
        self._tell(Event.PERSON_CHANGED, by, f"disabled {person.login}")

    def enable(self, person: Person, by: str) -> None:
        self._amend(person, disabled=False)
        self._tell(Event.PERSON_CHANGED, by, f"enabled {person.login}")

    def set_password(self, person: Person, password: str) -> Person:
        """Ends all sessions and tokens of the person and all links to their account, because whoever changes a
        password may do so as somebody else has it (the caller starts a new session). Raises LoginRefused with the
        objection."""
        if reason := objection(password, person.login, person.name):
            raise LoginRefused(reason)
        changed = self._amend(person, password_argon2=self._passwords.hash(password))
        self._links.drop(person.id)
        self.log_off_everywhere(person, person.fhir_user or person.login)
        self._tell(Event.CREDENTIAL_CHANGED, person.fhir_user or person.login, "password")
        return changed

    def set_totp(self, person: Person, sealed: bytes, by: str) -> Person:
        """Sets the sealed seed, or removes the second factor with ``b""``."""
        changed = self._amend(person, totp=sealed)
        self._tell(Event.CREDENTIAL_CHANGED, by, f"{'set' if sealed else 'removed'} the code app of {person.login}")
        return changed

    def remove_passkeys(self, person: Person, by: str) -> None:
        """For who lost a device, or had a stranger add theirs."""
        for passkey in self._records.passkeys(person.id):
            self._records.delete_passkey(person.id, passkey.credential_id)
        self._tell(Event.CREDENTIAL_CHANGED, by, f"removed the passkeys of {person.login}")

    def log_off_everywhere(self, person: Person, by: str) -> None:
        """Ends every session and revokes every token of a person."""
        now = self._now()
        self._records.end_sessions(person.id, now)
        self._records.revoke_person(person.id, now, now + self._keep)
        self._tell(Event.REVOKED, by, f"every session and token of {person.login}")

    def _sound(self, role: Role) -> Role:
        """The role as it is kept: a Patient's own id is their patient. Raises LoginRefused."""
        if role.fhir_user and not FHIR_USER.fullmatch(role.fhir_user):
            raise LoginRefused(
                "Write the person in the record as: Practitioner/id, PractitionerRole/id, Patient/id, RelatedPerson/id"
            )
        kind, _, id = role.fhir_user.partition("/")
        patient = id if kind == "Patient" else role.patient if kind == "RelatedPerson" else ""
        if kind == "RelatedPerson" and not FHIR_ID.fullmatch(patient):
            raise LoginRefused("Say which patient a related person belongs to.")
        for reference in filter(None, (role.fhir_user, patient and f"Patient/{patient}")):
            if not self._chart.exists(reference):
                raise LoginRefused(f"The record has no {reference}.")
        if kind == "RelatedPerson" and self._chart.patient_of(role.fhir_user) != patient:
            raise LoginRefused(f"In the record, {role.fhir_user} is not a relative of Patient/{patient}.")
        return msgspec.structs.replace(role, patient=patient)

    def _amend(self, person: Person, **fields: Any) -> Person:
        """Raises LoginRefused when the account is gone."""
        return _there(self._records.amend_person(person.id, fields))

    def _unseat(self, person: Person, **fields: Any) -> Person:
        """As ``_amend``, for who does not administer afterwards. Raises LastAdministrator."""
        return _there(self._records.unseat(person.id, fields))

    def _tell(self, event: Event, by: str, detail: str) -> None:
        self._note(Told(event=event, who=by, detail=detail))


def fold(login: str) -> str:
    """A login as it is kept and looked up."""
    return login.strip().casefold()


def _there(person: Person | None) -> Person:
    if person is None:
        raise LoginRefused("There is no such person.")
    return person


def _check_names(person: Person) -> None:
    if not LOGIN.fullmatch(person.login):
        raise LoginRefused("A login has 2 to 63 letters, digits or . _ @ + - and begins with a letter or digit.")
    if not 0 < len(person.name) <= 120:
        raise LoginRefused("Give a name of at most 120 characters.")
