import re

from fhir_server.pages.hl7.tests.conftest import BASE, Rig


def test_static_files_may_be_kept_and_pages_need_no_inline_script(rig: Rig) -> None:
    page = rig.browser.get("/hl7/")
    links = re.findall(r'(?:href|src)="(/hl7/static/[^"]+)"', page.text)
    assert {link.split("?")[0].rsplit("/", 1)[1] for link in links} == {
        "icon.svg",
        "style.css",
        "console.css",
        "console.js",
    }
    for link in links:
        answer = rig.browser.client.get(link, base_url=BASE)
        assert answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"]
    assert rig.browser.client.get("/hl7/static/nothing.js", base_url=BASE).status_code == 404
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=", page.text)


def test_a_form_that_is_too_large_is_refused(rig: Rig) -> None:
    rig.take()
    answer = rig.browser.client.post("/hl7/messages", base_url=BASE, data={"q": "x" * 3_000_000})
    assert answer.status_code == 413


def test_without_its_slash_the_overview_is_the_same_page(rig: Rig) -> None:
    assert rig.browser.client.get("/hl7", base_url=BASE).status_code == 200
