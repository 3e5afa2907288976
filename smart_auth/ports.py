"""What the authorization server needs from its surroundings; the wiring hands these in.

``Records`` is met by ``smart_auth.records``; the others by the host. Times are whole seconds since 1970 UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from smart_auth.model import (
    Approval,
    Clearance,
    Client,
    Code,
    Launch,
    Passkey,
    Person,
    RefreshToken,
    Session,
    SigningKey,
    Told,
)


class Sealer(Protocol):
    """Seals small secrets (private keys, TOTP seeds) with the server's keyring."""

    def seal(self, purpose: str, secret: bytes) -> bytes: ...

    def open(self, purpose: str, sealed: bytes) -> bytes: ...


class Note(Protocol):
    """Takes an event into the audit trail before the answer leaves; raises when it cannot."""

    def __call__(self, told: Told, /) -> None: ...


class PatientChoice(NamedTuple):
    """A patient in the picker."""

    id: str
    name: str
    birth_date: str
    gender: str
    identifier: str


class EncounterChoice(NamedTuple):
    """An encounter in the picker."""

    id: str
    text: str
    start: str


class Chart(Protocol):
    """The few questions that the pages ask of the clinical record, each in the view of ``person``."""

    def patients(self, person: Person, text: str) -> Sequence[PatientChoice]:
        """At most 20 patients whose name or identifier fits ``text``; the person's own for who is not staff."""
        ...

    def patient(self, person: Person, id: str) -> PatientChoice | None:
        """None when there is none that this person may see."""
        ...

    def encounters(self, person: Person, patient: str) -> Sequence[EncounterChoice]:
        """At most 20, newest first."""
        ...

    def exists(self, reference: str) -> bool:
        """Whether the record has ``reference`` (``Practitioner/1``); for accounts that are bound to it."""
        ...

    def patient_of(self, reference: str) -> str:
        """The id of the patient whom ``RelatedPerson/1`` or ``Encounter/1`` is about, in nobody's view; '' when there
        is no such resource or it names none."""
        ...


class Revocation(NamedTuple):
    """A row of the revocation list: ``subject`` is ``jti:...`` or ``family:...``; kept until ``expires``."""

    seq: int
    subject: str
    expires: int


