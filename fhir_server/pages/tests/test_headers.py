"""Every page of the server, by its routes: what may be kept by whom, and what may never leave this browser.

RFC 9111 (caching); OWASP ASVS 5.0 V3.4 (headers), V14.3 (nothing of a patient is left behind).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process, compose

BASE = "http://localhost:8080"
STATIC = "/static/<name>"
OUTSIDE = re.compile(r"/(fhir|health|metrics|\.well-known)\b")
"""Interfaces of machines, which have tests of their own."""
PROTOCOL = frozenset({"/auth/token", "/auth/introspect", "/auth/revoke", "/auth/jwks", "/auth/userinfo", "/auth/style"})


@pytest.fixture(scope="module", params=["open", "secured"])
def application(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("data")
    given = {"DATA_DIR": str(folder), "OPEN": request.param == "open", "PUBLIC_URL": f"{BASE}/fhir"}
    settings = load(given | {"VIDEO_PORT": 8081, "VIDEO_PUBLIC_URL": "http://localhost:8081"}, {})
    prepare(settings)
    with Process(settings) as process:
        yield compose(process)


def flask_of(application: Any) -> Flask:
    found = [value.__self__ for value in vars(application).values() if isinstance(getattr(value, "__self__", 0), Flask)]
    assert len(found) == 1
    return found[0]


def pages(application: Any) -> list[tuple[str, str]]:
    """(rule, method) of each page and form."""
    rules = flask_of(application).url_map.iter_rules()
    made = [(rule.rule, method) for rule in rules for method in (rule.methods or ()) if method in ("GET", "POST")]
    return [one for one in made if not OUTSIDE.match(one[0]) and one[0] not in PROTOCOL]


def asked(application: Any, rule: str, method: str, query: str = "") -> TestResponse:
    path = re.sub(r"<[^>]+>", "x", rule)
    return Client(application).open(path, method=method, base_url=BASE, query_string=query)


def test_no_page_is_kept_by_anybody(application):
    """Whether it is shown, refused or leads elsewhere; also by who is not logged in."""
    walked = [one for one in pages(application) if not one[0].endswith(STATIC)]
    assert len(walked) > 15
    for rule, method in walked:
        answer = asked(application, rule, method)
        headers, place = answer.headers, (rule, method, answer.status)
        assert answer.status_code < 500 or answer.status_code == 503, place
        assert headers["Cache-Control"] == "no-store", place
        assert "ETag" not in headers and "Last-Modified" not in headers, place
        assert headers["X-Content-Type-Options"] == "nosniff", place


def test_every_page_says_what_it_may_do(application):
    for rule, method in pages(application):
        answer = asked(application, rule, method)
        if answer.content_type.startswith("text/html"):
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "base-uri 'none'" in policy, rule
            assert answer.headers["Referrer-Policy"] == "no-referrer", rule


def test_statics_are_kept_under_the_address_of_their_content(application):
    rules = [rule for rule, _ in pages(application) if rule.endswith(STATIC)]
    assert len(rules) >= 3
    for rule in rules:
        plain = Client(application).get(rule.replace("<name>", "style.css"), base_url=BASE)
        etag = plain.headers["ETag"]
        assert (plain.status_code, plain.headers["Cache-Control"]) == (200, "public, max-age=300"), rule
        named = Client(application).get(
            rule.replace("<name>", "style.css"), base_url=BASE, query_string={"v": etag.strip('"')[:12]}
        )
        assert named.headers["Cache-Control"] == "public, max-age=31536000, immutable", rule
        again = Client(application).get(
            rule.replace("<name>", "style.css"), base_url=BASE, headers={"If-None-Match": etag}
        )
        assert (again.status_code, again.data) == (304, b""), rule
        assert not plain.headers.get("Set-Cookie"), rule
        assert Client(application).get(rule.replace("<name>", "none"), base_url=BASE).status_code == 404, rule
