"""What every page needs: cookies, and things kept between two pages for one browser."""

from flask import Flask

from smart_auth.endpoints.pages_desk import Desk, Kind
from smart_auth.endpoints.tests.surroundings import Browser
from smart_auth.service import AuthService


def test_redirects_are_guarded_too(browser: Browser) -> None:
    answer = browser.client.get("/auth/access", base_url="http://localhost:8080")
    assert answer.status_code == 303 and answer.headers["Cache-Control"] == "no-store"


def test_a_cookie_is_given_to_a_new_browser_once(browser: Browser) -> None:
    first, again = browser.get("/auth/login").answer, browser.get("/auth/login").answer
    assert first is not None and again is not None
    assert "Set-Cookie" in first.headers and "Set-Cookie" not in again.headers


def test_what_is_kept_is_the_browsers_own_and_of_one_kind(app: Flask, service: AuthService) -> None:
    desk = Desk(service)
    with app.test_request_context("/auth/login"):
        handle = desk.keep(Kind.CHALLENGE, b"challenge")
        assert desk.look(Kind.CHALLENGE, handle) == b"challenge"
        assert desk.look(Kind.SEED, handle) is None and desk.look(Kind.CHALLENGE, handle[:-1]) is None
        assert desk.use(Kind.CHALLENGE, handle) == b"challenge" and desk.use(Kind.CHALLENGE, handle) is None
        foreign = desk.keep(Kind.CHALLENGE, b"challenge")
    with app.test_request_context("/auth/login"):
        assert desk.look(Kind.CHALLENGE, foreign) is None


def test_an_issuer_below_a_path(service: AuthService) -> None:
    service.base = "https://hospital.example/hearth/fhir"
    desk = Desk(service)
    assert desk.url("/auth/login", next="", why="out") == "/hearth/auth/login?why=out"
    assert desk.origin == "https://hospital.example"


def test_browsers_leave_by_a_page_and_others_by_a_redirect(app: Flask, service: AuthService) -> None:
    desk, url = Desk(service), "https://app.example/back?code=1&state=a;b"
    with app.test_request_context("/auth/consent", method="POST", headers={"Sec-Fetch-Mode": "navigate"}):
        answer = desk.leave(url)
        assert answer.status_code == 200 and answer.headers["Refresh"] == f"0; url={url}"
        assert "https://app.example/back?code=1&amp;state=a;b" in answer.get_data(as_text=True)
        assert desk.leave("org.example.app:/back?code=1").status_code == 303
        assert desk.go("/auth/access").status_code == 303
    with app.test_request_context("/auth/consent", method="POST"):
        assert desk.leave(url).headers["Location"] == url
