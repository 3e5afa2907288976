"""Codes: the right ones, once each; recovery codes; nothing readable is kept."""

import msgspec
import pyotp
import pytest

from smart_auth.model import Person
from smart_auth.people.tests.conftest import Clock
from smart_auth.people.totp import STEP, Totp
from smart_auth.records import SqlRecords

ADA = Person(id="a", login="ada", name="Ada")


class Reversing:
    def seal(self, purpose: str, secret: bytes) -> bytes:
        return purpose.encode() + b"|" + secret[::-1]

    def open(self, purpose: str, sealed: bytes) -> bytes:
        assert sealed.startswith(purpose.encode() + b"|")
        return sealed.partition(b"|")[2][::-1]


@pytest.fixture
def totp(records: SqlRecords, clock: Clock) -> Totp:
    records.put_person(ADA)
    return Totp(records, Reversing(), clock, "Hearth")


def enrolled(totp: Totp, clock: Clock) -> tuple[Person, pyotp.TOTP, list[str]]:
    seed = totp.propose()
    app = pyotp.TOTP(seed)
    made = totp.enrol(ADA, seed, app.at(clock.at))
    assert made is not None
    clock.at += STEP
    return msgspec.structs.replace(ADA, totp=made[0]), app, made[1]


def test_the_uri_is_what_authenticator_apps_read(totp: Totp) -> None:
    read = pyotp.parse_uri(totp.uri("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "ada"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.name, read.issuer, read.interval, read.digits) == (
        "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "ada",
        "Hearth",
        30,
        6,
    )


def test_enrolment_needs_a_fitting_code(totp: Totp) -> None:
    assert totp.enrol(ADA, totp.propose(), "000000") is None


def test_the_seed_is_sealed(totp: Totp, clock: Clock) -> None:
    person, app, codes = enrolled(totp, clock)
    assert app.secret.encode() not in person.totp
    assert not any(code.encode() in person.totp for code in codes)


def test_a_code_counts_once(totp: Totp, clock: Clock) -> None:
    person, app, _ = enrolled(totp, clock)
    code = app.at(clock.at)
    assert totp.check(person, f"{code[:3]} {code[3:]}")
    assert not totp.check(person, code)
    assert not totp.check(person, app.at(clock.at - STEP))  # nor an earlier one after it


def test_clocks_may_differ_by_a_step(totp: Totp, clock: Clock) -> None:
    person, app, _ = enrolled(totp, clock)
    assert not totp.check(person, app.at(clock.at + 2 * STEP))
    assert totp.check(person, app.at(clock.at + STEP))
    clock.at += 3 * STEP
    assert totp.check(person, app.at(clock.at - STEP))
    assert not totp.check(person, app.at(clock.at - 3 * STEP))


def test_a_recovery_code_counts_once_however_it_is_typed(totp: Totp, clock: Clock) -> None:
    person, _, codes = enrolled(totp, clock)
    assert len(set(codes)) == 8
    assert totp.check(person, f" {codes[0].lower()} ")
    assert not totp.check(person, codes[0])
    assert totp.check(person, codes[1].replace("-", " "))


def test_recovery_codes_of_an_earlier_enrolment_open_nothing(totp: Totp, clock: Clock) -> None:
    _, _, old = enrolled(totp, clock)
    person, _, new = enrolled(totp, clock)
    assert not totp.check(person, old[0])
    assert totp.check(person, new[0])


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "\x00" * 6])
def test_nonsense(totp: Totp, clock: Clock, code: str) -> None:
    person, _, _ = enrolled(totp, clock)
    assert not totp.check(person, code)
