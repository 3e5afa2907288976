"""Passwords: what is refused, and hashes that fit, do not fit and grow old."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from resources.errors import Unavailable
from smart_auth.people import passwords as passwords_module
from smart_auth.people.passwords import AT_ONCE, COMMONEST, HASHER, SHORTEST, Passwords, objection

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.mark.parametrize(
    "password",
    [
        "elevenchars",
        "x" * 257,
        "aaaaaaaaaaaa",
        "Password1234",
        "correcthorsebatterystaple",
        "adalovelaceadalovelace",
        "grace.hopper",
    ],
)
def test_refused(password: str) -> None:
    assert objection(password, "grace.hopper", "Ada Lovelace")


@pytest.mark.parametrize(
    "password", ["calm otters drift", "twelve chars", "пароль для врача", "🦦🦦🐟🐠🐡🦈🐋🐳🐙🐚🪸🦀"]
)
def test_taken_without_rules_of_composition(password: str) -> None:
    assert objection(password, "ada", "Ada") is None


def test_every_commonest_password_is_long_enough_to_matter() -> None:
    assert all(len(one) >= SHORTEST - 1 and one == one.casefold() for one in COMMONEST)


def test_fits() -> None:
    passwords = Passwords(CHEAP)
    encoded = passwords.hash("calm otters drift")
    assert encoded.startswith("$argon2id$")
    assert passwords.fits(encoded, "calm otters drift")
    assert not passwords.fits(encoded, "calm otters drif")
    assert not passwords.fits(encoded, "c" * 100_000)


def test_the_same_characters_from_another_keyboard_fit() -> None:
    passwords = Passwords(CHEAP)
    assert passwords.fits(passwords.hash("caf\u00e9 au lait noir"), "cafe\u0301 au lait noir")


def test_nobody_fits_without_a_hash_not_even_with_the_decoy() -> None:
    passwords = Passwords(CHEAP)
    assert not passwords.fits("", "nobody has this password")
    assert not passwords.fits("not a hash", "anything at all")


def test_unknown_logins_cost_a_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: with or without a hash, exactly one Argon2 run of the same parameters."""
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            verified.append(str(hash).rsplit("$", 2)[0])
            return super().verify(hash, password)

    passwords = Passwords(Counting(time_cost=1, memory_cost=64, parallelism=1))
    encoded = passwords.hash("calm otters drift")
    passwords.fits(encoded, "wrong wrong wrong")
    passwords.fits("", "wrong wrong wrong")
    assert len(verified) == 2 and verified[0] == verified[1]


def test_hashes_of_other_parameters_are_outdated() -> None:
    assert Passwords(HASHER).outdated(CHEAP.hash("calm otters drift"))
    assert not Passwords(CHEAP).outdated(CHEAP.hash("calm otters drift"))


def test_strangers_get_some_of_the_memory_and_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords_module, "LONGEST_WAIT", 0.01)
    running, most = [], []
    full, go_on = threading.Event(), threading.Event()

    class Slow(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            running.append(1)
            most.append(len(running))
            if len(running) == AT_ONCE:
                full.set()
            go_on.wait(10)
            running.pop()
            return super().verify(hash, password)

    passwords = Passwords(Slow(time_cost=1, memory_cost=64, parallelism=1))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [pool.submit(passwords.fits, "", "x") for _ in range(AT_ONCE)]
        assert full.wait(10)
        for work in (lambda: passwords.fits("", "x"), lambda: passwords.hash("x")):
            with pytest.raises(Unavailable):
                work()
        go_on.set()
        assert not any(one.result() for one in asked)
    assert not passwords.fits("", "x") and max(most) == AT_ONCE
