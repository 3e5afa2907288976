"""Sequences of three characters narrow what contains a text, and lose nothing."""

from hypothesis import given
from hypothesis import strategies as st

from resources import json_codec
from resources.search_param import compile_param, extract
from resources.search_param.grams import FORM, LONG, key
from resources.search_param.matching import Subject, fits
from resources.search_param.normal_form import normal

LETTERS = st.text("abMÜé -", max_size=12)


def organization(name):
    return {"resourceType": "Organization", "id": "1", "name": name}


@given(LETTERS, LETTERS, LETTERS, st.integers(0, 60))
def test_what_contains_a_text_is_found_by_it(before, text, behind, repeated):
    name = before + text + behind * repeated
    if normal(text) and normal(name):
        subject = Subject("Organization", "1", 0, json_codec.encode(organization(name)))
        term = compile_param("Organization", "name", "contains", text)
        assert fits(term, subject) == (normal(text) in normal(name))


def test_a_resource_stands_on_a_list_once():
    posts = [post for post in extract(organization("Banana") | {"alias": ["banana"]}).posts if post.form == FORM]
    assert sorted(post.value for post in posts) == ["ana", "ban", "nan"]


def test_long_texts_stand_on_one_list_together():
    assert [p for p in extract(organization("x y" * 50)).posts if p.form == FORM] == [key("Organization", LONG)]


def test_answers_are_not_listed():
    assert not [p for p in extract({"resourceType": "Observation", "valueString": "sitting"}).posts if p.form == FORM]
