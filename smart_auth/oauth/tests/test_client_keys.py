"""Keys of clients at their URL: RFC 9111 freshness, RFC 7517; looked up again once for an unknown kid."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from joserfc.jwk import OctKey, RSAKey

from smart_auth.model import Client, ClientKind
from smart_auth.oauth import client_keys
from smart_auth.oauth.client_keys import AT_ONCE, ClientKeys, Fetched, any_usable, freshness
from smart_auth.oauth.tests.rig import EC, JWKS, RSA

URL = "https://app.example/jwks"
CLIENT = Client(id="a", name="A", kind=ClientKind.ASYMMETRIC, jwks_uri=URL)


class Site:
    """What stands at the URL."""

    def __init__(self) -> None:
        self.keys: list[dict[str, object]] = [RSA.as_dict(private=False)]
        self.headers: Mapping[str, str] = {"cache-control": "max-age=60"}
        self.asked, self.now, self.down = 0, 1000, False

    def fetch(self, url: str, /) -> Fetched:
        assert url == URL
        self.asked += 1
        if self.down:
            raise OSError("down")
        return Fetched(msgspec.json.encode({"keys": self.keys}), self.headers)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def keys(site: Site) -> ClientKeys:
    return ClientKeys(site.fetch, lambda: site.now)


def test_remembered_as_long_as_the_headers_allow(site: Site, keys: ClientKeys) -> None:
    for _ in range(3):
        assert keys.key(CLIENT, "rsa", "RS384")
    assert site.asked == 1
    site.now += 59
    assert keys.key(CLIENT, "rsa", "RS384")
    site.keys = []
    site.now += 1
    assert keys.key(CLIENT, "rsa", "RS384") is None
    assert site.asked == 2


def test_no_store_is_asked_every_time(site: Site, keys: ClientKeys) -> None:
    site.headers = {"cache-control": "no-store"}
    assert keys.key(CLIENT, "rsa", "RS384")
    site.keys = []
    assert keys.key(CLIENT, "rsa", "RS384") is None


def test_an_unknown_kid_is_looked_up_again(site: Site, keys: ClientKeys) -> None:
    assert keys.key(CLIENT, "rsa", "RS384")
    site.keys.append(EC.as_dict(private=False))
    assert keys.key(CLIENT, "ec", "ES384")
    assert site.asked == 2


def test_strangers_cannot_make_us_ask_without_end(site: Site, keys: ClientKeys) -> None:
    for n in range(200):
        assert keys.key(CLIENT, f"unknown {n}", "RS384") is None
    assert site.asked < 40
    assert keys.key(CLIENT, "rsa", "RS384"), "what is known is still good"
    site.now += 10
    assert keys.key(CLIENT, "unknown", "RS384") is None
    assert site.asked < 40


def test_a_site_that_is_down_gives_no_keys_and_stale_ones_are_not_used(site: Site, keys: ClientKeys) -> None:
    assert keys.key(CLIENT, "rsa", "RS384")
    site.down = True
    assert keys.key(CLIENT, "rsa", "RS384")
    site.now += 61
    assert keys.key(CLIENT, "rsa", "RS384") is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 300),
        ({"cache-control": "max-age=60"}, 60),
        ({"cache-control": "public, Max-Age=60"}, 60),
        ({"cache-control": "max-age=60", "age": "50"}, 10),
        ({"cache-control": "max-age=60", "age": "500"}, 0),
        ({"cache-control": "max-age=999999"}, 3600),
        ({"cache-control": f"max-age={'9' * 5000}"}, 3600),
        ({"cache-control": "max-age=60", "age": "9" * 5000}, 0),
        ({"cache-control": "max-age=x"}, 0),
        ({"cache-control": "no-cache, max-age=60"}, 0),
        ({"cache-control": "no-store"}, 0),
        ({"expires": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90),
        ({"expires": "0"}, 0),
        ({"cache-control": "max-age=5", "expires": "Thu, 01 Jan 1970 00:01:40 GMT"}, 5),
    ],
)
def test_freshness(headers: dict[str, str], seconds: int) -> None:
    assert freshness(headers, 10) == seconds


def test_a_key_fits_or_is_none(site: Site, keys: ClientKeys) -> None:
    public = RSA.as_dict(private=False)
    for change in ({"use": "enc"}, {"alg": "RS256"}, {"key_ops": ["encrypt"]}, {"kty": "EC"}, {"n": "AQAB"}, {"n": 7}):
        site.keys, site.headers = [public | change], {"cache-control": "no-store"}
        assert keys.key(CLIENT, "rsa", "RS384") is None
    site.keys = [public, public]
    assert keys.key(CLIENT, "rsa", "RS384") is None, "two keys of one name"
    short = RSAKey.generate_key(1024, {"kid": "rsa"}, auto_kid=False)
    site.keys = [short.as_dict(private=False)]
    assert keys.key(CLIENT, "rsa", "RS384") is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1]}', b"[" * 5000])
def test_rubbish(body: bytes) -> None:
    keys = ClientKeys(lambda url, /: Fetched(body, {}), lambda: 1)
    assert keys.key(CLIENT, "rsa", "RS384") is None


def test_what_can_be_registered() -> None:
    assert any_usable(JWKS)
    secret = msgspec.json.encode({"keys": [OctKey.generate_key(256, {"kid": "s"}).as_dict()]}).decode()
    for text in (secret, "", "{}", '{"keys": []}', '{"keys": [{"kty": "RSA"}]}'):
        assert not any_usable(text)


def test_a_slow_site_does_not_hold_up_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_keys, "LONGEST_WAIT", 0.01)
    asked, go_on = threading.Semaphore(0), threading.Event()

    def slow(url: str, /) -> Fetched:
        asked.release()
        go_on.wait(10)
        return Fetched(JWKS.encode(), {})

    keys = ClientKeys(slow, lambda: 1)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(keys.key, CLIENT, "rsa", "RS384") for _ in range(AT_ONCE)]
        for _ in waiting:
            assert asked.acquire(timeout=10)
        assert keys.key(CLIENT, "rsa", "RS384") is None
        go_on.set()
        assert all(one.result() for one in waiting)
