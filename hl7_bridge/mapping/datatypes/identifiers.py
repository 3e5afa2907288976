"""Identifiers: CX, EI, EIP, HD, DLN, PLN as Identifier, and the keys that the record is searched by.

HL7 v2.5.1 sections 2A.14 (CX), 2A.28 (EI), 2A.27 (EIP), 2A.33 (HD); official maps CX[Identifier], EI and EIP.
"""

from typing import Any, Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.datatypes.times import between
from hl7_bridge.mapping.model import Key
from hl7_bridge.mapping.reading import Reading

Identifier = dict[str, Any]

TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
CHECK_DIGIT: Final = "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit"
CHECK_SCHEME: Final = "http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit"


def authority(value: Value, reading: Reading) -> str:
    """The system of an HD; '' when it names nobody."""
    return reading.authority(value.text(1), value.text(2), value.text(3))


def typed(code: str) -> dict[str, Any]:
    """``Identifier.type`` of table 0203."""
    return {"coding": [{"system": TYPES, "code": " ".join(code.split())}]}


def identifier(value: Value, reading: Reading) -> Identifier | None:
    """CX as an Identifier; without an authority it has no system. None without a value."""
    number = value.text(1).strip()
    if not number:
        return None
    found: Identifier = {}
    check = check_digit(value.text(2), value.text(3)) if len(value) > 1 else []
    if check:
        found["extension"] = check
    kind = value.text(5)
    if kind:
        found["type"] = typed(kind)
    system = authority(value.part(4), reading)
    if system:
        found["system"] = system
    found["value"] = number
    if len(value) > 6:
        lasting = between(value.text(7), value.text(8), reading)
        if lasting:
            found["period"] = lasting
    facility = value.part(6)
    if facility:
        found["assigner"] = {"display": facility.text(1) or facility.text(2)}
    return found


def check_digit(digit: str, scheme: str) -> list[dict[str, Any]]:
    """The extensions of an identifier that has a check digit and names the scheme it was made by."""
    found: list[dict[str, Any]] = [{"url": CHECK_DIGIT, "valueString": digit}] if digit.strip() else []
    if scheme.strip():
        found.append({"url": CHECK_SCHEME, "valueString": scheme})
    return found


def entity(value: Value, reading: Reading, kind: str = "", own: str = "") -> Identifier | None:
    """EI as an Identifier of type ``kind``; ``own`` names the sender's own system when the EI names no authority."""
    number = value.text(1).strip()
    if not number:
        return None
    system = reading.authority(value.text(2), value.text(3), value.text(4)) or (reading.own(own) if own else "")
    found: Identifier = {}
    if kind:
        found["type"] = typed(kind)
    if system:
        found["system"] = system
    found["value"] = number
    return found


def entity_pair(value: Value, reading: Reading, kinds: tuple[str, str], own: tuple[str, str]) -> list[Identifier]:
    """EIP as Identifiers: the placer's, then the filler's."""
    halves = (entity(value.part(n), reading, kinds[n - 1], own[n - 1]) for n in (1, 2))
    return [half for half in halves if half]


def licence(value: Value, reading: Reading) -> Identifier | None:
    """DLN (driver's licence) as an Identifier."""
    number = value.text(1).strip()
    if not number:
        return None
    found: Identifier = {"type": typed("DL"), "value": number}
    issuer = value.text(2)
    if issuer:
        found["system"] = reading.authority(f"DL/{issuer}")
    lasting = between("", value.text(3), reading)
    return {**found, "period": lasting} if lasting else found


def social_security(value: Value, reading: Reading) -> Identifier | None:
    """ST of PID-19 as an Identifier."""
    number = value.text(1).strip()
    if not number:
        return None
    return {"type": typed("SS"), "system": "http://hl7.org/fhir/sid/us-ssn", "value": number}


def key(found: Identifier | None) -> Key | None:
    """What an Identifier is searched by; None without both system and value."""
    if found and found.get("system") and found.get("value"):
        return Key(found["system"], found["value"])
    return None


def keys(found: list[Identifier]) -> tuple[Key, ...]:
    """The keys of several, each once, in order."""
    return tuple(dict.fromkeys(each for one in found if (each := key(one))))
