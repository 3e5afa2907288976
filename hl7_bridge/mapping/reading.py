"""How one message is read: its sender's authorities, codes, units and time zone, and what nobody knows, collected.

HL7 v2.5.1 sections 2.16.9.7 (MSH-7 gives the time zone of the whole message) and 2A.33 (HD, the assigning authority).
"""

import re
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from hl7_bridge.er7 import Message
from hl7_bridge.errors import OTHER, Failed
from hl7_bridge.mapping.code_tables.tables import CodeTable
from hl7_bridge.mapping.model import Unmapped
from hl7_bridge.site.model import DEFAULT, Coding, Sender

LOCAL: Final = "urn:id:"
"""Before the name of an authority that is known by name only."""

_OID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)$")

NAMED: Final = {
    "SSA": "http://hl7.org/fhir/sid/us-ssn",
    "USSSA": "http://hl7.org/fhir/sid/us-ssn",
    "SSN": "http://hl7.org/fhir/sid/us-ssn",
    "NPI": "http://hl7.org/fhir/sid/us-npi",
    "NPPES": "http://hl7.org/fhir/sid/us-npi",
    "MBI": "http://hl7.org/fhir/sid/us-mbi",
    "CLIA": "urn:oid:2.16.840.1.113883.4.7",
}
"""Authorities whose name alone is enough, and the URIs that FHIR gives them."""

KNOWN_OIDS: Final = {
    "2.16.840.1.113883.4.1": "http://hl7.org/fhir/sid/us-ssn",
    "2.16.840.1.113883.4.6": "http://hl7.org/fhir/sid/us-npi",
    "2.16.840.1.113883.6.1": "http://loinc.org",
    "2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "2.16.840.1.113883.6.8": "http://unitsofmeasure.org",
    "2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "2.16.840.1.113883.6.90": "http://hl7.org/fhir/sid/icd-10-cm",
    "2.16.840.1.113883.6.103": "http://hl7.org/fhir/sid/icd-9-cm",
    "2.16.840.1.113883.6.69": "http://hl7.org/fhir/sid/ndc",
    "2.16.840.1.113883.12.292": "http://hl7.org/fhir/sid/cvx",
}
"""OIDs for which FHIR prescribes another URI."""


class Reading:
    """What the functions of data types need to know beside the value itself."""

    __slots__ = ("_systems", "place", "scope", "sender", "times", "units", "unmapped", "warnings", "zone")

    def __init__(self, sender: Sender, message: Message | None = None) -> None:
        self.sender = sender
        self.scope = _scope(sender, message)
        """Names the sender in systems of its own: order numbers, locations, codes without any authority."""
        self.zone = _zone(sender, message)
        self.place = ""
        """The field at hand (``PID-8``), for the worklist."""
        self.unmapped: list[Unmapped] = []
        self.warnings: list[str] = []
        self.times: dict[str, str] = {}
        self.units: dict[str, dict[str, str]] = {}
        self._systems: dict[tuple[str, str, str], str] = {}

    def authority(self, namespace: str, universal: str = "", kind: str = "") -> str:
        """The system of the authority that an HD names; '' when it names none."""
        named = (namespace, universal, kind)
        found = self._systems.get(named)
        if found is None:
            found = self._systems[named] = self._authority(*named)
        return found

    def _authority(self, namespace: str, universal: str, kind: str) -> str:
        configured = self.sender.authorities
        for name in (universal, namespace):
            if name and name in configured:
                return configured[name]
        if universal:
            return uri(universal, kind)
        return NAMED.get(namespace.upper()) or LOCAL + quoted(namespace) if namespace else ""

    def own(self, what: str) -> str:
        """A system of the sender's own: ``urn:id:LAB-A:placer``."""
        return f"{LOCAL}{self.scope}:{what}"

    def translate(self, table: CodeTable, code: str, text: str = "", system: str = "") -> Coding | None:
        """What the sender's overrides, or else the table, give for ``code``; None, noted, when neither does."""
        overrides = self.sender.codes
        if overrides:
            for name in (self.place, table.number):
                own = overrides.get(name)
                if own and code in own:
                    return own[code]
        found = table.codes.get(code)
        if found is None:
            self.unmapped.append(Unmapped(table.number or table.name, code, system, text, self.place))
        return found

    def override(self, code: str) -> Coding | None:
        """What the sender's profile says about ``code`` in the field at hand."""
        if not self.sender.codes:
            return None
        own = self.sender.codes.get(self.place)
        return own.get(code) if own else None

    def warn(self, sentence: str) -> None:
        """``sentence`` is for the interface engineer and holds no patient's data."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)


def uri(universal: str, kind: str) -> str:
    """A universal id of table 0301 as the URI that FHIR wants for it."""
    if _OID.fullmatch(universal):
        return KNOWN_OIDS.get(universal) or "urn:oid:" + universal
    if _UUID.fullmatch(universal):
        return "urn:uuid:" + universal.lower()
    if _URI.fullmatch(universal) and kind not in ("DNS", "CLIA"):
        return universal
    return LOCAL + (f"{quoted(kind)}:" if kind else "") + quoted(universal)


def named(authority: str) -> str:
    """What an authority is taken as of which only this is known, its universal id or else its name; '' where that
    depends on more: hosts and URIs are what the kind of the universal id makes of them."""
    if _OID.fullmatch(authority) or _UUID.fullmatch(authority):
        return uri(authority, "ISO")
    if ":" in authority or "." in authority:
        return ""
    return NAMED.get(authority.upper()) or LOCAL + quoted(authority)


def quoted(text: str) -> str:
    """``text`` so that it can stand in a URI."""
    return quote(text, safe="-._~/")


def _scope(sender: Sender, message: Message | None) -> str:
    """Senders without a profile share one name, so theirs is what they call themselves."""
    if sender.name != DEFAULT.name or message is None:
        return quoted(sender.name)
    itself = [message.msh.text(n, 2) or message.msh.text(n) for n in (3, 4)]
    return "/".join(quoted(name) for name in itself if name) or DEFAULT.name


def _zone(sender: Sender, message: Message | None) -> tzinfo:
    """The configured zone, which knows its summers; else the offset of MSH-7; else UTC."""
    if sender.timezone != "UTC":
        try:
            return ZoneInfo(sender.timezone)
        except (KeyError, ValueError) as error:
            raise Failed(OTHER, f"The time zone {sender.timezone!r} of sender {sender.name} is not known.") from error
    found = _OFFSET.search(message.msh.text(7)) if message is not None else None
    if not found or int(found[2]) > 14 or int(found[3]) > 59:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
