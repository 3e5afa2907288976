"""The official FHIRPath R4 suite and how it is run.

FHIR/fhir-test-cases, r4/fhirpath/tests-fhir-r4.xml; the sample data folder holds a copy.
"""

from pathlib import Path
from typing import Any

from lxml import etree

from resources import json_codec, xml_codec
from resources.fhirpath import FhirPathError, compile
from resources.fhirpath.functions.conversion import to_string
from resources.fhirpath.node import system_value
from resources.fhirpath.temporal import Temporal

EXCEPTIONS = {
    "testPlusDate19": "the suite drops the fraction of 0.1 's'; N1 ignores fractions only above seconds",
    "HighBoundaryDateTimeMillisecond3": "the last millisecond of 08 hours is 08:59:59.999, the suite says 08:00:59.999",
    "testFHIRPathAsFunction21": "as() on several items: the suite wants an error, R4's invariant dom-3 wants a filter",
}
"""Cases we fail on purpose, and why."""


def outcomes(folder: Path) -> dict[str, str]:
    """The name of every case with '' when it passes, else what was found; ``folder`` holds the suite and its input."""
    cases = etree.parse(str(folder / "tests-fhir-r4.xml")).iter("test")
    # A few cases share a name or have none: the number keeps them apart.
    found: dict[str, str] = {}
    for number, case in enumerate(cases):
        name = case.get("name") or str(number)
        found[f"{name} ({number})" if name in found else name] = _outcome(case, folder / "input")
    return found


def _input(name: str | None, folder: Path) -> Any:
    if not name:
        return {}
    # The XML is the suite's own input; some JSON twins lack an extension.
    file = folder / name
    if file.suffix == ".xml" and file.exists():
        return xml_codec.decode(_ordered(file.read_bytes()))
    return json_codec.decode(file.with_suffix(".json").read_bytes())


def _ordered(body: bytes) -> bytes:
    """One input has an extension of the resource behind elements of its type, which FHIR XML does not allow."""
    root = etree.fromstring(body)
    texts = root.findall("{*}text")
    for extension in root.findall("{*}extension") if texts else ():
        texts[0].addnext(extension)
    return bytes(etree.tostring(root))


def _shown(item: Any) -> str:
    value = system_value(item)
    mark = "@T" if isinstance(value, Temporal) and value.kind == "Time" else "@" if isinstance(value, Temporal) else ""
    return mark + str(to_string(value))


def _outcome(case: Any, inputs: Path) -> str:
    expression = case.find("expression")
    expected = [output.text or "" for output in case.findall("output")]
    try:
        strict = case.get("mode") == "strict"
        found = compile(expression.text, "", strict).nodes(_input(case.get("inputfile"), inputs))
    except FhirPathError as error:
        return "" if expression.get("invalid") else f"error {error}"
    if expression.get("invalid"):
        return f"no error but {found}"
    shown = [_shown(item) for item in found]
    if case.get("predicate") == "true":
        shown = [str(bool(shown)).lower()]
    return "" if shown == expected else f"{shown} instead of {expected}"
