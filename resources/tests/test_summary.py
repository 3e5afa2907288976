"""Parts of a resource keep what the specification wants kept and say that they are parts.

FHIR R4 Search, Summary and Elements (https://hl7.org/fhir/R4/search.html#summary, #elements).
"""

import copy
from pathlib import Path

import pytest

from resources import json_codec
from resources.errors import BadSearch
from resources.summary import SUBSETTED, SUMMARY_CODES, check_elements, select_elements, summarize

SAMPLES = Path(__file__).resolve().parents[2] / "../shared/data/fhir"
CODE = {"coding": [{"system": "http://loinc.org", "code": "1", "extension": [{"url": "http://x"}]}], "text": "one"}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"versionId": "1", "tag": [{"code": "mine"}]},
    "language": "en",
    "text": {"status": "generated", "div": "<div/>"},
    "contained": [{"resourceType": "Basic", "id": "b"}],
    "extension": [{"url": "http://x", "valueString": "x"}],
    "modifierExtension": [{"url": "http://m", "valueString": "m"}],
    "status": "final",
    "code": CODE,
    "effectiveDateTime": "2020",
    "_effectiveDateTime": {"id": "e"},
    "performer": [{"reference": "Practitioner/1", "extension": [{"url": "http://x"}]}],
    "valueQuantity": {"value": 1, "extension": [{"url": "http://x"}]},
    "note": [{"text": "x"}],
    "component": [{"code": CODE, "valueString": "v", "interpretation": [CODE]}],
}


def names(resource):
    return [name for name in resource if name not in ("resourceType", "id", "meta")]


def test_the_summary_keeps_what_the_definitions_mark():
    part = summarize(OBSERVATION, "true")
    assert names(part) == [
        "modifierExtension", "status", "code", "effectiveDateTime", "_effectiveDateTime", "performer",
        "valueQuantity", "component",
    ]  # fmt: skip
    assert part["code"]["coding"] == [{"system": "http://loinc.org", "code": "1"}]
    assert part["component"] == [{"code": part["code"], "valueString": "v"}]
    assert part["modifierExtension"] == OBSERVATION["modifierExtension"]


def test_text_keeps_the_narrative_and_mandatory_elements():
    assert names(summarize(OBSERVATION, "text")) == ["text", "modifierExtension", "status", "code"]


def test_data_leaves_out_the_narrative_only():
    assert names(summarize(OBSERVATION, "data")) == [n for n in names(OBSERVATION) if n != "text"]


@pytest.mark.parametrize("code", ["false", "count"])
def test_false_and_count_leave_the_resource_alone(code):
    assert summarize(OBSERVATION, code) is OBSERVATION


def test_another_code_is_refused():
    with pytest.raises(BadSearch, match="not 'yes'"):
        summarize(OBSERVATION, "yes")


@pytest.mark.parametrize("code", ["true", "text", "data"])
def test_parts_are_tagged_once_and_the_resource_is_untouched(code):
    before = copy.deepcopy(OBSERVATION)
    part = summarize(summarize(OBSERVATION, code), code)
    assert part["meta"] == {"versionId": "1", "tag": [{"code": "mine"}, SUBSETTED]}
    assert list(part)[:3] == ["resourceType", "id", "meta"]
    assert before == OBSERVATION


def test_a_part_without_meta_gets_one():
    assert summarize({"resourceType": "Basic", "code": CODE, "id": "1"}, "data") == {
        "resourceType": "Basic", "id": "1", "meta": {"tag": [SUBSETTED]}, "code": CODE,
    }  # fmt: skip


def test_what_is_left_with_nothing_is_dropped_unless_it_must_be_there():
    absent = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}
    part = summarize({"resourceType": "Observation", "status": "final", "code": absent, "subject": absent}, "true")
    assert part["code"] == absent
    assert "subject" not in part


def test_entries_of_a_bundle_are_kept_whole():
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": OBSERVATION}]}
    assert summarize(bundle, "true")["entry"] == [{"resource": OBSERVATION}]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["note"], ["note"]),
        (["Observation.note", "Patient.name"], ["note"]),
        (["value"], ["valueQuantity"]),
        (["value[x]", "note.text"], ["valueQuantity", "note"]),
        (["valueQuantity"], ["valueQuantity"]),
        (["effectiveDateTime"], ["effectiveDateTime", "_effectiveDateTime"]),
        ([], []),
    ],
)
def test_elements_come_with_the_mandatory_ones(wanted, found):
    part = select_elements(OBSERVATION, wanted)
    assert sorted(names(part)) == sorted(["modifierExtension", "status", "code", *found])
    assert SUBSETTED in part["meta"]["tag"]


def test_modifiers_are_not_hidden_by_elements():
    allergy = {"resourceType": "AllergyIntolerance", "verificationStatus": CODE, "code": CODE, "note": []}
    assert names(select_elements(allergy, ["code"])) == ["verificationStatus", "code"]


def test_unknown_elements_are_named():
    check_elements("Observation", ["note", "value", "Observation.valueQuantity", "value[x]", "component.code"])
    with pytest.raises(BadSearch, match=r"'notes' is not an element of Observation; did you mean 'note'.*'zzzz'"):
        check_elements("Observation", ["notes", "zzzz"])


@pytest.mark.samples
@pytest.mark.skipif(not SAMPLES.exists(), reason="the optional sample data is absent")
def test_every_example_has_every_summary():
    for path in sorted((SAMPLES / "r4_examples").glob("*.json")):
        resource = json_codec.decode(path.read_bytes())
        for code in SUMMARY_CODES:
            part = summarize(resource, code)
            assert part.keys() - {"meta"} <= resource.keys()
            assert len(json_codec.encode(part)) <= len(json_codec.encode(resource)) + 200
