"""$translate: forward, in reverse, unmapped codes, dependencies."""

from typing import Any

import pytest

from resources.errors import BusinessRule
from resources.terminology.tests.given import Shelf
from resources.terminology.translate import Wanted, translate
from resources.terminology.validate_code import Coded


def concept_map(url: str, unmapped: dict[str, Any] | None = None) -> dict[str, Any]:
    group = {
        "source": "urn:a",
        "target": "urn:b",
        "element": [
            {"code": "1", "target": [{"code": "one", "equivalence": "wider"}]},
            {"code": "2", "target": [{"equivalence": "unmatched"}]},
            {
                "code": "3",
                "target": [
                    {
                        "code": "three",
                        "equivalence": "equal",
                        "dependsOn": [{"property": "kind", "value": "x"}],
                        "product": [{"property": "side", "system": "urn:side", "value": "left"}],
                    }
                ],
            },
        ],
    }
    more = {"unmapped": unmapped} if unmapped else {}
    return {"resourceType": "ConceptMap", "url": url, "sourceUri": "urn:vs:a", "group": [group | more]}


def said(map_: dict[str, Any], code: str, system: str = "urn:a", *others: dict[str, Any], **wanted: Any) -> Any:
    found = translate(Shelf(map_, *others), [map_], [Coded(system, code)], Wanted(**wanted))["parameter"]
    matches = [{p["name"]: p for p in each["part"]} for each in found if each["name"] == "match"]
    codes = [(m["equivalence"]["valueCode"], m.get("concept", {}).get("valueCoding", {}).get("code")) for m in matches]
    return found[0]["valueBoolean"], codes


M = concept_map("urn:m")


def test_forward_and_back() -> None:
    assert said(M, "1") == (True, [("wider", "one")])
    assert said(M, "one", "urn:b", reverse=True) == (True, [("narrower", "1")])
    assert said(M, "1", "urn:other") == (False, [])
    assert said(M, "1", target_system="urn:c") == (False, [])


def test_no_match_is_said() -> None:
    assert said(M, "2") == (False, [("unmatched", None)])
    found = translate(Shelf(), [M], [Coded("urn:a", "9")], Wanted())["parameter"]
    assert [each["name"] for each in found] == ["result", "message"]


def test_between_value_sets() -> None:
    assert said(M, "1", source="urn:vs:a")[0] and not said(M, "1", source="urn:vs:z")[0]


def test_dependencies_and_products() -> None:
    assert said(M, "3") == (False, [])
    wanted = Wanted(dependencies=frozenset({("kind", "x")}))
    [_, match] = translate(Shelf(), [M], [Coded("urn:a", "3")], wanted)["parameter"]
    product = next(p for p in match["part"] if p["name"] == "product")["part"]
    assert product[1]["valueCoding"] == {"system": "urn:side", "code": "left"}


def test_unmapped_codes() -> None:
    assert said(concept_map("urn:m", {"mode": "provided"}), "9") == (True, [("equal", "9")])
    assert said(concept_map("urn:m", {"mode": "fixed", "code": "other"}), "9") == (True, [("inexact", "other")])
    sent = concept_map("urn:n", {"mode": "other-map", "url": "urn:m"})
    assert said(sent, "1") == (True, [("wider", "one")])
    other = concept_map("urn:m", {"mode": "fixed", "code": "x"})
    assert said(sent, "9", "urn:a", other) == (True, [("inexact", "x")])


def test_a_circle_of_maps() -> None:
    a = concept_map("urn:m1", {"mode": "other-map", "url": "urn:m2"})
    b = concept_map("urn:m2", {"mode": "other-map", "url": "urn:m1"})
    with pytest.raises(BusinessRule, match="circle"):
        said(a, "9", "urn:a", b)
