"""Reads the site kit from a folder of text files and says every fault at once, with file, place, value and expectation.

    site.toml                    who we are, authorities all senders share
    senders/NAME.toml            one peer that sends to us
    receivers/NAME.toml          one peer we send to
    codes/TABLE.csv              local,system,code,display for all senders, TABLE such as 0074 or OBX-3
    codes/NAME/TABLE.csv         the same for one sender, before those for all
    units.csv, codes/NAME/units.csv    local,ucum

HL7 v2.5.1 chapter 2 (MSH-3 to MSH-6, HD, table 0211).
"""

import codecs
import csv
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hl7_bridge.site.model import Coding, Receiver, Sender, Site
from resources.nearest import did_you_mean

OUTGOING = {
    "ServiceRequest": ("OML^O21", "ORM^O01"),
    "MedicationRequest": ("RDE^O11", "OMP^O09"),
    "Appointment": ("SIU",),
    "DocumentReference": ("MDM^T02",),
}
"""The messages each type can go out as."""

_CODE_COLUMNS = ("local", "system", "code", "display")
_UNIT_COLUMNS = ("local", "ucum")
_UNKNOWN = re.compile(r"Object contains unknown field `([^`]*)`")
_MISSING = re.compile(r"Object missing required field `([^`]*)`$")
_TOP = re.compile(r" - at `\$\.([^.\[`]+)")
Kind = TypeVar("Kind", bound=msgspec.Struct)
Tables = dict[str, dict[str, Coding]]


class Fault(NamedTuple):
    """One mistake: ``file`` below the folder, ``place`` in it (``$.port``, ``line 7``), what is wrong and expected."""

    file: str
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.place}: {self.text}" if self.place else f"{self.file}: {self.text}"


class SiteError(ValueError):
    """The site kit cannot be used as it is; ``faults`` are all that was found."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def read_site(folder: Path) -> Site:
    """The site kit in ``folder``; an empty or absent folder is a site without peers. Raises SiteError."""
    reader = _Reader(folder)
    site = reader.site()
    if reader.faults:
        raise SiteError(reader.faults)
    return site


class _Reader:
    """Collects faults while reading; what it returns is only good when there are none."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[Fault] = []

    def site(self) -> Site:
        path = self.folder / "site.toml"
        site = self._struct(path, Site) if path.is_file() else None
        site = site or Site()
        shared, units = self._tables(self.folder / "codes"), self._units(self.folder / "units.csv")
        senders = tuple(self._sender(path, site, shared, units) for path in self._in("senders"))
        receivers = tuple(filter(None, (self._named(path, Receiver) for path in self._in("receivers"))))
        self._check_senders(senders)
        self._check_receivers(receivers, {sender.name for sender in senders})
        return msgspec.structs.replace(site, senders=senders, receivers=receivers)

    def _in(self, kind: str) -> list[Path]:
        return sorted((self.folder / kind).glob("*.toml"))

    def _sender(self, path: Path, site: Site, shared: Tables, units: Mapping[str, str]) -> Sender:
        sender = self._named(path, Sender) or Sender(name=path.stem)
        own = self._tables(self.folder / "codes" / path.stem)
        return msgspec.structs.replace(
            sender,
            authorities={**site.authorities, **sender.authorities},
            codes={table: {**shared.get(table, {}), **own.get(table, {})} for table in {*shared, *own}},
            units={**units, **self._units(self.folder / "codes" / path.stem / "units.csv"), **sender.units},
        )

    def _named(self, path: Path, kind: type[Kind]) -> Kind | None:
        read = self._struct(path, kind)
        return read and msgspec.structs.replace(read, name=path.stem)

    def _struct(self, path: Path, kind: type[Kind]) -> Kind | None:
        try:
            return self._converted(path, tomllib.loads(path.read_text("utf-8")), kind)
        except tomllib.TOMLDecodeError as error:
            self._fault(path, "", f"is not TOML: {error}")
        except UnicodeDecodeError:
            self._fault(path, "", "is not UTF-8")
        return None

    def _converted(self, path: Path, data: dict[str, Any], kind: type[Kind]) -> Kind | None:
        """None when there are faults: each key that has one is left out, to find those of the others."""
        left_out: set[str] = set()
        while True:
            try:
                made = msgspec.convert(data, kind)
            except msgspec.ValidationError as error:
                missing, key = _MISSING.match(str(error)), _key(str(error))
                if missing is None or missing[1] not in left_out:
                    self._fault(path, *_placed(str(error), kind))
                if key not in data:
                    return None
                del data[key]
                left_out.add(key)
            else:
                return None if left_out else made

    # --- code tables

    def _tables(self, folder: Path) -> Tables:
        files = sorted(folder.glob("*.csv"))
        return {path.stem: dict(self._codings(path)) for path in files if path.name != "units.csv"}

    def _codings(self, path: Path) -> Iterator[tuple[str, Coding]]:
        for line, row in self._rows(path, _CODE_COLUMNS):
            if not row["system"] or not row["code"]:
                self._fault(path, f"line {line}", f"{row['local']!r} needs a system and a code")
            yield row["local"], Coding(row["system"], row["code"], row["display"])

    def _units(self, path: Path) -> dict[str, str]:
        if not path.is_file():
            return {}
        return {row["local"]: row["ucum"] for _, row in self._rows(path, _UNIT_COLUMNS)}

    def _rows(self, path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
        """(line, row) of each row; a local code given twice is a fault."""
        with path.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, restval="")
            if tuple(reader.fieldnames or ()) != columns:
                self._fault(path, "line 1", f"the columns are {reader.fieldnames}; expected {','.join(columns)}")
                return
            seen: dict[str, int] = {}
            for row in reader:
                local = (row["local"] or "").strip()
                if local in seen:
                    self._fault(path, f"line {reader.line_num}", f"{local!r} is on line {seen[local]} already")
                seen[local] = reader.line_num
                yield reader.line_num, {name: (row[name] or "").strip() for name in columns}

    # --- what types cannot say

    def _check_senders(self, senders: Iterable[Sender]) -> None:
        for sender in senders:
            for place, text in _sender_faults(sender):
                self._fault(self.folder / "senders" / f"{sender.name}.toml", place, text)
        for one, other in combinations(senders, 2):
            if _looks(one) == _looks(other):
                text = (
                    f"is recognised by the same as senders/{one.name}.toml; give one of them an application or address"
                )
                self._fault(self.folder / "senders" / f"{other.name}.toml", "", text)

    def _check_receivers(self, receivers: Iterable[Receiver], senders: set[str]) -> None:
        for receiver in receivers:
            for place, text in _receiver_faults(receiver, senders):
                self._fault(self.folder / "receivers" / f"{receiver.name}.toml", place, text)

    def _fault(self, path: Path, place: str, text: str) -> None:
        self.faults.append(Fault(str(path.relative_to(self.folder)), place, text))


