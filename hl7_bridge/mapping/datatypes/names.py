"""Names of persons: XPN, and the name parts of XCN and CNN, as HumanName.

HL7 v2.5.1 sections 2A.89 (XPN), 2A.88 (XCN), 2A.10 (CNN), 2A.30 (FN); official maps XPN[HumanName], XCN[Practitioner].
"""

from typing import Any, Final, NamedTuple

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.times import between
from hl7_bridge.mapping.reading import Reading

HumanName = dict[str, Any]


class Parts(NamedTuple):
    """Which component says what; 0 where the type has none."""

    family: int
    given: int
    further: int
    suffix: int
    prefix: int
    degree: int
    kind: int
    validity: int
    assembly: int
    start: int
    end: int
    professional: int


XPN: Final = Parts(1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14)
XCN: Final = Parts(2, 3, 4, 5, 6, 7, 10, 17, 18, 19, 20, 21)
CNN: Final = Parts(2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0)

_FAMILY: Final = ((2, "own-prefix"), (3, "own-name"), (4, "partner-prefix"), (5, "partner-name"))
_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/humanname-"


def human_name(value: Value, reading: Reading) -> HumanName | None:
    """XPN as a HumanName; None when no part of a name is there."""
    return name(value, XPN, reading)


def name(value: Value, parts: Parts, reading: Reading) -> HumanName | None:
    """The name in ``value`` by the places of ``parts``."""
    found: HumanName = {}
    family = value.part(parts.family)
    if family:
        _family(family, found)
    given = [text for n in (parts.given, parts.further) if (text := value.text(n).strip())]
    if given:
        found["given"] = given
    prefix = value.text(parts.prefix).strip()
    if prefix:
        found["prefix"] = [prefix]
    suffix = [text for n in (parts.suffix, parts.degree, parts.professional) if n and (text := value.text(n).strip())]
    if suffix:
        found["suffix"] = suffix
    if not found:
        return None
    if len(value) >= parts.kind > 0:
        _use(value, parts, reading, found)
    return found


def _family(family: Value, found: HumanName) -> None:
    whole = family.text(1).strip()
    own = (
        [{"url": _EXTENSION + url, "valueString": text} for n, url in _FAMILY if (text := family.text(n).strip())]
        if len(family) > 1
        else []
    )
    if not whole:
        # Without a surname, the parts of one are the name.
        whole = " ".join(each["valueString"] for each in own)
    if whole:
        found["family"] = whole
        if own:
            found["_family"] = {"extension": own}


def _use(value: Value, parts: Parts, reading: Reading, found: HumanName) -> None:
    kind = value.text(parts.kind).strip()
    if kind:
        use = reading.translate(table("NameType"), kind)
        if use is not None:
            found["use"] = use.code
    start, end = value.text(parts.start), value.text(parts.end)
    validity = value.part(parts.validity)
    if not start and not end and validity:
        start, end = validity.text(1), validity.text(2)
    lasting = between(start, end, reading) if start or end else None
    if lasting:
        found["period"] = lasting
    order = value.text(parts.assembly)
    if order in ("G", "F"):
        found["extension"] = [{"url": _EXTENSION + "assembly-order", "valueCode": order}]


def display(found: HumanName | None) -> str:
    """A name as people write it."""
    if not found:
        return ""
    parts = [*found.get("prefix", ()), *found.get("given", ()), found.get("family", ""), *found.get("suffix", ())]
    return " ".join(part for part in parts if part)
