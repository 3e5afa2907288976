"""JSON Patch: the examples of RFC 6902 in FHIR clothes, its errors, and properties."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources import json_codec
from resources.errors import BadSyntax, BusinessRule, FhirError
from resources.patch import json_patch

PATIENT = {
    "resourceType": "Patient",
    "active": True,
    "name": [{"family": "Moor", "given": ["Ada", "Ida"]}, {"text": "Adi"}],
    "multipleBirthInteger": 2,
}


def _applied(*operations: dict[str, Any]) -> dict[str, Any]:
    before = deepcopy(PATIENT)
    result = json_patch.apply(PATIENT, list(operations))
    assert before == PATIENT
    return result


def _op(op: str, path: str, value: Any = ..., source: str = "") -> dict[str, Any]:
    found = {"op": op, "path": path}
    if value is not ...:
        found["value"] = value
    return {**found, "from": source} if source else found


def test_add() -> None:
    assert _applied(_op("add", "/gender", "female"))["gender"] == "female"
    assert _applied(_op("add", "/name/0/given/1", "Eva"))["name"][0]["given"] == ["Ada", "Eva", "Ida"]
    assert _applied(_op("add", "/name/0/given/-", "Eva"))["name"][0]["given"] == ["Ada", "Ida", "Eva"]
    assert _applied(_op("add", "/active", False))["active"] is False


def test_remove_takes_away_what_becomes_empty() -> None:
    assert _applied(_op("remove", "/name/1/text"))["name"] == [PATIENT["name"][0]]  # type: ignore[index]
    assert "name" not in _applied(_op("remove", "/name/1"), _op("remove", "/name/0"))
    refilled = _applied(_op("remove", "/name/1"), _op("remove", "/name/0"), _op("add", "/name/-", {"text": "new"}))
    assert refilled["name"] == [{"text": "new"}]


def test_replace_move_copy() -> None:
    assert _applied(_op("replace", "/name/1", {"text": "B"}))["name"][1] == {"text": "B"}
    moved = _applied(_op("move", "/name/0", source="/name/1"))
    assert [sorted(name) for name in moved["name"]] == [["text"], ["family", "given"]]
    both = _applied(_op("copy", "/name/-", source="/name/0"), _op("replace", "/name/2/given/0", "Zoe"))
    assert both["name"][0]["given"] == ["Ada", "Ida"] and both["name"][2]["given"] == ["Zoe", "Ida"]
    assert _applied(_op("move", "/active", source="/active")) == PATIENT


@pytest.mark.parametrize(
    ("value", "same"), [(2, True), (Decimal("2.0"), True), ("2", False), (True, False), (None, False), ([2], False)]
)
def test_test(value: Any, same: bool) -> None:
    if same:
        assert _applied(_op("test", "/multipleBirthInteger", value)) == PATIENT
    else:
        with pytest.raises(BusinessRule, match="Operation 1"):
            _applied(_op("test", "/multipleBirthInteger", value))


def test_escapes() -> None:
    assert json_patch.apply({"a/b": 1, "m~n": 2}, [_op("test", "/a~1b", 1), _op("remove", "/m~0n")]) == {"a/b": 1}


@pytest.mark.parametrize(
    "operation",
    [
        _op("remove", "/gender"),
        _op("replace", "/gender", "male"),
        _op("add", "/contact/0", {}),
        _op("add", "/name/3", {}),
        _op("remove", "/name/2"),
        _op("remove", "/name/-"),
        _op("remove", "/name/01"),
        _op("add", "/active/x", 1),
        _op("remove", "/active/x"),
        _op("remove", ""),
        _op("replace", "", []),
        _op("replace", "/resourceType", "Person"),
        _op("move", "/name/0/period", source="/name/0"),
        _op("copy", "/gender", source="/nothing"),
    ],
)
def test_what_does_not_fit(operation: dict[str, Any]) -> None:
    with pytest.raises(BusinessRule):
        _applied(operation)


@pytest.mark.parametrize(
    "patch",
    [
        {},
        "x",
        ["x"],
        [{}],
        [{"op": "add"}],
        [{"path": "/a"}],
        [_op("delete", "/a")],
        [{"op": ["add"], "path": "/a"}],
        [_op("add", "/a")],
        [_op("move", "/a")],
        [_op("add", "a", 1)],
        [_op("add", "/~2", 1)],
        [{"op": "copy", "path": "/a", "from": 1}],
        [_op("remove", "/a")] * 10_001,
    ],
)
def test_what_is_no_patch(patch: Any) -> None:
    with pytest.raises(BadSyntax):
        json_patch.apply(PATIENT, patch)


def test_all_or_nothing_and_the_number_is_told() -> None:
    with pytest.raises(BusinessRule, match=r"Operation 2 \(remove\) at '/gone'"):
        _applied(_op("add", "/gender", "male"), _op("remove", "/gone"))


def test_doubling_documents_are_refused() -> None:
    doubling = [_op("copy", f"/x{n}", source="") | {"from": ""} for n in range(60)]
    with pytest.raises(BusinessRule, match="too much"):
        json_patch.apply({"resourceType": "Basic", "list": [1] * 1000}, doubling)


def test_parse_keeps_decimals() -> None:
    [operation] = json_patch.parse(b'\xef\xbb\xbf[{"op":"add","path":"/x","value":1.00}]')
    assert str(operation["value"]) == "1.00"


@pytest.mark.parametrize("body", [b"{}", b"[", b'[{"op":1,"op":2}]', b'[],"x":[]', b"[1e999999]", b"\xff"])
def test_parse_refuses(body: bytes) -> None:
    with pytest.raises(BadSyntax):
        json_patch.parse(body)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
_OBJECTS = st.dictionaries(st.text(max_size=3), _JSON, max_size=4)


def _difference(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    names = {name: "/" + name.replace("~", "~0").replace("/", "~1") for name in before | after}
    gone = [_op("remove", names[name]) for name in before if name not in after]
    kept = [_op("test", names[name], before[name]) for name in before]
    return [*kept, *gone, *(_op("add", names[name], value) for name, value in after.items())]


@given(_OBJECTS, _OBJECTS)
def test_a_difference_leads_there_and_back(before: dict[str, Any], after: dict[str, Any]) -> None:
    there = json_patch.apply(before, _difference(before, after))
    assert json_patch.same_json(there, after)
    assert json_patch.same_json(json_patch.apply(there, _difference(after, before)), before)


_POINTERS = st.sampled_from(["", "/", "/a", "/a/0", "/a/-", "/b/c", "/a/1/x", "/~1", "x"])
_OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "no"]), "path": _POINTERS},
    optional={"value": _JSON, "from": _POINTERS},
)


@given(st.fixed_dictionaries({"a": st.lists(_JSON, max_size=3), "b": _OBJECTS}), st.lists(_OPERATIONS, max_size=5))
def test_only_its_own_errors_and_never_the_input(document: dict[str, Any], patch: list[Any]) -> None:
    before = json_codec.encode([document, patch])
    try:
        json_patch.apply(document, patch)
    except FhirError as error:
        assert error.issues[0].text
    assert json_codec.encode([document, patch]) == before
