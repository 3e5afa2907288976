"""The patient's documents: what is listed, what is given as which file, and what never is."""

import hashlib
from base64 import b64encode
from typing import Any

import pytest

from fhir_server import wiring
from fhir_server.conftest import Client
from fhir_server.pages.my.tests.test_pages import Browser, process

__all__ = ["process"]

Json = dict[str, Any]


@pytest.fixture
def browser(process) -> Browser:
    return Browser(Client(wiring.compose(process)))


def data(body: bytes) -> str:
    return b64encode(body).decode()


def reference(browser: Browser, attachment: Json, **more: Any) -> str:
    made = {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": browser.patient}}
    content = {"content": [{"attachment": attachment}], "date": "2026-05-04T09:00:00Z"}
    return "DocumentReference/" + browser.client.create(made | content | more)


def test_what_is_listed(browser):
    letter = {"contentType": "application/pdf", "data": data(b"%PDF-1"), "title": "Letter <b>"}
    doctor = [{"reference": browser.doctor}]
    reference(browser, letter, author=doctor, type={"text": "Discharge letter"}, docStatus="preliminary")
    reference(browser, letter, docStatus="entered-in-error")
    reference(browser, letter | {"title": "Old"}, status="superseded", date="2025-01-01T09:00:00Z")
    reference(browser, {"url": "https://elsewhere.example.org/1"}, description="Far away")
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "Chest X-ray"}}
    whose = {"subject": {"reference": browser.patient}, "issued": "2026-06-01T08:00:00Z"}
    browser.client.create(report | whose | {"presentedForm": [{"contentType": "text/plain", "data": data(b"x")}]})
    browser.client.create(report | whose)  # without a form: among the results
    page = browser.page("/my/documents")
    for text in ("Letter &lt;b&gt;", "Discharge letter · Bergmann", "Not final yet", "Replaced by a newer one",
                 "kept elsewhere", "1 document is not shown", "Chest X-ray", "Download (PDF)",
                 "Download (text)"):  # fmt: skip
        assert text in page, text
    assert page.index("Chest X-ray") < page.index("Letter &lt;b&gt;") < page.index("Old")
    assert page.count("Chest X-ray, ") == 1


@pytest.mark.parametrize(
    ("kind", "served", "ending"),
    [
        ("application/pdf", "application/pdf", ".pdf"),
        ("text/html", "application/octet-stream", ".html.txt"),
        ("image/svg+xml", "application/octet-stream", ".svg.txt"),
        ("text/plain; charset=utf-8", "text/plain", ".txt"),
        ("application/x-strange", "application/octet-stream", ".bin"),
    ],
)
def test_a_file_is_never_something_a_browser_runs(browser, kind, served, ending):
    attachment = {"data": data(b"<script>1</script>"), "title": 'Bérgmann "/..\\x'}
    place = reference(browser, attachment | {"contentType": kind})
    answer = browser.send("GET", f"/my/documents/{place}/0")
    assert (answer.status, answer.body) == (200, b"<script>1</script>")
    headers = answer.headers
    assert headers["content-type"].partition(";")[0] == served
    assert headers["content-disposition"].startswith(f'attachment; filename="Bergmann __.._x{ending}"')
    assert headers["x-content-type-options"] == "nosniff" and headers["cache-control"] == "no-store"
    assert headers["content-security-policy"].startswith("sandbox;")


def test_a_binary_is_read_and_what_is_damaged_is_not_given(browser):
    binary = "Binary/" + browser.client.create(
        {"resourceType": "Binary", "contentType": "text/plain", "data": data(b"hello")}
    )
    place = reference(browser, {"contentType": "text/plain", "url": binary})
    assert browser.send("GET", f"/my/documents/{place}/0").body == b"hello"
    digest = b64encode(hashlib.sha1(b"other").digest()).decode()
    damaged = reference(browser, {"contentType": "text/plain", "data": data(b"hello"), "hash": digest})
    answer = browser.send("GET", f"/my/documents/{damaged}/0")
    assert answer.status == 410 and b"damaged" in answer.body


def test_nobody_elses_and_nothing_in_error(browser):
    attachment = {"data": data(b"x"), "contentType": "text/plain"}
    mine, wrong = reference(browser, attachment), reference(browser, attachment, status="entered-in-error")
    other = Browser(browser.client)
    for who, path in ((other, f"{mine}/0"), (browser, f"{wrong}/0"), (browser, f"{mine}/1"), (browser, f"{mine}/x"),
                      (browser, f"{browser.patient}/0")):  # fmt: skip
        assert who.send("GET", f"/my/documents/{path}").status == 404, path