class Records(Protocol):
    """The authorization server's own tables. Every method is one transaction; every consumption is one conditional
    UPDATE, so that of any number of processes exactly one wins."""

    # clients
    def client(self, id: str) -> Client | None: ...
    def clients(self) -> Sequence[Client]: ...
    def put_client(self, client: Client) -> None:
        """Inserts or replaces all but the clearance."""
        ...

    def amend_client(self, id: str, changes: Mapping[str, Any]) -> Client | None:
        """Writes these fields and no other, so that what somebody else changes at the same moment stays; the client as
        it is now. None, and nothing written, when there is none."""
        ...

    def delete_client(self, id: str, now: int) -> bool:
        """Revokes its families too."""
        ...

    def revoke_client(self, id: str, now: int, keep: int) -> None:
        """Revokes every family of a client."""
        ...

    # people
    def person(self, id: str) -> Person | None: ...
    def person_by_login(self, login: str) -> Person | None: ...
    def people(self) -> Sequence[Person]: ...
    def find_people(self, text: str, after: str, count: int) -> Sequence[Person]:
        """In order of their login those above ``after`` whose login, name or fhirUser holds ``text``."""
        ...

    def put_person(self, person: Person) -> None:
        """Inserts or replaces all but the clearance. Raises smart_auth.errors.Taken when the login is another's."""
        ...

    def amend_person(
        self, id: str, changes: Mapping[str, Any], expecting: Mapping[str, Any] = MappingProxyType({})
    ) -> Person | None:
        """Writes these fields and no other, so that what somebody else changes at the same moment stays; the person as
        they are now. None, and nothing written, when there is none or a field is not what was expected."""
        ...

    def unseat(self, id: str, changes: Mapping[str, Any]) -> Person | None:
        """As ``amend_person``, for changes after which the person does not administer. Raises
        smart_auth.errors.LastAdministrator, and writes nothing, when nobody else does: of any number at the same
        moment, also on other nodes, one is refused."""
        ...

    def passkeys(self, person: str) -> Sequence[Passkey]: ...
    def passkey(self, credential_id: bytes) -> Passkey | None: ...
    def put_passkey(self, passkey: Passkey) -> None:
        """Raises smart_auth.errors.Taken for a credential that is registered."""
        ...

    def delete_passkey(self, person: str, credential_id: bytes) -> bool: ...
    def advance_passkey(self, credential_id: bytes, seen: int, new: int) -> bool:
        """Moves the sign counter from ``seen`` to ``new``; False when somebody else did (a cloned key)."""
        ...

    def use_totp_step(self, person: str, step: int) -> bool:
        """False when this or a later step was used before."""
        ...

    # failed log-ins; ``subject`` is ``login:...``, ``client:...`` or ``address:...``
    def failed(self, subject: str, now: int) -> int:
        """Counts one more failure; the number so far."""
        ...

    def failures(self, subject: str) -> tuple[int, int]:
        """(count, time of the last)."""
        ...

    def forget_failures(self, subject: str) -> None: ...
    def forgive_failures(self, subject: str, count: int) -> None:
        """Counts so many less, never below none."""
        ...

    # one-time links (first administrator, invitation, password reset)
    def put_link(self, link_hash: str, person: str, purpose: str, expires: int) -> None: ...
    def use_link(self, link_hash: str, purpose: str, now: int) -> str | None:
        """The person, once."""
        ...

    def link(self, link_hash: str, purpose: str, now: int) -> str | None:
        """The person, without using it."""
        ...

    def drop_links(self, person: str, purposes: Sequence[str]) -> None:
        """Links of a person that open nothing from now on."""
        ...

    # sessions
    def session(self, session_hash: str) -> Session | None: ...
    def sessions(self, person: str) -> Sequence[Session]:
        """Those of a person, newest first; some may be idle for too long already."""
        ...

    def put_session(self, session: Session) -> None: ...
    def touch_session(self, session_hash: str, now: int) -> None: ...
    def end_session(self, session_hash: str, now: int) -> bool:
        """Revokes its online_access families too."""
        ...

    def end_sessions(self, person: str, now: int) -> None: ...

    # authorization requests under way (between authorize and the redirect); ``data`` is JSON of the caller's making
    def put_request(self, request_hash: str, session_hash: str, data: bytes, expires: int) -> None: ...
    def request(self, request_hash: str, session_hash: str, now: int) -> bytes | None: ...
    def use_request(self, request_hash: str, session_hash: str, now: int) -> bytes | None:
        """As ``request``, once."""
        ...

    # launch handles
    def put_launch(self, launch: Launch) -> None: ...
    def use_launch(self, launch_hash: str, now: int) -> Launch | None:
        """Once, and only before it expires."""
        ...

    # approvals (token families), codes and refresh tokens
    def approval(self, id: str) -> Approval | None: ...
    def approvals(self, person: str) -> Sequence[Approval]:
        """Those of a person that are not revoked, newest first."""
        ...

    def approvals_about(self, patient: str, person: str) -> Sequence[Approval]:
        """Those with ``patient`` in context, or of people who see only that patient, that others than ``person`` gave
        and that are not revoked; newest first, at most 100."""
        ...

    def put_approval(self, approval: Approval, code: Code | None = None, refresh: RefreshToken | None = None) -> None:
        """Stores a new family, with its code or first refresh token."""
        ...

    def use_code(self, code_hash: str, now: int) -> tuple[Code, bool] | None:
        """(code, whether this call is the first use); None for an unknown or expired one."""
        ...

    def code(self, code_hash: str) -> Code | None:
        """Without using it."""
        ...

    def put_refresh(self, token: RefreshToken) -> None: ...
    def refresh(self, token_hash: str) -> RefreshToken | None:
        """Without using it."""
        ...

    def rotate(self, token_hash: str, successor: RefreshToken, now: int) -> bool:
        """Uses the token and stores its successor in one transaction; False (nothing stored) when it was used, has
        expired or its family is revoked."""
        ...

    def used_at(self, token_hash: str) -> int | None:
        """When a refresh token was used; None while it was not."""
        ...

    def touch_approval(self, id: str, now: int) -> None: ...

    # revocation
    def revoke_family(self, approval: str, now: int, keep: int) -> None:
        """Marks the family and adds it to the revocation list until ``keep``."""
        ...

    def revoke_person(self, person: str, now: int, keep: int) -> None: ...
    def change_clearance(self, of: Client | Person, clearance: Clearance, now: int, keep: int) -> bool:
        """Writes the clearance and revokes every family of the client or person when it is less than before; False,
        and nothing written, when it was changed since ``of`` was read."""
        ...

    def revoke_jti(self, jti: str, now: int, keep: int) -> None: ...
    def revocations(self, after: int) -> Sequence[Revocation]:
        """Rows with a seq above ``after``, in order; a row never appears below one that was already read."""
        ...

    def when_revoked(self, tell: Callable[[Sequence[Revocation]], None]) -> None:
        """``tell`` is called with the rows that this process adds, once they are committed."""
        ...

    # replay of client assertions
    def use_jti(self, issuer: str, jti: str, expires: int) -> bool:
        """False when (issuer, jti) was used before."""
        ...

    # signing keys
    def signing_keys(self) -> Sequence[SigningKey]: ...
    def put_signing_key(self, key: SigningKey) -> bool:
        """False when another process made the key of this ``alg`` that signs, or the one that waits, first."""
        ...

    def retire_signing_key(self, kid: str, now: int) -> bool:
        """Retires the key that signs and lets the waiting one begin, in one transaction; False when ``kid`` is not the
        one that signs (another process was first)."""
        ...

    def delete_signing_key(self, kid: str) -> bool:
        """Forgets a retired key: what it signed is refused from then on."""
        ...

    def purge(self, now: int) -> int:
        """Deletes what expired and proves nothing any more; rows deleted."""
        ...
