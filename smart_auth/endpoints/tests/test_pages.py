"""The one door of the pages: every form is checked, every page guarded, statics cached, refusals shown."""

from io import BytesIO

import pytest

from resources.errors import Unavailable
from smart_auth.endpoints import LARGEST_BODY
from smart_auth.endpoints.pages import ROUTES
from smart_auth.endpoints.pages_rendering import HEADERS
from smart_auth.endpoints.tests.surroundings import Browser
from smart_auth.model import Person
from smart_auth.records import SqlRecords


@pytest.mark.parametrize("rule", sorted({rule for rule, method, _ in ROUTES if method == "POST"}))
def test_every_form_needs_the_browsers_own_token(browser: Browser, administrator: Person, rule: str) -> None:
    path = rule.replace("<id>", administrator.id).replace("<secret>", "x")
    token = browser.log_in("root").hidden("/auth/logout")["csrf"]
    assert browser.post(path, {}).status == 403
    assert browser.post(path, {"csrf": token[:-1]}).status == 403
    assert browser.post(path, {"csrf": token}, **{"Sec-Fetch-Site": "same-site"}).status == 403
    assert browser.post(path, {"csrf": token}, Origin="http://localhost.evil.example").status == 403


@pytest.mark.parametrize("rule", sorted({rule for rule, method, _ in ROUTES if method == "GET"}))
def test_every_page_is_guarded(browser: Browser, administrator: Person, rule: str) -> None:
    browser.log_in("root").get(rule.replace("<id>", administrator.id).replace("<secret>", "x"))
    assert browser.answer is not None
    headers = browser.answer.headers
    assert all(headers[name] == value for name, value in HEADERS.items())
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "<main" in browser.text and 'lang="en"' in browser.text


def test_statics_are_cached_by_their_hash(browser: Browser) -> None:
    import re

    found = re.search(r'href="(/auth/static/style.css\?v=\w+)"', browser.get("/auth/login").text)
    assert found
    first = browser.client.get(found[1])
    assert first.status_code == 200 and first.content_type == "text/css; charset=utf-8"
    assert "immutable" in first.headers["Cache-Control"] and first.headers["X-Content-Type-Options"] == "nosniff"
    again = browser.client.get(found[1], headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data
    assert "immutable" not in browser.client.get("/auth/static/style.css").headers["Cache-Control"]
    assert browser.client.get("/auth/static/../login.html").status_code == 404
    assert browser.client.get("/auth/static/nothing.css").status_code == 404


def test_without_records_nobody_is_let_in_or_logged_off(
    browser: Browser, administrator: Person, records: SqlRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.log_in("root")

    def down(*_: object) -> None:
        raise Unavailable("the database is down")

    with monkeypatch.context() as broken:
        broken.setattr(type(records), "session", down)
        for path in ("/auth/account", "/auth/login", "/auth/admin/people"):
            answer = browser.get(path).answer
            assert answer is not None and answer.status_code == 503 and "Set-Cookie" not in answer.headers
    assert browser.get("/auth/account").status == 200


def test_no_body_is_read_to_its_end_that_is_too_long(browser: Browser) -> None:
    fields = {"login": "x" * LARGEST_BODY}
    assert browser.post("/auth/login", fields).status == 413
    file = {"file": (BytesIO(b"x" * LARGEST_BODY), "chart.pdf")}
    assert browser.post("/auth/login", file).status == 413
