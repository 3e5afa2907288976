"""The invariants of StructureDefinition and ElementDefinition."""

from typing import Any

import pytest

from resources.validation.tests.asking import holds

CORE = "http://hl7.org/fhir/StructureDefinition/X"


def _view(name: str, *elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {name: {"element": list(elements)}, **more}


ROWS: list[tuple[str, Any, Any]] = [
    ("eld-1", {"description": "x"}, {}),
    ("eld-2", {"min": 1, "max": "*"}, {"min": 2, "max": "1"}),
    ("eld-3", "*", "many"),
    ("eld-4", {"code": "Reference", "aggregation": []}, {"code": "code", "aggregation": []}),
    ("eld-5", {"contentReference": "#x"}, {"contentReference": "#x", "fixedCode": "x"}),
    ("eld-6", {"type": [{}], "fixedCode": "x"}, {"type": [{}, {}], "fixedCode": "x"}),
    ("eld-8", {"patternCode": "x"}, {"patternCode": "x", "fixedCode": "x"}),
    ("eld-11", {"type": [{"code": "code"}], "binding": {}}, {"type": [{"code": "date"}], "binding": {}}),
    ("eld-12", {"valueSet": "http://x"}, {"valueSet": "ValueSet/x"}),
    ("eld-13", {"type": [{"code": "a"}, {"code": "b"}]}, {"type": [{"code": "a"}] * 2}),
    ("eld-16", {"sliceName": "a/b"}, {"sliceName": "a b"}),
    ("eld-17", {"code": "canonical", "targetProfile": []}, {"code": "code", "targetProfile": []}),
    ("eld-18", {"isModifier": True, "isModifierReason": "x"}, {"isModifier": True}),
    ("eld-19", {"path": "Patient.name[x]"}, {"path": "/Patient"}),
    ("eld-22", {"sliceIsConstraining": True, "sliceName": "x"}, {"sliceIsConstraining": True}),
    ("sdf-1", _view("snapshot", {"path": "A"}, {"path": "A.b"}), _view("snapshot", {"path": "A"}, {"path": "A"})),
    ("sdf-3", {"element": [{"definition": "x", "min": 0, "max": "1"}]}, {"element": [{"min": 0}]}),
    ("sdf-4", {"abstract": True}, {"abstract": False}),
    ("sdf-5", {"type": "Extension", "context": []}, {"type": "Extension"}),
    ("sdf-6", {"snapshot": {}}, {}),
    ("sdf-8b", {"element": [{"base": {}}]}, {"element": [{}]}),
    ("sdf-9", _view("snapshot", {"path": "A.b", "label": "x"}), _view("snapshot", {"path": "A", "label": "x"})),
    ("sdf-10", {"binding": {"valueSet": "x"}}, {"binding": {"strength": "x"}}),
    ("sdf-11", _view("snapshot", {"path": "A"}, type="A"), _view("snapshot", {"path": "B"}, type="A")),
    ("sdf-14", _view("differential", {"id": "A"}), _view("differential", {"path": "A"})),
    ("sdf-15", _view("snapshot", {"path": "A"}), _view("snapshot", {"path": "A", "type": []})),
    ("sdf-15a", _view("differential", {"path": "A.b", "type": []}), _view("differential", {"path": "A", "type": []})),
    ("sdf-16", _view("snapshot", {"id": "A"}), _view("snapshot", {"id": "A"}, {"id": "A"})),
    ("sdf-18", {"type": "Extension", "contextInvariant": []}, {"type": "A", "contextInvariant": []}),
    ("sdf-19", _view("snapshot", {"type": [{"code": "code"}]}, url=CORE),
     _view("snapshot", {"type": [{"code": "a b"}]}, url=CORE)),
    ("sdf-20", {"element": [{"path": "A.b", "slicing": {}}]}, {"element": [{"path": "A", "slicing": {}}]}),
    ("sdf-21", _view("differential", {"defaultValueCode": "x"}, derivation="specialization"),
     _view("differential", {"defaultValueCode": "x"})),
    ("sdf-22", _view("snapshot", {"defaultValueCode": "x"}), _view("snapshot", {"defaultValueCode": "x"}, url=CORE)),
    ("sdf-23", _view("snapshot", {"path": "A.b", "sliceName": "x"}),
     _view("snapshot", {"path": "A", "sliceName": "x"})),
]  # fmt: skip


@pytest.mark.parametrize(("key", "good", "bad"), ROWS)
def test_rule(key: str, good: Any, bad: Any) -> None:
    assert holds(key, good)
    assert not holds(key, bad)


def test_paths_begin_with_the_type_of_the_resource() -> None:
    resource = {"type": "A", "kind": "resource"}
    paths = {"element": [{"path": "A"}, {"path": "A.b"}]}
    for key in ("sdf-8", "sdf-8a"):
        assert holds(key, paths, resource)
        assert not holds(key, {"element": [{"path": "A"}, {"path": "B.c"}]}, resource)
        assert not holds(key, paths, resource | {"type": "B"})
