"""The official patch cases, where the sample data lie beside the checkout.

FHIR/fhir-test-cases, r4/patch.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from resources import xml_codec
from resources.errors import FhirError
from resources.patch import fhirpath_patch, json_patch, xml_patch
from resources.patch.xml_selector import FHIR

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/fhir/patch"
pytestmark = [pytest.mark.samples, pytest.mark.skipif(not SAMPLES.exists(), reason="no sample data")]

XML_EXCEPTIONS: dict[str, str] = {}
"""Cases we fail on purpose, and why."""


def _cases(name: str) -> list[Any]:
    parser = etree.XMLParser(remove_blank_text=False)
    return list(etree.parse(str(SAMPLES / name), parser).iter("case")) if SAMPLES.exists() else []


def _resource(holder: Any) -> dict[str, Any]:
    return xml_codec.decode(etree.tostring(holder[0], with_tail=False))


@pytest.mark.parametrize("case", _cases("fhir-patch-tests.xml"), ids=lambda case: case.get("name"))
def test_fhirpath_patch(case: Any) -> None:
    before, patch = _resource(case.find("input")), _resource(case.find("diff"))
    kept = deepcopy(before)
    if case.find("error") is not None:
        with pytest.raises(FhirError):
            fhirpath_patch.apply(before, patch)
    else:
        assert _narrow(fhirpath_patch.apply(before, patch)) == _narrow(_resource(case.find("output")))
    assert before == kept


def _narrow(resource: dict[str, Any]) -> dict[str, Any]:
    """The narrative as a tree: the suite's own input and output differ in its white space and quotes."""
    if "text" in resource:
        resource["text"]["div"] = _spaceless(etree.fromstring(resource["text"]["div"]))
    return resource


def _json_cases() -> list[Any]:
    text = (SAMPLES / "json-patch-tests.json").read_bytes() if SAMPLES.exists() else b"[]"
    return json_patch.parse(text)


@pytest.mark.parametrize("case", _json_cases(), ids=lambda case: case["comment"])
def test_json_patch(case: Any) -> None:
    if "error" in case:
        with pytest.raises(FhirError):
            json_patch.apply(case["doc"], case["patch"])
    else:
        assert json_patch.apply(case["doc"], case["patch"]) == case["expected"]


def _spaceless(element: Any) -> Any:
    text = "".join((element.text or "").split())
    children = [_spaceless(child) for child in element]
    return (element.tag, sorted(element.attrib.items()), text, children)


@pytest.mark.parametrize("case", _cases("xml-patch-tests.xml"), ids=lambda case: case.get("name"))
def test_xml_patch(case: Any) -> None:
    patch = case.find(f"{{{FHIR}}}patch")
    targets = case.find("target")
    target = etree.fromstring(etree.tostring(targets[0])) if len(targets) else etree.Element("nothing")
    if case.find("error") is not None:
        with pytest.raises(FhirError):
            xml_patch.apply_to_tree(target, patch)
    else:
        assert _spaceless(xml_patch.apply_to_tree(target, patch)) == _spaceless(case.find("patched")[0])
