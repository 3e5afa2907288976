"""$expand: pages, words, flags."""

import pytest

from resources.errors import TooCostly
from resources.terminology import expansion
from resources.terminology.expansion import Wanted, expand
from resources.terminology.tests.given import ANIMALS, SYSTEM, Shelf, value_set

ALL = value_set("http://example.org/all", [{"system": SYSTEM}])


def shown(wanted: Wanted) -> list[str]:
    return [each["code"] for each in expand(Shelf(ANIMALS), ALL, wanted)["expansion"].get("contains", ())]


def test_pages_join_to_the_whole() -> None:
    whole = shown(Wanted())
    assert whole == ["animal", "cat", "dog", "poodle", "dodo"]
    assert [code for offset in range(0, 6, 2) for code in shown(Wanted(offset=offset, count=2))] == whole
    found = expand(Shelf(ANIMALS), ALL, Wanted(count=0, offset=3))["expansion"]
    assert (found["total"], found["offset"], "contains" in found) == (5, 3, False)


def test_the_text_filter_begins_codes_and_words_in_any_language() -> None:
    assert shown(Wanted(filter="ka")) == ["cat"] and shown(Wanted(filter="DO")) == ["dog", "dodo"]
    assert (
        shown(Wanted(filter="og")) == [] and expand(Shelf(ANIMALS), ALL, Wanted(filter="ca"))["expansion"]["total"] == 1
    )


def test_flags() -> None:
    assert "dodo" not in shown(Wanted(active_only=True)) and "animal" not in shown(Wanted(for_display=True))
    first, *_, last = expand(Shelf(ANIMALS), ALL, Wanted())["expansion"]["contains"]
    assert first["abstract"] and last["inactive"]


def test_languages_and_designations() -> None:
    [cat] = expand(Shelf(ANIMALS), ALL, Wanted(filter="cat", language="de", designations=True))["expansion"]["contains"]
    assert cat["display"] == "Katze" and cat["designation"] == [{"language": "de-AT", "value": "Katze"}]


def test_the_definition_only_when_asked() -> None:
    assert "compose" not in expand(Shelf(ANIMALS), ALL, Wanted())
    assert "compose" in expand(Shelf(ANIMALS), ALL, Wanted(definition=True))


def test_what_was_used_is_said() -> None:
    used = expand(Shelf(ANIMALS), ALL, Wanted(filter="c", active_only=True))["expansion"]["parameter"]
    assert {"name": "filter", "valueString": "c"} in used and {"name": "activeOnly", "valueBoolean": True} in used
    assert {"name": "version", "valueUri": f"{SYSTEM}|1"} in used


def test_what_is_too_long_is_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MOST_AT_ONCE", 3)
    with pytest.raises(TooCostly, match="count and offset"):
        shown(Wanted())
    assert len(shown(Wanted(count=1000))) == 3
