"""Elements as units: choices, primitives with their extensions, extensions by url."""

from decimal import Decimal

from hl7_bridge.record.elements import (
    canonical,
    digest,
    element,
    is_set,
    item_key,
    mapped_references,
    parts,
    replace,
    same,
    stated_references,
    unite_meta,
)

PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "meta": {"versionId": "1"},
    "birthDate": "1980-01-01",
    "_birthDate": {"extension": [{"url": "urn:time", "valueString": "x"}]},
    "deceasedBoolean": False,
    "extension": [{"url": "urn:b", "valueString": "1"}, {"url": "urn:a", "valueString": "2"}],
}


def test_parts_are_what_is_stated_together():
    found = parts(PATIENT)
    assert set(found) == {"birthDate", "deceased[x]", "extension:urn:b", "extension:urn:a"}
    assert set(found["birthDate"]) == {"birthDate", "_birthDate"}


def test_replacing_an_element_leaves_the_others():
    changed = dict(PATIENT)
    replace(changed, "deceased[x]", {"deceasedDateTime": "2020"})
    replace(changed, "birthDate", None)
    replace(changed, "extension:urn:b", None)
    assert changed["deceasedDateTime"] == "2020" and "deceasedBoolean" not in changed
    assert "birthDate" not in changed and "_birthDate" not in changed
    assert changed["extension"] == [{"url": "urn:a", "valueString": "2"}]
    replace(changed, "extension:urn:a", None)
    assert "extension" not in changed


def test_elements_by_any_of_their_names():
    assert {element("Observation", name) for name in ("valueString", "valueQuantity", "value[x]")} == {"value[x]"}
    assert element("Patient", "_birthDate") == "birthDate"
    assert is_set("DiagnosticReport", "result") and is_set("Patient", "identifier") and not is_set("Patient", "name")


def test_decimals_are_compared_as_written():
    one, other = ({"resourceType": "Observation", "valueDecimal": Decimal(text)} for text in ("1.0", "1.00"))
    assert not same(one, other) and same(one, {**one, "id": "2", "meta": {"versionId": "3"}})
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1})


def test_hashes_depend_on_the_secret():
    assert digest("x", b"one") != digest("x", b"two") and len(digest(b"x")) == 16


def test_items_are_known_by_identity_or_target():
    assert item_key({"system": "s", "value": "v"}) == "s|v"
    assert item_key({"reference": "Patient/1", "identifier": {"value": "v"}}) == "Patient/1"
    assert item_key({"identifier": {"system": "s", "value": "v"}}) == "s|v"


def test_references_are_mapped_wherever_they_are():
    found = mapped_references({"a": [{"reference": "x"}], "b": "x"}, lambda each: {**each, "reference": "y"})
    assert found == {"a": [{"reference": "y"}], "b": "x"}


def test_labels_are_only_added():
    resource = {"meta": {"security": [{"code": "R"}], "versionId": "1"}}
    unite_meta(resource, {"meta": {"security": [{"code": "R"}, {"code": "N"}]}})
    assert resource["meta"] == {"security": [{"code": "N"}, {"code": "R"}], "versionId": "1"}


def test_references_of_what_maps_make_are_found_at_any_depth():
    one, other = {"reference": "urn:uuid:1"}, {"reference": "urn:uuid:2"}
    made = {
        "resourceType": "Encounter",
        "status": "planned",
        "type": [{"text": "x"}],
        "participant": [{"individual": one}, {"type": [{"text": "y"}]}],
        "subject": other,
        "contained": [{"resourceType": "Basic", "subject": one}],
    }
    seen = []
    changed = stated_references(made, lambda each: seen.append(each["reference"]) or {"reference": "Patient/1"})
    assert sorted(seen) == ["urn:uuid:1", "urn:uuid:1", "urn:uuid:2"]
    assert changed == mapped_references(made, lambda each: {"reference": "Patient/1"})
    assert stated_references(made, lambda each: each) is made
