"""Proof key for code exchange: S256, for everybody, always."""

import pytest

from conformance_tests.smart.app import REDIRECT, VERIFIER, App, challenge, oauth_error, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import Provider

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

SCOPE = "patient/Patient.rs"


@requirement("smart:14")
@requirement("smart:15")
@requirement("attack:49 PKCE")
@pytest.mark.parametrize("client", ["growth", "portal", "signer"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain", "code_challenge": VERIFIER},
        {"code_challenge_method": "s256"},
        {"code_challenge_method": "S512"},
        {"code_challenge": ""},
        {"code_challenge": "a" * 42},
        {"code_challenge": "a" * 129},
        {"code_challenge": challenge() + "="},
        {"code_challenge": challenge()[:-1] + "/"},
    ],
    ids=str,
)
def test_no_code_without_a_good_challenge(
    provider: Provider, ada: Browser, client: str, wrong: dict[str, str | None]
) -> None:
    provider.app(client).ask(ada, SCOPE, **wrong)
    assert ada.left.startswith(REDIRECT) and ada.told["error"] == "invalid_request" and "code" not in ada.told


@requirement("inferno:g10_smart_invalid_pkce_code_verifier_group")
@requirement("smart:31")
@requirement("attack:49 PKCE")
@pytest.mark.parametrize("client", ["growth", "portal", "signer"])
@pytest.mark.parametrize(
    "verifier",
    [None, "", "wrong", challenge(), VERIFIER[:-1], VERIFIER + "x", VERIFIER.upper(), "v" * 42, "v" * 129],
    ids=str,
)
def test_no_token_without_the_verifier(provider: Provider, ada: Browser, client: str, verifier: str | None) -> None:
    app = provider.app(client)
    code = app.approved(ada, SCOPE)
    oauth_error(app.exchange(code, code_verifier=verifier), "invalid_grant", "invalid_request")


@requirement("rfc7636#4.1")
@pytest.mark.parametrize("length", [43, 128])
def test_the_shortest_and_the_longest_verifier(ada: Browser, growth: App, length: int) -> None:
    verifier = ("aZ09-._~" * 16)[:length]
    code = growth.approved(ada, SCOPE, code_challenge=challenge(verifier))
    assert token_response(growth.exchange(code, code_verifier=verifier))


@requirement("attack:49 PKCE")
def test_a_wrong_guess_uses_the_code_up(ada: Browser, growth: App) -> None:
    code = growth.approved(ada, SCOPE)
    oauth_error(growth.exchange(code, code_verifier="w" * 50), "invalid_grant")
    oauth_error(growth.exchange(code), "invalid_grant")
