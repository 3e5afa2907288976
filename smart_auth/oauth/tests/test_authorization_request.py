"""Authorization requests that no app would send: never a redirect to what is not registered, never another error."""

from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smart_auth.oauth.authorization_request import AuthorizationRequest, single
from smart_auth.oauth.authorize import RefusedPage, RefusedRedirect
from smart_auth.oauth.tests.rig import REDIRECT, Rig

_NAMES = (
    *("client_id", "redirect_uri", "state", "scope", "aud", "code_challenge", "code_challenge_method"),
    *("response_type", "response_mode", "prompt", "max_age", "nonce", "launch", "request", "request_uri"),
)
_VALUES = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60),
    st.sampled_from(
        ["", "public", REDIRECT, "code", "S256", "none", "https://evil.example/", "http://127.0.0.1:5/native"]
    ),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=4))
def test_any_change_of_a_good_request(rig: Rig, changes: dict[str, str]) -> None:
    params = single((rig.params() | changes).items())
    try:
        request = rig.service.authorizations.begin(params)
        assert isinstance(request, AuthorizationRequest)
        target = request.redirect_uri
    except RefusedPage:
        return
    except RefusedRedirect as error:
        target = error.url
    parts = urlsplit(target)
    assert (parts.scheme, parts.hostname, parts.path) in (
        ("https", "app.example", "/back"),
        ("http", "127.0.0.1", "/native"),
    )
