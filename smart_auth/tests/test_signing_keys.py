"""Signing keys: made once however many processes start, sealed, published before use, verifying until nothing lives."""

from collections.abc import Iterator, Sequence
from threading import Barrier, Thread

import pytest
from cryptography.fernet import Fernet
from joserfc import jwt

from resources.errors import Unavailable
from smart_auth import signing_keys
from smart_auth.model import SigningKey
from smart_auth.records import SqlRecords, engine_for
from smart_auth.signing_keys import SigningKeys

FERNET = Fernet(Fernet.generate_key())
PRIVATE = {"d", "p", "q", "dp", "dq", "qi"}


class FernetSealer:
    """A sealer that refuses to open what was sealed for another purpose."""

    def seal(self, purpose: str, secret: bytes) -> bytes:
        return FERNET.encrypt(purpose.encode() + b":" + secret)

    def open(self, purpose: str, sealed: bytes) -> bytes:
        opened, _, secret = FERNET.decrypt(sealed).partition(b":")
        assert opened == purpose.encode()
        return secret


class Clock:
    now = 1000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(records: SqlRecords, clock: Clock) -> SigningKeys:
    return SigningKeys(records, FernetSealer(), clock)


@pytest.fixture
def others(records_url: str, clock: Clock) -> Iterator[SigningKeys]:
    """The keys as another process has them."""
    engine = engine_for(records_url)
    yield SigningKeys(SqlRecords(engine), FernetSealer(), clock)
    engine.dispose()


def kids(keys: SigningKeys) -> list[str]:
    return [jwk["kid"] for jwk in keys.jwks()["keys"]]


def token(keys: SigningKeys) -> str:
    kid, private = keys.current()
    return jwt.encode({"alg": "RS256", "kid": kid}, {"sub": "p1"}, private, algorithms=["RS256"])


def verifies(keys: SigningKeys, kid: str, text: str) -> bool:
    key = keys.public(kid)
    return key is not None and jwt.decode(text, key, algorithms=["RS256"]).claims == {"sub": "p1"}


def test_the_key_set_is_public_and_says_what_is_to_come(keys: SigningKeys) -> None:
    kid, private = keys.current()
    published = keys.jwks()["keys"]
    assert len(published) == 2
    assert published[0]["kid"] == kid == private.thumbprint()
    for jwk in published:
        assert not PRIVATE & set(jwk)
        assert (jwk["kty"], jwk["use"], jwk["alg"]) == ("RSA", "sig", "RS256")


def test_a_private_key_is_only_stored_sealed(keys: SigningKeys, records: SqlRecords) -> None:
    _, private = keys.current()
    secret = str(private.as_dict(private=True)["d"])
    for row in records.signing_keys():
        assert secret not in row.public_jwk
        assert secret.encode() not in row.sealed


def test_another_process_signs_and_verifies_with_the_same_keys(keys: SigningKeys, others: SigningKeys) -> None:
    kid, _ = keys.current()
    assert others.current()[0] == kid
    assert verifies(others, kid, token(keys))
    assert others.jwks() == keys.jwks()


def test_processes_that_start_at_once_end_with_one_key(records_url: str, clock: Clock) -> None:
    barrier, told = Barrier(4), []

    def start() -> None:
        keys = SigningKeys(SqlRecords(engine_for(records_url)), FernetSealer(), clock)
        barrier.wait()
        told.append((keys.current()[0], kids(keys)))

    threads = [Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4
    assert {kid for kid, _ in told} == {told[0][0]}
    assert sorted(len(published) for _, published in told)[-1] == 2
    assert len(SqlRecords(engine_for(records_url)).signing_keys()) == 2


def test_rotation_lets_the_published_key_sign(keys: SigningKeys) -> None:
    (before, _), published, old = keys.current(), kids(keys), token(keys)
    assert keys.rotate() == keys.current()[0] == published[1] != before
    assert len(kids(keys)) == 3
    assert verifies(keys, before, old)


def test_other_processes_follow_a_rotation(
    keys: SigningKeys, others: SigningKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    others.current()
    keys.rotate()
    kid, text = keys.current()[0], token(keys)
    assert verifies(others, kid, text)  # it was published while it waited
    monkeypatch.setattr(signing_keys, "FRESH", 0.0)
    assert others.current()[0] == kid
    assert kids(others) == kids(keys)


def test_of_several_that_rotate_one_does(keys: SigningKeys, others: SigningKeys, records: SqlRecords) -> None:
    kid, _ = keys.current()
    assert records.retire_signing_key(kid, 1000)
    assert not records.retire_signing_key(kid, 1000)
    assert others.current()[0] != kid


def test_a_retired_key_verifies_until_no_token_can_live(keys: SigningKeys, clock: Clock) -> None:
    (kid, _), text = keys.current(), token(keys)
    keys.rotate()
    for later, good in ((3600, True), (3900, True), (3901, False)):
        clock.now = 1000 + later
        keys.rotate()  # reads again
        assert (keys.public(kid) is not None) == good == (kid in kids(keys))
    assert text


def test_a_withdrawn_key_verifies_nothing(keys: SigningKeys) -> None:
    (kid, _), waiting = keys.current(), kids(keys)[1]
    keys.withdraw(kid)
    assert keys.public(kid) is None
    assert keys.current()[0] == waiting
    assert len(kids(keys)) == 2


def test_a_key_that_another_process_made_later_is_found(
    keys: SigningKeys, others: SigningKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_keys, "_SELDOM", 3600.0)
    others.current()
    keys.rotate()
    keys.rotate()  # signs with a key that was not there when the others looked
    kid = keys.current()[0]
    assert others.public(kid) is None  # asked a moment ago: unknown kids cause no read each
    monkeypatch.setattr(signing_keys, "_SELDOM", 0.0)
    assert verifies(others, kid, token(keys))


@pytest.mark.parametrize("kid", ["", "../x", "' OR 1=1 --", "\0", "\ud800"])
def test_a_kid_of_nobody_is_none(keys: SigningKeys, kid: str) -> None:
    assert keys.public(kid) is None


class Absent(SqlRecords):
    """Records whose database can be away."""

    away = False

    def signing_keys(self) -> Sequence[SigningKey]:
        if self.away:
            raise Unavailable("away")
        return super().signing_keys()


def test_keys_that_were_read_outlive_an_outage(records_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_keys, "FRESH", 0.0)
    records = Absent(engine_for(records_url))
    keys = SigningKeys(records, FernetSealer(), clock)
    records.away = True
    with pytest.raises(Unavailable):
        keys.current()
    records.away = False
    kid, _ = keys.current()
    records.away = True
    assert keys.current()[0] == kid
    with pytest.raises(Unavailable):
        keys.rotate()


def test_keys_of_another_size_sign_too(records: SqlRecords, clock: Clock) -> None:
    keys = SigningKeys(records, FernetSealer(), clock, bits=3072)
    assert verifies(keys, keys.current()[0], token(keys))
    assert len(keys.jwks()["keys"][0]["n"]) == 512
