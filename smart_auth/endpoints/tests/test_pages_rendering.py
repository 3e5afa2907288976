"""Headers, statics and words of dates."""

import pytest

from smart_auth.endpoints.pages_rendering import FOLDER, day, moment, policy, statics


@pytest.mark.parametrize(
    ("redirect_uri", "source"),
    [
        ("", ""),
        ("https://app.example/back?x=1", " https://app.example"),
        ("http://127.0.0.1:3000/", " http://127.0.0.1:3000"),
        ("http://[::1]:3000/", " http:"),
        ("org.example.app:/back", " org.example.app:"),
        ("https://app.example;script-src *", " https:"),
    ],
)
def test_form_action_allows_the_redirect_and_nothing_else(redirect_uri: str, source: str) -> None:
    assert policy(redirect_uri).endswith(f"form-action 'self'{source}")
    assert "unsafe" not in policy(redirect_uri)


def test_statics_are_all_there() -> None:
    assert set(statics()) == {path.name for path in (FOLDER / "static").iterdir()}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.html")), ids=lambda path: path.name)
def test_templates_have_no_inline_code(path: object) -> None:
    text = path.read_text()  # type: ignore[attr-defined]
    assert " style=" not in text and " on" + "click" not in text and "javascript:" not in text and "|safe" not in text
    assert text.count("<script") == text.count('<script type="module" src=')


def test_dates_are_words() -> None:
    assert day(1_800_000_000) == "15 January 2027"
    assert moment(1_800_000_000) == "15 January 2027, 08:00 UTC"
