"""The page as it is written: texts in one place, nothing inline, guards."""

import re

import pytest

from video.page.rendering import digest, headers, page, statics, texts

MODULES = {name: static.body.decode() for name, static in statics().items() if name.endswith(".js")}
TEMPLATE = page().decode()


def policy(frames: tuple[str, ...] = ()) -> dict[str, str]:
    found = headers("visit.example:8081", frames)["Content-Security-Policy"]
    return dict((part + " ").split(" ", 1) for part in found.split("; "))


def test_the_policy_lets_nothing_in_that_is_not_ours() -> None:
    found = policy()
    assert found["default-src"].strip() == "'none'" and found["script-src"].strip() == "'self'"
    assert found["connect-src"].split() == ["'self'", "ws://visit.example:8081", "wss://visit.example:8081"]
    assert found["frame-src"].split() == ["'self'"] and "unsafe" not in str(found)


def test_a_chart_may_come_from_where_it_is_kept() -> None:
    assert policy(("https://fhir.example",))["frame-src"].split() == ["'self'", "https://fhir.example"]


def test_a_host_that_is_none_gets_into_no_header() -> None:
    assert "evil" not in headers("evil; script-src *")["Content-Security-Policy"]


def test_nothing_is_inline() -> None:
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>", TEMPLATE)


def test_every_id_is_there_once() -> None:
    ids = re.findall(r'\sid="([^"]+)"', TEMPLATE)
    assert len(ids) == len(set(ids))


def test_every_element_that_a_module_looks_for_is_in_the_page() -> None:
    ids = set(re.findall(r'\sid="([^"]+)"', TEMPLATE))
    asked = {id for source in MODULES.values() for id in re.findall(r'\$\("([^"]+)"\)', source)}
    assert asked <= ids


def test_every_text_that_a_module_says_is_there() -> None:
    said = {key for source in MODULES.values() for key in re.findall(r'text\(\s*"([^"]+)"', source)}
    assert said <= set(texts())


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_import_only_what_is_served(name: str) -> None:
    imported = re.findall(r'(?:from|import)\s*\(?"\./([^"]+)"', MODULES[name])
    assert set(imported) <= set(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_modules_are_small_and_write_no_html(name: str) -> None:
    source = MODULES[name]
    assert name == "messages.js" or source.count("\n") <= 260
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", source)


def test_every_module_is_loaded_from_the_digest() -> None:
    for name in MODULES:
        assert f'"visit/static/{digest()}/{name}"' in TEMPLATE


def test_the_page_names_nobody() -> None:
    assert "{{" not in TEMPLATE and texts()["name.heading"] not in TEMPLATE
