"""FHIR data types as HL7 v2 ones. A tuple is components (one inside another: sub-components), a list repetitions.

HL7 v2.5.1 chapter 2A; the inverse of the official datatype maps (https://hl7.org/fhir/uv/v2mappings/).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from hl7_bridge.er7.serializer import Component as Part
from hl7_bridge.mapping.reading import LOCAL, NAMED, quoted
from hl7_bridge.outbound.code_systems import mnemonic
from hl7_bridge.site.model import Site

Json = Mapping[str, Any]

_MOMENT = re.compile(
    r"(?P<date>\d{4}(?:-\d\d){0,2})(?:T(?P<time>\d\d:\d\d(?::\d\d)?)(?P<fraction>\.\d+)?(?P<zone>Z|[+-]\d\d:\d\d)?)?"
)
_MOST_FRACTION = 5  # the dot and four digits


def dtm(moment: str) -> str:
    """date, dateTime or instant to DTM, as precise as it is and with its offset; '' for what is none."""
    found = _MOMENT.fullmatch(moment)
    if found is None:
        return ""
    zone = "+0000" if found["zone"] == "Z" else (found["zone"] or "").replace(":", "")
    fraction = (found["fraction"] or "")[:_MOST_FRACTION]
    return found["date"].replace("-", "") + (found["time"] or "").replace(":", "") + fraction + zone


class Authorities:
    """Identifier systems as HD: by the names the site gives them, else as what they are."""

    def __init__(self, site: Site, named: Mapping[str, str]) -> None:
        self._names = {system: name for name, system in {**named, **site.authorities}.items()}

    def hd(self, system: str) -> tuple[str, ...]:
        """The parts of an HD: namespace id, universal id and its type."""
        name = self._names.get(system, "")
        local = unquote(system.removeprefix(LOCAL)) if system.startswith(LOCAL) else ""
        # A name goes alone only where it means this system and no other, once it is read again.
        if not name and local and local.upper() not in NAMED and LOCAL + quoted(local) == system:
            return (local,)
        if system.startswith("urn:oid:"):
            return (name, system.removeprefix("urn:oid:"), "ISO")
        if system.startswith("urn:uuid:"):
            return (name, system.removeprefix("urn:uuid:"), "UUID")
        return (name, system, "URI") if system else (name,)

    def cx(self, identifier: Json) -> tuple[Part, ...]:
        """Identifier to CX."""
        code = _first_code(identifier.get("type"))
        return identifier["value"], "", "", self.hd(identifier.get("system", "")), code, "", *_validity(identifier)

    def ei(self, identifier: Json) -> tuple[str, ...]:
        """Identifier to EI."""
        return identifier["value"], *self.hd(identifier.get("system", ""))

    def xon(self, name: str, identifiers: Iterable[Json]) -> tuple[Part, ...]:
        """Organization to XON."""
        own = first(each for each in identifiers if each.get("value"))
        if not own:
            return (name,)
        gap = ("",) * 4
        return name, *gap, self.hd(own.get("system", "")), _first_code(own.get("type")), "", "", own["value"]

    def xcn(self, name: Json | None, identifiers: Iterable[Json]) -> tuple[Part, ...]:
        """Practitioner to XCN."""
        own = first(each for each in identifiers if each.get("value"))
        parts = xpn(name) if name else ("",) * 7
        system: Part = self.hd(own.get("system", "")) if own else ""
        return own.get("value", ""), *parts[:5], "", "", system, parts[6], "", "", _first_code(own.get("type"))


def _validity(identifier: Json) -> tuple[str, str]:
    period = identifier.get("period") or {}
    return dtm(period.get("start", ""))[:8], dtm(period.get("end", ""))[:8]


def _first_code(concept: Json | None) -> str:
    return next((coding["code"] for coding in (concept or {}).get("coding", ()) if coding.get("code")), "")


_USES = {"official": "L", "usual": "D", "maiden": "M", "nickname": "N", "anonymous": "S", "temp": "TEMP", "old": "BAD"}
"""HumanName.use to table 0200."""


def xpn(name: Json) -> tuple[str, ...]:
    """HumanName to XPN: family, first given, further givens, suffix, prefix, degree, type."""
    given = name.get("given", [])
    return (
        name.get("family") or ("" if given else name.get("text", "")),
        given[0] if given else "",
        " ".join(given[1:]),
        " ".join(name.get("suffix", ())),
        " ".join(name.get("prefix", ())),
        "",
        _USES.get(name.get("use", ""), ""),
    )


_ADDRESS_USES = {"home": "H", "work": "B", "temp": "C", "old": "BA", "billing": "BI"}
"""Address.use to table 0190."""


def xad(address: Json) -> tuple[str, ...]:
    """Address to XAD."""
    lines = address.get("line", [])
    return (
        lines[0] if lines else ("" if address.get("city") else address.get("text", "")),
        ", ".join(lines[1:]),
        address.get("city", ""),
        address.get("state", ""),
        address.get("postalCode", ""),
        address.get("country", ""),
        "M" if address.get("type") == "postal" else _ADDRESS_USES.get(address.get("use", ""), ""),
        "",
        address.get("district", ""),
    )


_TELECOM_USES = {"home": "PRN", "work": "WPN", "temp": "VHN", "mobile": "PRN"}
"""ContactPoint.use to table 0201."""
_TELECOM_SYSTEMS = {"phone": "PH", "fax": "FX", "pager": "BP", "email": "Internet", "url": "Internet", "sms": "CP"}
"""ContactPoint.system to table 0202."""


def xtn(contact: Json) -> tuple[str, ...]:
    """ContactPoint to XTN: the number unformatted in XTN-12, addresses in XTN-4."""
    system, value = contact.get("system", ""), contact.get("value", "")
    kind = "CP" if contact.get("use") == "mobile" else _TELECOM_SYSTEMS.get(system, "PH")
    if system in ("email", "url"):
        return "", "NET", kind, value
    return "", _TELECOM_USES.get(contact.get("use", ""), ""), kind, "", "", "", "", "", "", "", "", value


def cwe(concept: Json | None) -> tuple[str, ...]:
    """CodeableConcept to CWE: two codings and the text as it was entered."""
    codings = [coding for coding in (concept or {}).get("coding", ()) if coding.get("code")][:2]
    parts = [part for coding in codings for part in _coded(coding)]
    text = (concept or {}).get("text", "")
    if not codings:
        return ("", text)
    parts += [""] * (6 - len(parts))
    versions = [coding.get("version", "") for coding in codings] + [""] * (2 - len(codings))
    return *parts, *versions, text


def coding(value: Json) -> tuple[str, ...]:
    """Coding to CWE."""
    return _coded(value)


def _coded(value: Json) -> tuple[str, str, str]:
    return value.get("code", ""), value.get("display", ""), mnemonic(value.get("system", ""))


def cq(quantity: Json) -> tuple[Part, ...]:
    """Quantity to CQ."""
    return number(quantity), unit(quantity)


def number(quantity: Json) -> str:
    value = quantity.get("value")
    return "" if value is None else str(value)


def unit(quantity: Json) -> tuple[str, ...]:
    """The unit of a Quantity as CWE."""
    code = quantity.get("code", "")
    return (
        code or quantity.get("unit", ""),
        quantity.get("unit", ""),
        mnemonic(quantity.get("system", "")) if code else "",
    )


def first(values: Iterable[Json]) -> Json:
    """The first of ``values``; an empty one when there is none."""
    return next(iter(values), {})


def repeated(values: Iterable[Json], write: Callable[[Any], Any]) -> list[Any]:
    """Each of ``values`` as one repetition."""
    return [write(value) for value in values]
