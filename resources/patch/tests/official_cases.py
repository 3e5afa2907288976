"""The official patch cases and how each is run: '' when it passes, else what was found.

FHIR/fhir-test-cases, r4/patch; the sample data folder holds a copy.
"""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from lxml import etree

from resources import xml_codec
from resources.errors import FhirError
from resources.patch import fhirpath_patch, json_patch, xml_patch
from resources.patch.xml_selector import FHIR


def fhirpath_outcomes(folder: Path) -> dict[str, str]:
    """The outcome of each FHIRPath Patch case by name."""
    return {case.get("name"): _fhirpath(case) for case in _xml_cases(folder / "fhir-patch-tests.xml")}


def json_outcomes(folder: Path) -> dict[str, str]:
    """The outcome of each JSON Patch case by comment."""
    return {case["comment"]: _json(case) for case in json_patch.parse((folder / "json-patch-tests.json").read_bytes())}


def xml_outcomes(folder: Path) -> dict[str, str]:
    """The outcome of each XML Patch case by name."""
    return {case.get("name"): _xml(case) for case in _xml_cases(folder / "xml-patch-tests.xml")}


def _xml_cases(file: Path) -> list[Any]:
    return list(etree.parse(str(file), etree.XMLParser(remove_blank_text=False)).iter("case"))


def _compared(apply: Callable[[], Any], refused: bool, expected: Callable[[], Any]) -> str:
    try:
        found = apply()
    except FhirError as error:
        return "" if refused else f"error {error}"
    if refused:
        return f"no error but {found}"
    return "" if found == expected() else f"{found} instead of {expected()}"


def _fhirpath(case: Any) -> str:
    before, patch = _resource(case.find("input")), _resource(case.find("diff"))
    kept = deepcopy(before)
    outcome = _compared(
        lambda: _narrow(fhirpath_patch.apply(before, patch)),
        case.find("error") is not None,
        lambda: _narrow(_resource(case.find("output"))),
    )
    return outcome or ("" if before == kept else "the resource that was patched changed")


def _json(case: Any) -> str:
    return _compared(lambda: json_patch.apply(case["doc"], case["patch"]), "error" in case, lambda: case["expected"])


def _xml(case: Any) -> str:
    targets = case.find("target")
    target = etree.fromstring(etree.tostring(targets[0])) if len(targets) else etree.Element("nothing")
    return _compared(
        lambda: _spaceless(xml_patch.apply_to_tree(target, case.find(f"{{{FHIR}}}patch"))),
        case.find("error") is not None,
        lambda: _spaceless(case.find("patched")[0]),
    )


def _resource(holder: Any) -> dict[str, Any]:
    return xml_codec.decode(etree.tostring(holder[0], with_tail=False))


def _narrow(resource: dict[str, Any]) -> dict[str, Any]:
    """The narrative as a tree: the suite's own input and output differ in its white space and quotes."""
    resource = deepcopy(resource)
    if "text" in resource:
        resource["text"]["div"] = _spaceless(etree.fromstring(resource["text"]["div"]))
    return resource


def _spaceless(element: Any) -> Any:
    text = "".join((element.text or "").split())
    children = [_spaceless(child) for child in element]
    return (element.tag, sorted(element.attrib.items()), text, children)
