"""Addresses and telephone numbers: XAD as Address, XTN as ContactPoint.

HL7 v2.5.1 sections 2A.87 (XAD), 2A.91 (XTN), 2A.64 (SAD); official maps XAD[Address], XTN[ContactPoint].
"""

from collections.abc import Callable
from typing import Any, Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.datatypes.times import between
from hl7_bridge.mapping.reading import Reading

Address = dict[str, Any]
ContactPoint = dict[str, Any]

_PARTS: Final = ((3, "city"), (9, "district"), (4, "state"), (5, "postalCode"), (6, "country"))
_TRACT: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract"
_AD_USE: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-AD-use"
_CONTACT: Final = "http://hl7.org/fhir/StructureDefinition/contactpoint-"


def address(value: Value, reading: Reading) -> Address | None:
    """XAD as an Address; None when only its kind is said."""
    found: Address = {}
    street = value.part(1)
    lines = [street.text(n).strip() for n in (1, 2, 3)]
    # SAD keeps the dwelling number after the street; people write it before.
    lines = [lines[0] or " ".join(line for line in (lines[2], lines[1]) if line)] if not lines[0] else lines
    lines += [value.text(2).strip(), value.text(19).strip()]
    if any(lines):
        found["line"] = [line for line in lines if line]
    for component, element in _PARTS:
        text = value.text(component).strip()
        if text:
            found[element] = text
    if not found:
        return None
    _kind(value.text(7).strip(), reading, found)
    if len(value) > 9:
        _further(value, reading, found)
    return found


def _kind(kind: str, reading: Reading, found: Address) -> None:
    if kind in ("M", "SH"):
        found["type"] = "postal"
    elif kind == "HV":
        found["extension"] = [{"url": _AD_USE, "valueCode": "HV"}]
    elif kind:
        use = reading.translate(table("AddressType[Use]"), kind)
        if use is not None:
            found["use"] = use.code


def _further(value: Value, reading: Reading, found: Address) -> None:
    tract = value.text(10)
    if tract:
        found.setdefault("extension", []).append({"url": _TRACT, "valueString": tract})
    validity = value.part(12)
    start, end = value.text(13) or validity.text(1), value.text(14) or validity.text(2)
    lasting = between(start, end, reading) if start or end else None
    if lasting:
        found["period"] = lasting


_MAIL: Final = frozenset({"INTERNET", "X.400", "EMAIL"})


def contact_point(value: Value, reading: Reading) -> ContactPoint | None:
    """XTN as a ContactPoint: telephone, fax, pager or mail; None without a number or address."""
    kind = value.text(3).strip()
    mail = value.text(4).strip()
    extensions: list[dict[str, Any]] = []
    if kind.upper() in _MAIL or (mail and not _dialled(value)):
        text, system = mail or value.text(1).strip() or _dialled(value), "email"
    else:
        text, system = value.text(12).strip() or _number(value) or value.text(1).strip(), "phone"
        extensions = _dial_parts(value)
    if not text:
        return None
    found: ContactPoint = {"extension": extensions} if extensions else {}
    found["system"] = _system(kind, system, reading)
    found["value"] = text
    _usage(value, kind, reading, found)
    return found


def _dialled(value: Value) -> str:
    return value.text(12).strip() or value.text(7).strip() or value.text(1).strip()


def _number(value: Value) -> str:
    """The number of its parts, as the official map writes it."""
    country, area, local, extension = (value.text(n).strip() for n in (5, 6, 7, 8))
    if not local:
        return ""
    parts = [f"+{country.lstrip('+')}" if country else "", area, local, f"X{extension}" if extension else ""]
    return " ".join(part for part in parts if part)


def _dial_parts(value: Value) -> list[dict[str, Any]]:
    names = ((5, "country"), (6, "area"), (7, "local"), (8, "extension"))
    return [{"url": _CONTACT + name, "valueString": text} for n, name in names if (text := value.text(n).strip())]


def _system(kind: str, otherwise: str, reading: Reading) -> str:
    if not kind:
        return otherwise
    found = reading.translate(table("TelecommunicationEquipmentType"), kind)
    if found is None:
        return otherwise
    return found.code if found.code in _SYSTEMS else otherwise


_SYSTEMS: Final = frozenset({"phone", "fax", "email", "pager", "url", "sms", "other"})


def _usage(value: Value, kind: str, reading: Reading, found: ContactPoint) -> None:
    use = value.text(2).strip()
    if use and use != "NET":
        known = reading.translate(table("TelecommunicationUseCode"), use)
        if known is not None:
            found["use"] = known.code
    if kind in ("CP", "CELL"):
        found["use"] = "mobile"
    if len(value) > 12:
        lasting = between(value.text(13), value.text(14), reading)
        if lasting:
            found["period"] = lasting
        rank = number(value.text(18))
        if rank is not None and 0 < rank < 2**31 and rank == int(rank):
            found["rank"] = int(rank)


def contact_for(use: str) -> Callable[[Value, Reading], ContactPoint | None]:
    """A function as ``contact_point`` for a field that says what its numbers are for when they do not."""

    def found(value: Value, reading: Reading) -> ContactPoint | None:
        point = contact_point(value, reading)
        if point is not None and "use" not in point:
            point["use"] = use
        return point

    return found
