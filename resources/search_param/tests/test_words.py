"""Words of narratives and of all that is written."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources import json_codec
from resources.search_param import extract
from resources.search_param.words import HEAD, WORD, Words, _phrases, content, narrative, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Ünïcode, STRASSE straße", ["unicode", "strasse", "strasse"]),
        ("5.4 mg_dl x-ray", ["5", "4", "mg", "dl", "x", "ray"]),
        ("abc頭痛 です", ["abc", "頭", "痛", "て", "す"]),
        ("—", []),
    ],
)
def test_words(text, found):
    assert words(text) == found


def test_a_narrative_is_what_a_reader_sees():
    div = "<div xmlns='http://x'><!-- not <b>this</b> --><p title='no'>Chest&nbsp;<b>pain</b></p>&lt;5</div>"
    resource = {"resourceType": "Basic", "text": {"div": div}}
    assert words(narrative(resource)) == ["chest", "pain", "5"]
    assert {p.value for p in extract(resource).posts if p.form == WORD} == {"chest", "pain", "5"}
    assert {p.value for p in extract(resource).posts if p.form == HEAD} == {"ches"}
    assert narrative({"resourceType": "Basic"}) == ""


def test_content_is_all_that_is_written():
    resource = {
        "resourceType": "DocumentReference",
        "id": "d1",
        "description": "Discharge",
        "content": [{"attachment": {"data": "QUJD", "title": "Letter", "url": "http://a/b"}}],
        "subject": {"reference": "Patient/1", "display": "Eve"},
        "date": "2020-01-01T00:00:00Z",
    }
    assert words(content(resource)) == ["d1", "discharge", "letter", "eve"]


@given(st.text("aBÄ &é\n\"'\\x", max_size=20), st.sampled_from(["a", "ab", '"a b"', "ä", "b a", "axxx*"]))
def test_bytes_never_rule_out_what_fits(text, asked):
    resource = {"resourceType": "Basic", "code": {"text": text}, "text": {"div": f"<div>{html.escape(text)}</div>"}}
    for name in ("_text", "_content"):
        test = Words(name, (tuple(_phrases("Basic", name, asked)),))
        assert test.possible(json_codec.encode(resource)) or not test.fits(resource)
