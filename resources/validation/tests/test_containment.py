"""The rules of contained resources."""

from resources.validation.containment import containment_issues, fragments_in


def _expressions(**resource: object) -> list[str]:
    return [issue.expression for issue in containment_issues(resource, "X")]


def test_a_contained_resource_is_referred_to() -> None:
    row = {"resourceType": "Medication", "id": "m"}
    assert _expressions(contained=[row], a={"reference": "#m"}) == []
    assert _expressions(contained=[row], a={"reference": "#n"}) == ["X.contained[0]"]
    assert _expressions(contained=[row], library="#m|1.0") == []
    assert _expressions(contained=[row], text={"div": '<div><img src="#m"/></div>'}) == []
    assert _expressions(contained=[{**row, "subject": {"reference": "#"}}]) == []


def test_a_contained_resource_has_no_version_security_or_contained() -> None:
    row = {"id": "m", "contained": [], "meta": {"versionId": "1", "lastUpdated": "2020", "security": []}}
    assert _expressions(contained=[row], a="#m") == [
        "X.contained[0].contained", "X.contained[0].meta.versionId", "X.contained[0].meta.lastUpdated",
        "X.contained[0].meta.security",
    ]  # fmt: skip


def test_malformed_ones_are_for_others_to_report() -> None:
    assert _expressions(contained=1) == []
    assert _expressions(contained=[1, None]) == []


def test_fragments() -> None:
    assert fragments_in({"a": ["#1", {"b": "#2|3"}], "c": "d#4"}) == {"#1", "#2"}
