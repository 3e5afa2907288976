"""Ending access: by the app, by the person with one click, by the administrator."""

import re
import time
from collections.abc import Callable

import pytest

from conformance_tests.smart.app import App, by_name, oauth_error, token_response
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.provider import Provider, open_link

requirement = pytest.mark.requirement

SCOPE = "launch/patient offline_access patient/Patient.rs"


def until_refused(app: App, token: str) -> None:
    """The record refuses the token. How soon is a matter of the bars; here only that it does."""
    record, deadline = app.record(token), time.monotonic() + 15
    while record.get("Patient/ada", expect=(200, 401)).status_code == 200:
        assert time.monotonic() < deadline, "the token is still good"
        time.sleep(0.05)
    answer = record.get("Patient/ada", expect=401)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@requirement("rfc7009#2")
@pytest.mark.parametrize("client", ["growth", "portal", "signer"])
def test_an_app_gives_its_access_back(provider: Provider, ada: Browser, client: str) -> None:
    app = provider.app(client)
    got = app.granted(ada, SCOPE)
    answer = app.revoke(got["refresh_token"])
    assert answer.status_code == 200 and not answer.content
    until_refused(app, got["access_token"])
    oauth_error(app.refresh(got["refresh_token"]), "invalid_grant", status=(400, 401))


@requirement("rfc7009#2")
def test_an_access_token_given_back_ends_alone(ada: Browser, growth: App) -> None:
    got = growth.granted(ada, SCOPE)
    assert growth.revoke(got["access_token"]).status_code == 200
    until_refused(growth, got["access_token"])
    assert token_response(growth.refresh(got["refresh_token"]))


@requirement("rfc7009#2.2")
def test_an_unknown_token_is_no_error(growth: App) -> None:
    for token in ("nonsense", "a.b.c"):
        assert growth.revoke(token).status_code == 200


@requirement("rfc7009#2.1")
def test_another_app_ends_nothing(provider: Provider, ada: Browser, growth: App) -> None:
    got = growth.granted(ada, SCOPE)
    for name in ("access_token", "refresh_token"):
        provider.app("other").revoke(got[name])
    oauth_error(provider.app("portal").revoke(got["refresh_token"], proof=by_name), "invalid_client", status=401)
    time.sleep(0.5)
    growth.record(got["access_token"]).get("Patient/ada")
    assert token_response(growth.refresh(got["refresh_token"]))


def end_of(browser: Browser, app: str) -> str:
    """What the button carries that ends the access of ``app``, on the page of who has access."""
    browser.get("auth/access")
    card = next(card for card in browser.answer.text.split('<li class="card') if f"<h2>{app}</h2>" in card)
    found = re.search(r'name="end" value="([^"]+)"', card)
    assert found, card
    return found[1]


@requirement("inferno:g10_token_revocation")
def test_a_person_ends_an_apps_access_with_one_click(provider: Provider, ada: Browser, tag: str) -> None:
    app = app_for_a_day(provider, tag)
    got = app.granted(ada, SCOPE)
    ada.get(app.configuration["management_endpoint"])
    assert f"App {tag}" in ada.page.words and "Ada Byron" in ada.page.words
    ada.submit("/auth/access", end=end_of(ada, f"App {tag}"))
    assert ada.answer.status_code == 200 and f"The access of App {tag} has ended." in ada.page.words
    until_refused(app, got["access_token"])
    oauth_error(app.refresh(got["refresh_token"]), "invalid_grant", status=(400, 401))


def app_for_a_day(provider: Provider, tag: str) -> App:
    fields = {"name": f"App {tag}", "kind": "public", "redirect_uris": "https://app.example/back"}
    provider.register(tag, scopes=SCOPE, **fields)
    return provider.app(tag)


@requirement("inferno:g10_token_revocation")
def test_nobody_ends_anothers_access(provider: Provider, ada: Browser, grace: Browser, growth: App, tag: str) -> None:
    app = app_for_a_day(provider, tag)
    got = app.granted(ada, SCOPE)
    theirs = end_of(ada, f"App {tag}")
    growth.granted(grace, "user/Patient.rs")
    grace.get("auth/access").submit("/auth/access", end=theirs)
    assert grace.answer.status_code == 404
    assert token_response(app.refresh(got["refresh_token"]))


def _disable(provider: Provider, person: str) -> None:
    provider.administrator.get(f"auth/admin/people/{person}").submit("/disable")


def _new_role(provider: Provider, person: str) -> None:
    provider.administrator.get(f"auth/admin/people/{person}").submit("/role", fhir_user="Practitioner/grace")


@requirement("attack:52 refresh token")
@pytest.mark.parametrize("act", [_disable, _new_role])
def test_who_loses_the_account_or_the_role_loses_every_token(
    provider: Provider, growth: App, tag: str, act: Callable[[Provider, str], None]
) -> None:
    provider.invite(tag, name="Somebody for a day", fhir_user="Patient/ada")
    got = growth.granted(provider.logged_in(tag), SCOPE)
    act(provider, _id_of(provider, tag))
    until_refused(growth, got["access_token"])
    oauth_error(growth.refresh(got["refresh_token"]), "invalid_grant", status=(400, 401))
    assert provider.logged_in(tag).get("auth/access").path.endswith("/auth/login")


def _id_of(provider: Provider, login: str) -> str:
    listed = provider.administrator.get("auth/admin/people").answer.text
    row = next(row for row in listed.split("<tr>") if f"<code>{login}</code>" in row)
    found = re.search(r"/auth/admin/people/(\w+)", row)
    assert found
    return found[1]


@requirement("attack:52 refresh token")
def test_a_password_reset_ends_the_sessions(provider: Provider, tag: str) -> None:
    provider.invite(tag, name="Forgetful", fhir_user="Patient/ada")
    old = provider.logged_in(tag)
    provider.administrator.get(f"auth/admin/people/{_id_of(provider, tag)}").submit("/link")
    new = open_link(provider.browser(), provider.shown_once())
    assert old.get("auth/access").path.endswith("/auth/login")
    assert new.get("auth/access").path.endswith("/auth/access")
    new.close()


@requirement("attack:60 session")
def test_log_out_really_ends_the_session(provider: Provider, tag: str) -> None:
    provider.invite(tag, name="Visitor", fhir_user="Patient/ada")
    browser = provider.logged_in(tag)
    stolen = dict(browser.http.cookies)
    browser.get("auth/access").submit("/auth/logout")
    thief = provider.browser()
    thief.http.cookies.update(stolen)
    assert thief.get("auth/access").path.endswith("/auth/login")
    thief.close()


@requirement("attack:52 refresh token")
def test_a_client_that_is_disabled_loses_every_token(provider: Provider, ada: Browser, tag: str) -> None:
    app = app_for_a_day(provider, tag)
    got = app.granted(ada, SCOPE)
    provider.administrator.get(f"auth/admin/clients/{tag}").submit("/disable")
    until_refused(app, got["access_token"])
    oauth_error(app.refresh(got["refresh_token"]), "invalid_client", "invalid_grant", status=(400, 401))
    app.ask(ada, SCOPE)
    assert ada.answer.status_code == 400 and not ada.left
