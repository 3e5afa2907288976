"""The site kit as data: who sends, who receives, which authorities, codes and units mean what.

HL7 v2.5.1 chapter 2 (MSH-3 to MSH-6, HD); read from text files by ``hl7_bridge.site.files``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Coding:
    """The target of a local code."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """One peer that sends to us, and how its messages are read."""

    name: str
    applications: tuple[str, ...] = ()
    """MSH-3.1 it is recognised by; empty: any."""
    facilities: tuple[str, ...] = ()
    """MSH-4.1 likewise."""
    addresses: tuple[str, ...] = ()
    """Networks it may come from (``10.1.0.0/16``); empty: any."""
    certificates: tuple[str, ...] = ()
    """SHA-256 fingerprints (hex) or subject names of client certificates; one is required when any is given."""
    ack: str = "applied"
    """In original mode AA when applied, or ``stored``."""
    processing_ids: tuple[str, ...] = ("P",)
    types: tuple[str, ...] = ()
    """Message types taken, such as ORU or ADT^A08; empty: all."""
    charset: str = ""
    """Python codec when MSH-18 is silent."""
    timezone: str = "UTC"
    """IANA name for times without offset."""
    authority: str = ""
    """System of a PID-3 that names none; empty: such messages are held."""
    patient_authorities: tuple[str, ...] = ()
    """Systems that identify patients, best first; empty: every PID-3 with an authority does."""
    authorities: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    """HD as sent (namespace id or universal id) to identifier system."""
    codes: Mapping[str, Mapping[str, Coding]] = field(default_factory=lambda: _EMPTY)
    """By HL7 table (``0074``) or field (``OBX-3``): local code to coding."""
    units: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    """Local unit to UCUM."""
    nulls_delete: bool = True
    """Whether ``""`` deletes."""
    repeats: str = "component"
    """A repeating OBX-5 becomes components, or with ``observations`` one resource each."""
    planned_gives: str = "MedicationRequest"
    """What RGV becomes: MedicationRequest (instance-order) or Task."""


DEFAULT = Sender("default", processing_ids=("P", "T", "D"))
"""Of unknown senders on a loopback address with ``--open``; a bare PID-3 is held."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One peer we send to. ``routes`` name what goes (``ServiceRequest``), with FHIR search criteria."""

    name: str
    host: str
    port: int
    application: str = ""
    facility: str = ""
    tls: bool = False
    ca: str = ""
    certificate: str = ""
    key: str = ""
    version: str = "2.5.1"
    routes: tuple["Route", ...] = ()
    sender: str = ""
    """The sender that is the same system: what came from it is never sent back to it."""
    retry_seconds: tuple[float, ...] = (1, 5, 30, 120, 600)
    timeout_seconds: float = 30
    on_error: str = "retry"
    """After AE: retry, or ``stop`` (dead letter at once). AR is always a dead letter."""
    processing_id: str = "P"


@dataclass(frozen=True, slots=True)
class Route:
    """``type`` changes that meet ``criteria`` (``category=laboratory``) go out as ``message`` (``OML^O21``)."""

    type: str
    message: str
    criteria: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """All of it. ``application`` and ``facility`` are ours (MSH-5/6 in, MSH-3/4 out)."""

    application: str = "HEARTH"
    facility: str = ""
    senders: tuple[Sender, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    system_base: str = "urn:id:"
    """Prefix of the identifier system of an authority nobody has configured: ``urn:id:LAB-A``."""
