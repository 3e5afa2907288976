"""Attacks on the authorization request and its pages."""

from urllib.parse import urlsplit

import pytest

from conformance_tests.smart.app import REDIRECT, App
from conformance_tests.smart.browser import Browser
from conformance_tests.smart.fixtures import STANDALONE
from conformance_tests.smart.provider import PASSWORD, Provider

requirement = pytest.mark.requirement
pytestmark = pytest.mark.either_database

SCOPE = "launch/patient offline_access patient/Patient.rs"


def stays(browser: Browser, status: int | tuple[int, ...] = 400) -> None:
    """The browser was shown a page of the server and sent nowhere else."""
    statuses = (status,) if isinstance(status, int) else status
    assert not browser.left, browser.left
    assert browser.answer.status_code in statuses, browser.answer.status_code
    assert ("location" not in browser.answer.headers and "refresh" not in browser.answer.headers) or browser.page.forms
    assert browser.answer.headers["content-type"].startswith("text/html")


# --- redirect_uri -----------------------------------------------------------------------------------------------------


@requirement("attack:45 redirect_uri")
@requirement("smart:18")
@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "https://evil.example/back",
        "https://app.example/back/../evil",
        "https://app.example/back/",
        "https://app.example/back/more",
        "https://app.example/backdoor",
        "https://app.example/",
        "https://app.example/back?x=1",
        "https://app.example/back#fragment",
        "https://app.example/back#",
        "https://app.example:8443/back",
        "https://app.example:443/back",
        "https://APP.example/back",
        "HTTPS://app.example/back",
        "https://app.example/BACK",
        "http://app.example/back",
        "https://app.example@evil.example/back",
        "https://user@app.example/back",
        "https://app.example.evil.example/back",
        "https://evil.example/https://app.example/back",
        "https://app.example\\@evil.example/back",
        "https://app.example/back%2f..%2fevil",
        "https://app.example/%62ack",
        "https://app.example/back ",
        " https://app.example/back",
        "https://app.example/back\r\nLocation: https://evil.example",
        "//app.example/back",
        "/back",
        "app.example/back",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "https://\u0430pp.example/back",
        "https://app.example\u3002evil.example/back",
        "https://app.example/back\x00.evil.example",
        "http://127.0.0.1/back",
        "https://other.example/back",
    ],
    ids=str,
)
def test_only_the_registered_address_is_ever_followed(ada: Browser, growth: App, uri: str | None) -> None:
    growth.ask(ada, SCOPE, redirect_uri=uri)
    stays(ada)
    for wrong in ({"response_type": "token"}, {"prompt": "none"}, {"scope": "nonsense"}):
        growth.ask(ada, SCOPE, redirect_uri=uri, **{k: v for k, v in wrong.items() if k != "scope"})
        stays(ada)


@requirement("attack:45 redirect_uri")
@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:80@evil.example/back",
        "http://localhost/back",
        "http://127.0.0.1.evil.example/back",
        "http://127.0.0.1:51234/other",
        "https://127.0.0.1/back",
        "http://127.0.0.1:x/back",
        "http://[::1]/back",
        "http://127.1/back",
        "http://0177.0.0.1/back",
        "http://127.0.0.1:51234/back?x",
        "http://127.0.0.1:51234/back#x",
    ],
)
def test_a_loopback_address_differs_in_its_port_alone(provider: Provider, ada: Browser, uri: str) -> None:
    provider.app("native").ask(ada, SCOPE, redirect_uri=uri)
    stays(ada)


@requirement("attack:45 redirect_uri")
def test_a_parameter_that_comes_twice_is_refused_without_a_redirect(ada: Browser, growth: App) -> None:
    endpoint = str(growth.configuration["authorization_endpoint"])
    for name, value in (
        ("redirect_uri", "https://evil.example/"),
        ("client_id", "other"),
        ("state", "s"),
        ("scope", "x"),
    ):
        ada.get(endpoint, [*growth.request(SCOPE).items(), (name, value)])
        stays(ada)


