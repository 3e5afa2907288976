"""Refusals: an answer joins the query that the app registered (RFC 6749 section 3.1.2)."""

import pytest

from smart_auth.oauth.refused import RefusedRedirect, answer_url
from smart_auth.oauth.tests.rig import query


@pytest.mark.parametrize(
    ("uri", "beginning"),
    [
        ("https://app.example/back", "https://app.example/back?"),
        ("https://app.example/?a=b", "https://app.example/?a=b&"),
    ],
)
def test_what_is_answered_comes_back_whole(uri: str, beginning: str) -> None:
    state = "s/1 &?#=%41"
    url = answer_url(uri, state=state, iss="http://127.0.0.1:8080")
    assert url.startswith(beginning) and "#" not in url
    assert query(url).items() >= {"state": state, "iss": "http://127.0.0.1:8080"}.items()


def test_an_app_is_told_where_it_registered() -> None:
    refusal = RefusedRedirect("access_denied", "No.", "https://app.example/back?error=access_denied")
    assert (refusal.error, refusal.url) == ("access_denied", "https://app.example/back?error=access_denied")
