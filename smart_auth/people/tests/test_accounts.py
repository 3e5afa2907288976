"""Accounts: how they are made, what ends when they change, and that one administrator is left."""

import pytest
from argon2 import PasswordHasher

from smart_auth.errors import LoginRefused, Taken
from smart_auth.model import Approval, Clearance, Event, Passkey, Person, Told
from smart_auth.people.accounts import Accounts, Role
from smart_auth.people.links import Links, Purpose
from smart_auth.people.passwords import Passwords
from smart_auth.people.sessions import Sessions
from smart_auth.people.tests.conftest import Clock
from smart_auth.ports import EncounterChoice, PatientChoice
from smart_auth.records import SqlRecords


class Chart:
    """A record that has two people in it."""

    def patients(self, person: Person, text: str) -> list[PatientChoice]:
        return []

    def patient(self, person: Person, id: str) -> PatientChoice | None:
        return None

    def encounters(self, person: Person, patient: str) -> list[EncounterChoice]:
        return []

    def exists(self, reference: str) -> bool:
        return reference in ("Practitioner/1", "Patient/p1", "Patient/p2", "RelatedPerson/r1")

    def patient_of(self, reference: str) -> str:
        return "p1" if reference == "RelatedPerson/r1" else ""


STAFF = Role(fhir_user="Practitioner/1")


@pytest.fixture
def told() -> list[Told]:
    return []


@pytest.fixture
def accounts(records: SqlRecords, clock: Clock, told: list[Told]) -> Accounts:
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    return Accounts(records, Chart(), told.append, Passwords(hasher), clock)


def with_token(records: SqlRecords, clock: Clock, person: Person) -> None:
    records.put_approval(Approval(id=f"family of {person.login}", client="app", scopes="user/*.rs", person=person.id))
    Sessions(records, clock).start(person.id, ("pwd",))


def test_made(accounts: Accounts, records: SqlRecords, told: list[Told]) -> None:
    made = accounts.make(" Grace ", "Grace Hopper", STAFF, "root")
    assert records.person_by_login("grace") == made and made.staff and not made.password_argon2
    assert (told[0].event, told[0].who, told[0].detail) == (Event.PERSON_CHANGED, "root", "made grace")


def test_a_login_is_one_persons(accounts: Accounts) -> None:
    accounts.make("grace", "Grace Hopper", STAFF, "root")
    with pytest.raises(Taken):
        accounts.make("GRACE", "Another", Role(), "root")


def test_a_patient_sees_their_own_and_a_relative_the_one_named(accounts: Accounts) -> None:
    assert accounts.make("ada", "Ada", Role(fhir_user="Patient/p1", patient="p2"), "root").patient == "p1"
    assert accounts.make("bo", "Bo", Role(fhir_user="RelatedPerson/r1", patient="p1"), "root").patient == "p1"
    assert accounts.make("cy", "Cy", Role(fhir_user="Practitioner/1", patient="p1"), "root").patient == ""


@pytest.mark.parametrize(
    "role",
    [
        Role(fhir_user="Practitioner/9"),
        Role(fhir_user="Patient/p9"),
        Role(fhir_user="Observation/1"),
        Role(fhir_user="Practitioner/1/_history/1"),
        Role(fhir_user="https://other.example/Practitioner/1"),
        Role(fhir_user="RelatedPerson/r1"),
        Role(fhir_user="RelatedPerson/r1", patient="p9"),
        Role(fhir_user="RelatedPerson/r1", patient="p2"),
    ],
)
def test_roles_that_the_record_does_not_bear_out(accounts: Accounts, records: SqlRecords, role: Role) -> None:
    with pytest.raises(LoginRefused):
        accounts.make("grace", "Grace", role, "root")
    assert not records.people()


@pytest.mark.parametrize(
    ("login", "name"), [("", "A"), ("a b", "A"), ("-a", "A"), ("ab", ""), ("ab", "x" * 121), ("<b>", "A")]
)
def test_names(accounts: Accounts, login: str, name: str) -> None:
    with pytest.raises(LoginRefused):
        accounts.make(login, name, Role(), "root")


@pytest.mark.parametrize("change", ["role", "disable"])
def test_less_rights_end_sessions_and_tokens(
    accounts: Accounts, records: SqlRecords, clock: Clock, change: str
) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    with_token(records, clock, person)
    if change == "role":
        accounts.change_role(person, Role(fhir_user="Patient/p1"), "root")
    else:
        accounts.disable(person, "root")
    assert not records.approvals(person.id)
    assert [one.subject for one in records.revocations(0)] == ["family:family of grace"]


