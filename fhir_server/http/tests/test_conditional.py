"""ETag, If-Match, If-None-Match, If-Modified-Since and dates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.http.conditional import (
    etag,
    http_date,
    if_match,
    if_none_match_any,
    not_modified,
    version_headers,
)
from resources.errors import BadSyntax, PreconditionFailed
from resources.repository import ANY_VERSION, Version

VERSION = Version("Patient", "1", 3, 1_700_000_000_123, b"{}")


@given(st.integers(1, 10**15))
def test_etag_round_trip(version: int) -> None:
    assert if_match(etag(version)) == version


@pytest.mark.parametrize(("header", "version"), [("", None), ("*", ANY_VERSION), ('"3"', 3), ('W/"3"', 3), ("3", 3)])
def test_if_match(header: str, version: int | None) -> None:
    assert if_match(header) == version


def test_if_match_that_no_version_has() -> None:
    with pytest.raises(PreconditionFailed):
        if_match('W/"abc"')
    with pytest.raises(PreconditionFailed):
        if_match('W/"0"')
    with pytest.raises(PreconditionFailed):
        if_match('W/"\u00b2"')  # a digit, and no number
    with pytest.raises(BadSyntax):
        if_match('W/"1", W/"2"')


def test_if_none_match_of_a_write() -> None:
    assert if_none_match_any("*")
    assert not if_none_match_any("")
    with pytest.raises(BadSyntax):
        if_none_match_any('W/"1"')


@pytest.mark.parametrize(
    ("none_match", "since", "expected"),
    [
        ('W/"3"', "", True),
        ('"3"', "", True),
        ('W/"2", W/"3"', "", True),
        ("*", "", True),
        ('W/"2"', "", False),
        ('W/"2"', "Tue, 14 Nov 2023 22:13:20 GMT", False),
        ("", "Tue, 14 Nov 2023 22:13:20 GMT", True),
        ("", "Tue, 14 Nov 2023 22:13:19 GMT", False),
        ("", "2023-11-14T22:13:20Z", True),
        ("", "yesterday", False),
        ("", "", False),
    ],
)
def test_not_modified(none_match: str, since: str, expected: bool) -> None:
    assert not_modified(VERSION, none_match, since) is expected


def test_dates() -> None:
    assert http_date(1_700_000_000) == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_version_headers() -> None:
    assert version_headers(VERSION) == [("ETag", 'W/"3"'), ("Last-Modified", "Tue, 14 Nov 2023 22:13:20 GMT")]