@requirement("attack:46 errors before validation")
@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "no-such-client"},
        {"client_id": None},
        {"client_id": "other"},
        {"client_id": "growth' OR '1'='1"},
        {"client_id": "robot"},
    ],
    ids=str,
)
@pytest.mark.parametrize("response_type", ["code", "token", "id_token", "code id_token", "nonsense", None])
def test_an_unknown_app_is_never_redirected_to(
    ada: Browser, growth: App, wrong: dict[str, str | None], response_type: str | None
) -> None:
    growth.ask(ada, SCOPE, response_type=response_type, **wrong)
    stays(ada)


@requirement("attack:46 errors before validation")
@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"scope": "system/Patient.rs"}, "invalid_scope"),
        ({"scope": "nonsense"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"request": "eyJ.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
    ],
    ids=str,
)
@requirement("attack:51 mix-up")
def test_other_faults_are_told_to_the_app_with_state_and_issuer(
    ada: Browser, growth: App, wrong: dict[str, str | None], error: str
) -> None:
    params = {"scope": SCOPE} | wrong
    growth.ask(ada, str(params.pop("scope") or ""), state="s1", **params)
    assert ada.left.startswith(REDIRECT + "?") and not urlsplit(ada.left).fragment
    assert ada.told["error"] == error and ada.told["state"] == "s1" and ada.told["iss"] == growth.issuer


@requirement("attack:50 state")
@pytest.mark.parametrize("state", [None, ""])
def test_state_is_required(ada: Browser, growth: App, state: str | None) -> None:
    growth.ask(ada, SCOPE, state=state)
    stays(ada)


@requirement("attack:45 redirect_uri")
def test_parameters_in_two_places_are_refused(ada: Browser, growth: App) -> None:
    endpoint = str(growth.configuration["authorization_endpoint"])
    ada.post(f"{endpoint}?redirect_uri=https://evil.example/", growth.request(SCOPE))
    stays(ada)


# --- the pages --------------------------------------------------------------------------------------------------------


@requirement("attack:50 clickjacking")
@pytest.mark.parametrize("page", ["login", "patient", "consent", "access", "error"])
def test_no_page_can_be_framed_cached_or_scripted(provider: Provider, growth: App, page: str) -> None:
    browser = provider.browser()
    growth.ask(browser, SCOPE, **({"redirect_uri": "https://evil.example/"} if page == "error" else {}))
    if page in ("patient", "consent", "access"):
        browser.log_in("grace", PASSWORD)
    if page == "consent":
        browser.submit("/auth/patient", patient="ada")
    if page == "access":
        browser.get("auth/access")
    headers = browser.answer.headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["frame-ancestors"] == "'none'" and headers["x-frame-options"] == "DENY"
    assert policy["default-src"] == "'none'" and "unsafe" not in headers["content-security-policy"]
    assert "no-store" in headers["cache-control"] and headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    browser.close()


@requirement("attack:50 consent")
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
    ],
    ids=str,
)
def test_a_consent_from_another_site_is_refused(ada: Browser, growth: App, headers: dict[str, str]) -> None:
    growth.ask(ada, SCOPE)
    form = ada.form("/auth/consent")
    ada.post(form.action, form.fields | {"answer": "allow"}, **headers)
    stays(ada, 403)


@requirement("attack:50 consent")
@pytest.mark.parametrize("csrf", [None, "", "guessed"])
def test_a_consent_without_its_token_is_refused(ada: Browser, growth: App, csrf: str | None) -> None:
    growth.ask(ada, SCOPE)
    ada.submit("/auth/consent", csrf=csrf, answer="allow")
    stays(ada, 403)


@requirement("attack:50 consent")
def test_a_consent_is_answered_once_and_in_its_own_browser(ada: Browser, grace: Browser, growth: App) -> None:
    growth.ask(ada, SCOPE)
    form = ada.form("/auth/consent")
    growth.ask(grace, "user/Patient.rs")
    theirs = grace.form("/auth/consent")
    grace.send(theirs, theirs.fields | {"request": form.fields["request"], "answer": "allow"})
    stays(grace, 410)
    fields = form.fields | {"answer": "allow"}
    assert "code" in ada.send(form, fields).told
    ada.send(form, fields)
    stays(ada, 410)