def test_an_unchanged_role_ends_nothing(accounts: Accounts, records: SqlRecords, clock: Clock) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    with_token(records, clock, person)
    accounts.change_role(person, STAFF, "root")
    assert len(records.approvals(person.id)) == 1


def test_the_last_administrator_stays(accounts: Accounts) -> None:
    root = accounts.make("root", "Root", Role(administrator=True), "setup")
    with pytest.raises(LoginRefused):
        accounts.disable(root, "root")
    with pytest.raises(LoginRefused):
        accounts.change_role(root, Role(), "root")
    accounts.make("second", "Second", Role(administrator=True), "root")
    accounts.disable(root, "root")


def test_a_password_ends_the_sessions(accounts: Accounts, records: SqlRecords, clock: Clock, told: list[Told]) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    sessions = Sessions(records, clock)
    secret, _ = sessions.start(person.id, ("pwd",))
    with pytest.raises(LoginRefused):
        accounts.set_password(person, "short")
    assert sessions.find(secret)
    accounts.set_password(person, "calm otters drift")
    assert sessions.find(secret) is None
    assert told[-1].event is Event.CREDENTIAL_CHANGED and "otters" not in str(told)


def test_enabled_again_and_renamed(accounts: Accounts, records: SqlRecords) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    accounts.disable(person, "root")
    disabled = records.person(person.id)
    assert disabled is not None and disabled.disabled
    accounts.enable(disabled, "root")
    assert accounts.rename(person, " Grace Hopper ", "grace").name == "Grace Hopper"
    assert records.person(person.id) == accounts.rename(person, "Grace Hopper", "grace")


def test_links_are_told_and_not_their_secret(accounts: Accounts, told: list[Told]) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    secret = accounts.invite(person, Purpose.RESET, "root")
    assert told[-1].detail == "reset link for grace" and secret not in str(told)


def test_a_password_ends_tokens_and_older_links(accounts: Accounts, records: SqlRecords, clock: Clock) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    with_token(records, clock, person)
    astray = accounts.invite(person, Purpose.RESET, "root")
    links = Links(records, clock)
    assert links.look(astray) and accounts.invite(person, Purpose.RESET, "root") and links.look(astray) is None
    last = accounts.invite(person, Purpose.INVITATION, "root")
    accounts.set_password(person, "calm otters drift")
    assert links.look(last) is None and not records.approvals(person.id)


def test_a_link_of_before_a_person_was_shut_out_opens_nothing_after(accounts: Accounts, clock: Clock) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    secret = accounts.invite(person, Purpose.INVITATION, "root")
    accounts.disable(person, "root")
    accounts.enable(person, "root")
    assert Links(accounts._records, clock).look(secret) is None


def test_what_changes_at_the_same_moment_stays(accounts: Accounts, records: SqlRecords) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    accounts.disable(person, "root")
    # Each of these knew the person from before that.
    accounts.set_password(person, "calm otters drift")
    accounts.rename(person, "Grace Hopper", "grace")
    accounts.set_totp(person, b"sealed", "grace")
    accounts.change_role(person, Role(fhir_user="Patient/p1"), "root")
    found = records.person(person.id)
    assert found and found.disabled and (found.name, found.totp, found.patient) == ("Grace Hopper", b"sealed", "p1")


def test_passkeys_that_a_stranger_added_go(accounts: Accounts, records: SqlRecords, told: list[Told]) -> None:
    person = accounts.make("grace", "Grace", STAFF, "root")
    records.put_passkey(Passkey(credential_id=b"1", person=person.id, public_key=b"k", sign_count=0))
    accounts.remove_passkeys(person, "root")
    assert not records.passkeys(person.id) and told[-1].detail == "removed the passkeys of grace"


@pytest.mark.parametrize(
    ("role", "kept"),
    [
        (Role(fhir_user="Practitioner/1", administrator=True), True),
        (Role(fhir_user="Patient/p1"), False),
        (Role(), False),
    ],
)
def test_a_clearance_ends_when_the_login_becomes_anothers(
    accounts: Accounts, records: SqlRecords, told: list[Told], role: Role, kept: bool
) -> None:
    made = accounts.make("grace", "Grace", STAFF, "root")
    records.change_clearance(made, Clearance.VERY_RESTRICTED, 1, 2)
    person = records.person(made.id)
    assert person
    changed = accounts.change_role(person, role, "root")
    assert changed == records.person(made.id)
    assert changed.clearance is (Clearance.VERY_RESTRICTED if kept else Clearance.NORMAL)
    assert told[-1].detail == "changed the role of grace" + ("" if kept else ", whose clearance ended")