def _key(text: str) -> str:
    """The key at the top that msgspec's message is about; '' when it names none."""
    unknown = _UNKNOWN.match(text)
    at = _TOP.search(text)
    return at[1] if at else unknown[1] if unknown else ""


def _placed(text: str, kind: type[msgspec.Struct]) -> tuple[str, str]:
    """Place and sentence of msgspec's message."""
    said, _, place = text.partition(" - at ")
    unknown = _UNKNOWN.match(said)
    if unknown:
        known = kind.__struct_fields__
        said = f"{unknown[1]!r} is no key here" + (did_you_mean(unknown[1], known) or f"; expected {', '.join(known)}")
    return place.strip("`"), said


def _looks(sender: Sender) -> tuple[Any, ...]:
    return sender.applications, sender.facilities, sender.addresses, sender.certificates


def _sender_faults(sender: Sender) -> Iterator[tuple[str, str]]:
    if sender.charset and not _is_codec(sender.charset):
        yield "$.charset", f"{sender.charset!r} is no Python codec; expected such as latin-1 or utf-8"
    if not _is_zone(sender.timezone):
        yield "$.timezone", f"{sender.timezone!r} is no IANA time zone; expected such as Europe/Berlin"
    for number, address in enumerate(sender.addresses):
        if not _is_network(address):
            yield f"$.addresses[{number}]", f"{address!r} is no network; expected such as 10.1.0.0/16"
    named = {"authority": sender.authority} if sender.authority else {}
    systems = {**named, **{f"authorities.{name!r}": system for name, system in sender.authorities.items()}}
    systems |= {f"patient_authorities[{n}]": system for n, system in enumerate(sender.patient_authorities)}
    for place, system in systems.items():
        if not _is_uri(system):
            yield f"$.{place}", f"{system!r} is no identifier system; expected a URI such as urn:oid:1.2.3"


def _receiver_faults(receiver: Receiver, senders: set[str]) -> Iterator[tuple[str, str]]:
    if receiver.sender and receiver.sender not in senders:
        yield "$.sender", f"there is no senders/{receiver.sender}.toml{did_you_mean(receiver.sender, senders)}"
    if not receiver.retry_seconds:
        yield "$.retry_seconds", "is empty; expected seconds to wait before each try, the last for all further ones"
    for number, route in enumerate(receiver.routes):
        known = OUTGOING[route.type]
        if route.message not in known:
            yield f"$.routes[{number}].message", f"{route.type} does not go out as {route.message!r}; expected {known}"


def _is_codec(name: str) -> bool:
    try:
        return bool(codecs.lookup(name))
    except LookupError:
        return False


def _is_zone(name: str) -> bool:
    try:
        return bool(ZoneInfo(name))
    except (KeyError, OSError, ValueError):  # a name nobody knows, a folder, a path
        return False


def _is_network(text: str) -> bool:
    try:
        return bool(ip_network(text, strict=False))
    except ValueError:
        return False


def _is_uri(text: str) -> bool:
    return re.fullmatch(r"(urn:[a-z0-9]+:|https?://)\S+", text) is not None
