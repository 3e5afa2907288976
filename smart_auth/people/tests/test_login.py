"""Log-in: both factors, the same answer for every refusal, and an audit trail that names nobody who is not there."""

import msgspec
import pyotp
import pytest
from argon2 import PasswordHasher

from smart_auth.errors import LoginRefused
from smart_auth.model import Event, Person, Told
from smart_auth.people.lockout import Lockout
from smart_auth.people.login import CODE_REFUSED, REFUSED, LogIn
from smart_auth.people.passkeys import Passkeys
from smart_auth.people.passwords import Passwords
from smart_auth.people.tests.authenticator import Authenticator
from smart_auth.people.tests.conftest import Clock
from smart_auth.people.tests.test_totp import Reversing
from smart_auth.people.totp import STEP, Totp
from smart_auth.records import SqlRecords

PASSWORD = "calm otters drift"
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
GRACE = Person(id="g", login="grace", name="Grace", fhir_user="Practitioner/1", password_argon2=CHEAP.hash(PASSWORD))
HERE = "10.0.0.1"


@pytest.fixture
def told() -> list[Told]:
    return []


@pytest.fixture
def totp(records: SqlRecords, clock: Clock) -> Totp:
    return Totp(records, Reversing(), clock, "Hearth")


@pytest.fixture
def passkeys(records: SqlRecords, clock: Clock) -> Passkeys:
    return Passkeys(records, "http://localhost:8080", clock)


@pytest.fixture
def log_in(records: SqlRecords, clock: Clock, told: list[Told], totp: Totp, passkeys: Passkeys) -> LogIn:
    records.put_person(GRACE)
    return LogIn(records, told.append, Lockout(records, clock), CHEAP, totp, passkeys)


def refused(log_in: LogIn, login: str, password: str) -> str:
    with pytest.raises(LoginRefused) as caught:
        log_in.by_password(login, password, HERE)
    return str(caught.value)


def test_by_password(log_in: LogIn, told: list[Told]) -> None:
    passed = log_in.by_password(" GRACE ", PASSWORD, HERE)
    assert passed.person == GRACE and passed.complete and passed.amr == ("pwd",)
    assert told == [Told(event=Event.LOGIN, who="Practitioner/1", address=HERE, detail="pwd")]


def test_every_refusal_sounds_the_same(log_in: LogIn, records: SqlRecords) -> None:
    records.put_person(msgspec.structs.replace(GRACE, id="d", login="gone", disabled=True))
    records.put_person(msgspec.structs.replace(GRACE, id="i", login="invited", password_argon2=""))
    cases = (
        ("grace", "wrong"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("invited", ""),
        ("", ""),
        ("x" * 10_000, "x"),
    )
    assert {refused(log_in, *case) for case in cases} == {REFUSED}


def test_the_trail_names_only_logins_that_exist(log_in: LogIn, told: list[Told]) -> None:
    refused(log_in, "my secret typed in the wrong field", "x")
    refused(log_in, "grace", "wrong password typed")
    assert [one.who for one in told] == ["", "Practitioner/1"]
    assert "secret" not in str(told) and "typed" not in str(told)


def test_unknown_logins_are_locked_as_known_ones_are(log_in: LogIn, told: list[Told]) -> None:
    answers = {login: [refused(log_in, login, "wrong") for _ in range(7)] for login in ("grace", "nobody")}
    assert answers["grace"] == answers["nobody"]
    assert "2 seconds" in answers["grace"][5]
    assert Event.LOCKED in {one.event for one in told}


def test_the_right_password_waits_too(log_in: LogIn, clock: Clock) -> None:
    for _ in range(6):
        refused(log_in, "grace", "wrong")
    assert "wait" in refused(log_in, "grace", PASSWORD)
    clock.at += 2
    assert log_in.by_password("grace", PASSWORD, HERE).complete


def with_code_app(log_in: LogIn, totp: Totp, records: SqlRecords, clock: Clock) -> pyotp.TOTP:
    app = pyotp.TOTP(totp.propose())
    made = totp.enrol(GRACE, app.secret, app.at(clock.at))
    assert made
    records.put_person(msgspec.structs.replace(GRACE, totp=made[0]))
    clock.at += STEP
    return app


def test_a_second_factor_is_owed(
    log_in: LogIn, totp: Totp, records: SqlRecords, clock: Clock, told: list[Told]
) -> None:
    app = with_code_app(log_in, totp, records, clock)
    assert not log_in.by_password("grace", PASSWORD, HERE).complete
    assert not told  # half a log-in is none
    passed = log_in.by_code("g", app.at(clock.at), HERE)
    assert passed.complete and passed.amr == ("pwd", "otp", "mfa")
    with pytest.raises(LoginRefused, match=CODE_REFUSED[:20]):
        log_in.by_code("g", app.at(clock.at), HERE)


def test_codes_cannot_be_guessed_by_who_has_the_password(
    log_in: LogIn, totp: Totp, records: SqlRecords, clock: Clock
) -> None:
    with_code_app(log_in, totp, records, clock)
    words = []
    for guess in range(12):
        try:
            log_in.by_password("grace", PASSWORD, HERE)
            log_in.by_code("g", f"{guess:06}", HERE)
        except LoginRefused as error:
            words.append(str(error))
    assert sum(word == CODE_REFUSED for word in words) <= 3


def test_a_code_for_who_owes_none(log_in: LogIn) -> None:
    with pytest.raises(LoginRefused):
        log_in.by_code("g", "000000", HERE)
    with pytest.raises(LoginRefused):
        log_in.by_code("nobody", "000000", HERE)


def test_a_hash_of_old_parameters_is_renewed(log_in: LogIn, records: SqlRecords) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=32, parallelism=1).hash(PASSWORD)
    records.put_person(msgspec.structs.replace(GRACE, password_argon2=old))
    log_in.by_password("grace", PASSWORD, HERE)
    kept = records.person("g")
    assert kept and kept.password_argon2 != old and CHEAP.fits(kept.password_argon2, PASSWORD)


def test_by_passkey_even_while_the_password_is_locked(log_in: LogIn, passkeys: Passkeys, told: list[Told]) -> None:
    """Who locks an administrator's login by guessing does not keep the administrator out."""
    device = Authenticator()
    _, challenge = passkeys.ask_registration(GRACE)
    passkeys.register(GRACE, device.register(challenge), challenge, "")
    for _ in range(9):
        refused(log_in, "grace", "wrong")
    _, challenge = passkeys.ask_login()
    passed = log_in.by_passkey(device.log_in(challenge), challenge, HERE)
    assert passed.person.id == "g" and passed.complete and "mfa" in passed.amr
    with pytest.raises(LoginRefused):
        log_in.by_passkey("{}", challenge, HERE)
    assert told[-1].event is Event.LOGIN_REFUSED


def test_a_renewed_hash_does_not_undo_what_happens_at_that_moment(log_in: LogIn, records: SqlRecords) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=32, parallelism=1).hash(PASSWORD)
    records.put_person(msgspec.structs.replace(GRACE, password_argon2=old))
    known = records.person("g")
    assert known
    records.amend_person("g", {"disabled": True})
    log_in._hash_again(known, PASSWORD)
    found = records.person("g")
    assert found and found.disabled and found.password_argon2 != old
    log_in._hash_again(known, PASSWORD)  # another password was chosen since
    assert records.person("g") == found
