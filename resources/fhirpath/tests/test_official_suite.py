"""The official FHIRPath R4 suite, where the sample data lie beside the checkout.

FHIR/fhir-test-cases, r4/fhirpath/tests-fhir-r4.xml.
"""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from resources import json_codec, xml_codec
from resources.fhirpath import FhirPathError, compile
from resources.fhirpath.functions.conversion import to_string
from resources.fhirpath.node import system_value
from resources.fhirpath.temporal import Temporal

SUITE = Path(__file__).resolve().parents[3] / "../shared/data/fhir/fhirpath"
pytestmark = pytest.mark.skipif(not SUITE.exists(), reason="no sample data")

EXCEPTIONS = {
    "testPlusDate19": "the suite drops the fraction of 0.1 's'; N1 ignores fractions only above seconds",
    "HighBoundaryDateTimeMillisecond3": "the last millisecond of 08 hours is 08:59:59.999, the suite says 08:00:59.999",
    "testFHIRPathAsFunction21": "as() on several items: the suite wants an error, R4's invariant dom-3 wants a filter",
}
"""Cases we fail on purpose, and why."""


def _cases() -> list[Any]:
    return list(etree.parse(str(SUITE / "tests-fhir-r4.xml")).iter("test")) if SUITE.exists() else []


def _input(name: str | None) -> Any:
    if not name:
        return {}
    # The XML is the suite's own input; some JSON twins lack an extension.
    file = SUITE / "input" / name
    if file.suffix == ".xml" and file.exists():
        return xml_codec.decode(file.read_bytes())
    return json_codec.decode(file.with_suffix(".json").read_bytes())


def _shown(item: Any) -> str:
    value = system_value(item)
    mark = "@T" if isinstance(value, Temporal) and value.kind == "Time" else "@" if isinstance(value, Temporal) else ""
    return mark + str(to_string(value))


def outcome(case: Any) -> str:
    """'' when the case passes, else what was found."""
    expression = case.find("expression")
    expected = [output.text or "" for output in case.findall("output")]
    try:
        strict = case.get("mode") == "strict"
        found = compile(expression.text, "", strict).nodes(_input(case.get("inputfile")))
    except FhirPathError as error:
        return "" if expression.get("invalid") else f"error {error}"
    if expression.get("invalid"):
        return f"no error but {found}"
    shown = [_shown(item) for item in found]
    if case.get("predicate") == "true":
        shown = [str(bool(shown)).lower()]
    return "" if shown == expected else f"{shown} instead of {expected}"


@pytest.mark.samples
def test_official_suite() -> None:
    failed = {case.get("name"): outcome(case) for case in _cases()}
    failed = {name: why for name, why in failed.items() if why}
    assert failed.keys() == EXCEPTIONS.keys(), failed
