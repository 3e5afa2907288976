import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.journal import Sealing
from resources.errors import Unavailable


class Cipher:
    def seal(self, purpose: str, secret: bytes) -> bytes:
        return purpose.encode() + bytes(byte ^ 255 for byte in secret)

    def open(self, purpose: str, sealed: bytes) -> bytes:
        assert sealed.startswith(purpose.encode())
        return bytes(byte ^ 255 for byte in sealed[len(purpose) :])


PLAIN, SEALED = Sealing(b"key"), Sealing(b"key", Cipher())
BOTH = Sealing(b"key", Cipher(), encrypt=False)


@given(st.binary(max_size=100))
def test_what_is_stored_is_opened(raw: bytes) -> None:
    assert SEALED.open(SEALED.seal(raw)) == BOTH.open(SEALED.seal(raw)) == raw
    assert PLAIN.open(BOTH.seal(raw)) == SEALED.open(PLAIN.seal(raw)) == raw
    assert b"".join(SEALED.sealed(raw)) == SEALED.seal(raw) != PLAIN.seal(raw)


def test_what_is_sealed_stays_closed_without_the_keyring() -> None:
    with pytest.raises(Unavailable):
        PLAIN.open(SEALED.seal(b"secret"))


PARTS = ("in", "lab", "1", b"raw")


@given(st.tuples(st.text(max_size=3), st.text(max_size=3), st.text(max_size=3), st.binary(max_size=3)))
def test_fingerprints_differ_where_anything_does(parts: tuple[str, str, str, bytes]) -> None:
    assert (PLAIN.fingerprint(*parts) == PLAIN.fingerprint(*PARTS)) is (parts == PARTS)
    assert Sealing(b"other").fingerprint(*parts) != PLAIN.fingerprint(*parts)


def test_texts_do_not_run_into_each_other() -> None:
    assert PLAIN.fingerprint("in", "ab", "c", b"") != PLAIN.fingerprint("in", "a", "bc", b"")
    assert PLAIN.number("lane", "x") != PLAIN.number("lan", "ex")
    assert -(2**63) <= PLAIN.number("lane", "x") < 2**63
