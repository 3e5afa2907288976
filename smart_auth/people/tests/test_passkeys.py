"""Passkeys: registration and log-in with a real key; each thing that must be checked, bent once."""

import json

import msgspec
import pytest

from smart_auth.errors import LoginRefused
from smart_auth.model import Person
from smart_auth.people.passkeys import Passkeys
from smart_auth.people.tests.authenticator import PRESENT, Authenticator
from smart_auth.people.tests.conftest import Clock
from smart_auth.records import SqlRecords

ADA = Person(id="a", login="ada", name="Ada Byron")


@pytest.fixture
def passkeys(records: SqlRecords, clock: Clock) -> Passkeys:
    records.put_person(ADA)
    return Passkeys(records, "http://localhost:8080", clock)


def registered(passkeys: Passkeys, authenticator: Authenticator) -> None:
    _, challenge = passkeys.ask_registration(ADA)
    passkeys.register(ADA, authenticator.register(challenge), challenge, "Key")


def test_registration_and_log_in(passkeys: Passkeys, records: SqlRecords) -> None:
    device = Authenticator()
    registered(passkeys, device)
    for count in (2, 3):
        _, challenge = passkeys.ask_login()
        assert passkeys.log_in(device.log_in(challenge), challenge) == ADA
        (kept,) = records.passkeys("a")
        assert kept.sign_count == count and kept.name == "Key"


def test_what_browsers_are_asked_for(passkeys: Passkeys) -> None:
    registered(passkeys, Authenticator())
    creation = json.loads(passkeys.ask_registration(ADA)[0])
    assert creation["rp"]["id"] == "localhost"
    assert creation["authenticatorSelection"]["residentKey"] == "required"
    assert creation["authenticatorSelection"]["userVerification"] == "required"
    assert len(creation["excludeCredentials"]) == 1
    request = json.loads(passkeys.ask_login()[0])
    assert request["userVerification"] == "required" and not request.get("allowCredentials")


def test_challenges_are_never_the_same(passkeys: Passkeys) -> None:
    assert passkeys.ask_login()[1] != passkeys.ask_login()[1]


def test_registration_is_refused(passkeys: Passkeys, records: SqlRecords) -> None:
    _, challenge = passkeys.ask_registration(ADA)
    unverified, foreign, other_site = (
        Authenticator(),
        Authenticator(origin="https://evil.example"),
        Authenticator("evil"),
    )
    unverified.flags = PRESENT
    for device in (unverified, foreign, other_site):
        with pytest.raises(LoginRefused):
            passkeys.register(ADA, device.register(challenge), challenge, "")
    with pytest.raises(LoginRefused):
        passkeys.register(ADA, Authenticator().register(b"another challenge"), challenge, "")
    assert not records.passkeys("a")


def test_log_in_is_refused(passkeys: Passkeys, records: SqlRecords) -> None:
    device = Authenticator()
    registered(passkeys, device)
    _, challenge = passkeys.ask_login()
    stranger = Authenticator()
    with pytest.raises(LoginRefused):
        passkeys.log_in(stranger.log_in(challenge), challenge)
    stranger.id = device.id  # another key that claims to be this one
    with pytest.raises(LoginRefused):
        passkeys.log_in(stranger.log_in(challenge), challenge)
    with pytest.raises(LoginRefused):
        passkeys.log_in(device.log_in(b"yesterday's challenge"), challenge)
    device.flags = PRESENT
    with pytest.raises(LoginRefused):
        passkeys.log_in(device.log_in(challenge), challenge)
    assert records.passkeys("a")[0].sign_count == 1


def test_a_cloned_key_is_refused(passkeys: Passkeys) -> None:
    device = Authenticator()
    registered(passkeys, device)
    _, challenge = passkeys.ask_login()
    passkeys.log_in(device.log_in(challenge), challenge)
    device.counter -= 1
    with pytest.raises(LoginRefused):
        passkeys.log_in(device.log_in(challenge), challenge)


def test_a_key_without_a_counter_is_good(passkeys: Passkeys) -> None:
    device = Authenticator()
    device.counter = 0
    registered(passkeys, device)
    _, challenge = passkeys.ask_login()
    assert passkeys.log_in(device.log_in(challenge), challenge) == passkeys.log_in(device.log_in(challenge), challenge)


def test_of_a_disabled_person(passkeys: Passkeys, records: SqlRecords) -> None:
    device = Authenticator()
    registered(passkeys, device)
    records.put_person(msgspec.structs.replace(ADA, disabled=True))
    _, challenge = passkeys.ask_login()
    with pytest.raises(LoginRefused):
        passkeys.log_in(device.log_in(challenge), challenge)


@pytest.mark.parametrize("answer", ["", "{}", "[]", '{"id": 1}', '{"id": "!!"}', '{"id":"AAAA","response":{}}', "\x00"])
def test_nonsense(passkeys: Passkeys, answer: str) -> None:
    with pytest.raises(LoginRefused):
        passkeys.log_in(answer, b"challenge")
    with pytest.raises(LoginRefused):
        passkeys.register(ADA, answer, b"challenge", "")


@pytest.mark.parametrize(
    ("issuer", "available"),
    [
        ("https://hearth.example", True),
        ("http://localhost:8080", True),
        ("http://127.0.0.1:8080", False),
        ("https://10.0.0.1", False),
        ("http://hearth.example", False),
    ],
)
def test_where_browsers_allow_them(records: SqlRecords, clock: Clock, issuer: str, available: bool) -> None:
    assert Passkeys(records, issuer, clock).available is available


@pytest.mark.parametrize("answer", ['{"x": ' + "[" * 200_000, "[" * 200_000, '{"id": "' + "A" * 99 + '"}', "\0", "{}"])
def test_a_hostile_answer_is_refused_like_any_other(records: SqlRecords, clock: Clock, answer: str) -> None:
    passkeys = Passkeys(records, "http://localhost:8080", clock)
    person = Person(id="a", login="ada", name="Ada")
    with pytest.raises(LoginRefused):
        passkeys.log_in(answer, b"challenge")
    with pytest.raises(LoginRefused):
        passkeys.register(person, answer, b"challenge", "")