@requirement("attack:50 login CSRF")
def test_a_log_in_from_another_site_is_refused(provider: Provider) -> None:
    browser = provider.browser().get("auth/login")
    form = browser.form("/auth/login")
    fields = form.fields | {"login": "ada", "password": PASSWORD}
    browser.post(form.action, fields, **{"Sec-Fetch-Site": "cross-site"})
    stays(browser, 403)
    stranger = provider.browser()
    stranger.post(form.action, fields)  # another browser's token
    stays(stranger, 403)
    assert stranger.get("auth/access").path.endswith("/auth/login")
    for each in (browser, stranger):
        each.close()


@requirement("attack:60 session")
def test_a_planted_session_is_worth_nothing(provider: Provider) -> None:
    browser = provider.browser().get("auth/login")
    planted = dict(browser.http.cookies)
    assert planted
    browser.log_in("ada", PASSWORD)
    fresh = dict(browser.http.cookies)
    assert fresh.keys() == planted.keys() and all(fresh[name] != planted[name] for name in fresh)
    attacker = provider.browser()
    attacker.http.cookies.update(planted)
    assert attacker.get("auth/access").path.endswith("/auth/login")
    for each in (browser, attacker):
        each.close()


@requirement("attack:60 session")
def test_the_flags_of_the_cookie(provider: Provider) -> None:
    browser = provider.browser().get("auth/login")
    flags = [part.strip().lower() for part in browser.answer.headers["set-cookie"].split(";")[1:]]
    browser.close()
    assert "httponly" in flags and "samesite=lax" in flags and "path=/" in flags
    assert not any(flag.startswith("domain") for flag in flags)


@requirement("attack:51 open redirect")
@pytest.mark.parametrize("name", ["next", "request", "redirect", "why", "return_to", "url"])
@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_log_in_leads_elsewhere(provider: Provider, name: str, target: str) -> None:
    for path in ("auth/login", "auth/consent", "auth/patient", "auth/continue"):
        browser = provider.browser().get(path, {name: target})
        assert (not browser.left and target not in browser.answer.text.replace("&#34;", '"')) or name == "next"
        for form in browser.page.forms if browser.path.endswith("/auth/login") else ():
            assert urlsplit(form.action).netloc in ("", urlsplit(provider.issuer).netloc)
        browser.close()


@requirement("attack:51 open redirect")
def test_what_is_next_is_a_name_and_no_address(provider: Provider) -> None:
    browser = provider.browser().get("auth/login", {"next": "//evil.example/"})
    browser.log_in("ada", PASSWORD)
    assert not browser.left and browser.answer.status_code == 200
    browser.close()


@requirement("attack:63 host header")
@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Host", "Forwarded"])
def test_no_page_or_redirect_believes_the_host_header(provider: Provider, growth: App, header: str) -> None:
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    endpoint = str(growth.configuration["authorization_endpoint"])
    for url in (endpoint, f"{provider.issuer}/auth/login", f"{provider.issuer}/auth/access"):
        answer = provider.http.get(url, params=growth.request(SCOPE), headers={header: value}, follow_redirects=False)
        assert "evil.example" not in answer.text + str(answer.headers)


@requirement("attack:59 guessing")
def test_a_wrong_log_in_tells_nothing_and_soon_waits(provider: Provider, tag: str) -> None:
    """The same page for a login that is there and for one that is not; guessing one login is slowed down."""
    told = set()
    for login in ("rita", tag):
        browser = provider.browser().log_in(login, "wrong wrong wrong wrong")
        assert browser.answer.status_code == 401
        told.add(browser.page.words.replace(login, "-"))
        browser.close()
    assert len({_without_secrets(words) for words in told}) == 1
    guesser = provider.browser().get("auth/login")
    for _ in range(8):
        guesser.submit("/auth/login", login=tag, password="wrong wrong wrong wrong")
    assert "again" in guesser.page.words.lower() or "wait" in guesser.page.words.lower()
    guesser.close()


def _without_secrets(words: str) -> str:
    return " ".join(words.split())


@requirement("attack:46 errors before validation")
def test_the_whole_flow_still_works(ada: Browser, growth: App) -> None:
    """After all of the above."""
    assert growth.granted(ada, STANDALONE)["patient"] == "ada"
