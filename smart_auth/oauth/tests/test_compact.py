"""The head of a JWT, read with suspicion: whatever comes, a header or NotAToken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_auth.oauth import compact
from smart_auth.oauth.compact import NotAToken
from smart_auth.oauth.tests.rig import assertion


def test_a_real_one() -> None:
    token = assertion(1_800_000_000)
    assert compact.header(token, 8192)["alg"] == "RS384"
    assert compact.unverified(token)["iss"] == "backend"


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_=-]*(\.[A-Za-z0-9_=-]*){0,5}", fullmatch=True)))
def test_anything(token: str) -> None:
    try:
        assert isinstance(compact.header(token, 100), dict)
        compact.unverified(token)
    except NotAToken:
        pass


@pytest.mark.parametrize("part", ["W10", "bnVsbA", "MQ", "W1tbW1tbW1tbW1tb" * 60, "e30e", "=", "\u00e9"])
def test_parts_that_are_no_object(part: str) -> None:
    with pytest.raises(NotAToken):
        compact.decoded(part)
