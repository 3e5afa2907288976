"""Attacks on authorization codes: replayed, raced, stolen."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from conformance_tests.smart.app import REDIRECT, App, oauth_error, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import Provider

requirement = pytest.mark.requirement

SCOPE = "launch/patient offline_access patient/Patient.rs"


@requirement("attack:47 code replay")
def test_a_code_is_good_once_and_its_replay_ends_the_access(ada: Browser, growth: App) -> None:
    code = growth.approved(ada, SCOPE)
    got = token_response(growth.exchange(code))
    oauth_error(growth.exchange(code), "invalid_grant")
    oauth_error(growth.refresh(got["refresh_token"]), "invalid_grant", status=(400, 401))


@requirement("attack:47 code replay")
def test_of_twenty_who_redeem_one_code_one_wins(ada: Browser, growth: App) -> None:
    code = growth.approved(ada, SCOPE)
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: growth.exchange(code), range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}


@requirement("attack:47 code replay")
def test_of_twenty_who_use_one_refresh_token_one_wins(ada: Browser, growth: App) -> None:
    token = growth.granted(ada, SCOPE)["refresh_token"]
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: growth.refresh(token), range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 19


@requirement("attack:48 stolen code")
@pytest.mark.parametrize("thief", ["other", "portal", "signer"])
def test_a_code_is_of_one_client(provider: Provider, ada: Browser, growth: App, thief: str) -> None:
    code = growth.approved(ada, SCOPE)
    answer = provider.app(thief).exchange(code, redirect_uri=growth.redirect_uri)
    oauth_error(answer, "invalid_grant")
    assert token_response(growth.exchange(code))  # nor can the thief spoil it


@requirement("attack:48 stolen code")
@pytest.mark.parametrize("uri", [None, "", "https://evil.example/back", "https://app.example/back/"])
def test_the_redirect_uri_must_be_that_of_the_request(ada: Browser, growth: App, uri: str | None) -> None:
    oauth_error(growth.exchange(growth.approved(ada, SCOPE), redirect_uri=uri), "invalid_grant", "invalid_request")


@requirement("attack:48 stolen code")
def test_the_token_endpoint_reads_the_body_alone(ada: Browser, growth: App) -> None:
    code = growth.approved(ada, SCOPE)
    form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT, "client_id": "growth"}
    answer = growth.http.post(f"{growth.token_endpoint}?code={code}", data=form)
    oauth_error(answer, "invalid_request")
    assert growth.http.get(growth.token_endpoint, params=form | {"code": code}).status_code == 405
    answer = growth.http.post(growth.token_endpoint, json=form | {"code": code})
    oauth_error(answer, "invalid_request")
    twice = f"grant_type=authorization_code&code={code}&code={code}&client_id=growth"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    oauth_error(growth.http.post(growth.token_endpoint, content=twice, headers=kind), "invalid_request")
