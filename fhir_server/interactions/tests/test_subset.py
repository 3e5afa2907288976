"""``_summary`` and ``_elements`` of stored documents."""

import json

import pytest

from fhir_server.interactions.subset import asked, subset
from resources.errors import BadSearch

DOC = b'{"resourceType":"Patient","id":"1","text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">x</div>"},"active":true,"photo":[{"title":"p"}]}'


def test_nothing_asked_leaves_the_bytes() -> None:
    assert subset(DOC, *asked((("_summary", "false"),))) is DOC


def test_summary() -> None:
    part = json.loads(subset(DOC, *asked((("_summary", "true"),))))
    assert "photo" not in part
    assert part["meta"]["tag"][0]["code"] == "SUBSETTED"


def test_elements() -> None:
    part = json.loads(subset(DOC, *asked((("_elements", "photo,Patient.active,Encounter.class"),), "Patient")))
    assert set(part) == {"resourceType", "id", "meta", "active", "photo"}


@pytest.mark.parametrize("pair", [("_summary", "some"), ("_elements", "nam")])
def test_unknown(pair: tuple[str, str]) -> None:
    with pytest.raises(BadSearch):
        asked((pair,), "Patient")
