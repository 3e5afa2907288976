"""Limits of request bodies hold before and after unpacking."""

import gzip
import io
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.http.body import finish, read_body, unpacked
from resources.errors import BadSyntax, TooLarge, UnsupportedMediaType


def environ(body: bytes, **more: Any) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), **more}


def test_body_of_known_length() -> None:
    assert read_body(environ(b"abc"), 3) == b"abc"


def test_body_over_the_limit_is_refused_unread() -> None:
    stream = io.BytesIO(b"x" * 10)
    with pytest.raises(TooLarge):
        read_body({"wsgi.input": stream, "CONTENT_LENGTH": "10"}, 9)
    assert stream.tell() == 0


def test_chunked_body_is_read_to_its_end() -> None:
    chunked = {"wsgi.input": io.BytesIO(b"x" * 200_000), "wsgi.input_terminated": True}
    assert len(read_body(chunked, 200_000)) == 200_000


def test_chunked_body_over_the_limit() -> None:
    stream = io.BytesIO(b"x" * 1_000_000)
    with pytest.raises(TooLarge):
        read_body({"wsgi.input": stream, "HTTP_TRANSFER_ENCODING": "chunked"}, 100_000)
    assert stream.tell() < 300_000


def test_no_body_at_all() -> None:
    assert read_body({"wsgi.input": io.BytesIO(b"left over")}, 100) == b""


@pytest.mark.parametrize("length", ["-1", "1x", "\u0661", "9" * 30])
def test_odd_length(length: str) -> None:
    with pytest.raises(BadSyntax):
        read_body({"wsgi.input": io.BytesIO(b""), "CONTENT_LENGTH": length}, 100)


def test_body_cut_short() -> None:
    with pytest.raises(BadSyntax, match="3 of 5"):
        read_body({"wsgi.input": io.BytesIO(b"abc"), "CONTENT_LENGTH": "5"}, 100)


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=4))
def test_gzip_members_unpack(parts: list[bytes]) -> None:
    packed = b"".join(map(gzip.compress, parts))
    assert read_body(environ(packed, HTTP_CONTENT_ENCODING="gzip"), 20_000) == b"".join(parts)


def test_gzip_bomb_stops_at_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    with pytest.raises(TooLarge):
        unpacked(bomb, 1_000_000)


def test_many_empty_members_end() -> None:
    assert unpacked(gzip.compress(b"") * 900, 10) == b""
    with pytest.raises(BadSyntax, match="members"):
        unpacked(gzip.compress(b"") * 5000, 10)


def test_large_members_and_members_across_chunks() -> None:
    text = os.urandom(300_000) + b"x" * 300_000
    assert unpacked(gzip.compress(text[:250_000]) + gzip.compress(text[250_000:]), 600_000) == text


@pytest.mark.parametrize(
    "broken", [b"no gzip", gzip.compress(b"x" * 5000, mtime=0)[:-20], gzip.compress(b"x", mtime=0)[:5]]
)
def test_broken_gzip(broken: bytes) -> None:
    with pytest.raises(BadSyntax):
        unpacked(broken, 10_000)


def test_unknown_coding() -> None:
    with pytest.raises(UnsupportedMediaType, match="br"):
        read_body(environ(b"", HTTP_CONTENT_ENCODING="br"), 10)


def test_what_a_refusal_left_unread_is_read() -> None:
    asked = environ(b"x" * 200_000)
    assert finish(asked) == []
    assert asked["wsgi.input"].read() == b""
    assert finish({"wsgi.input": io.BytesIO(b"")}) == []


def test_a_connection_with_too_much_unread_is_closed() -> None:
    asked = environ(b"x" * 3_000_000)
    assert finish(asked) == [("Connection", "close")]
    assert len(asked["wsgi.input"].read()) > 1_000_000


class Broken:
    """A stream as a server gives it when the chunks are malformed."""

    def read(self, size: int) -> bytes:
        raise LookupError("an error of the server's own")


def test_what_the_server_cannot_read_is_bad_syntax() -> None:
    given = {"wsgi.input": Broken(), "HTTP_TRANSFER_ENCODING": "chunked"}
    with pytest.raises(BadSyntax, match="chunked"):
        read_body(given, 100)
    assert finish(given) == [("Connection", "close")]
