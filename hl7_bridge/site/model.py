"""The site kit as data: who sends, who receives, which authorities, codes and units mean what.

HL7 v2.5.1 chapter 2 (MSH-3 to MSH-6, HD); read from text files by ``hl7_bridge.site.files``.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=86400)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=60 * 24 * 31)]


class Coding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The target of a local code."""

    system: str
    code: str
    display: str = ""


class Sender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One peer that sends to us, and how its messages are read."""

    name: str = ""
    """The name of its file."""
    applications: tuple[str, ...] = ()
    """MSH-3.1 it is recognised by; empty: any."""
    facilities: tuple[str, ...] = ()
    """MSH-4.1 likewise."""
    addresses: tuple[str, ...] = ()
    """Networks it may come from (``10.1.0.0/16``); empty: any."""
    certificates: tuple[str, ...] = ()
    """SHA-256 fingerprints (hex) or subject names of client certificates; one is required when any is given."""
    ack: Literal["applied", "stored"] = "applied"
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
    authorities: Mapping[str, str] = msgspec.field(default_factory=dict)
    """HD as sent (namespace id or universal id) to identifier system."""
    codes: Mapping[str, Mapping[str, Coding]] = msgspec.field(default_factory=dict)
    """By HL7 table (``0074``) or field (``OBX-3``): local code to coding."""
    units: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Local unit to UCUM."""
    nulls_delete: bool = True
    """Whether ``""`` deletes."""
    repeats: Literal["component", "observations"] = "component"
    """A repeating OBX-5 becomes components, or with ``observations`` one resource each."""
    planned_gives: Literal["MedicationRequest", "Task"] = "MedicationRequest"
    """What RGV becomes: MedicationRequest (instance-order) or Task."""
    silence_minutes: Minutes | None = None
    """How long it may say nothing before that is an alarm; 0: for ever; not given: learned from its messages."""


DEFAULT = Sender("default", processing_ids=("P", "T", "D"))
"""Of unknown senders on a loopback address with ``--open``; a bare PID-3 is held."""


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``type`` changes that meet ``criteria`` (a FHIR query, ``category=laboratory``; empty: all) go out as
    ``message`` (``OML^O21``)."""

    type: Literal["ServiceRequest", "MedicationRequest", "Appointment", "DocumentReference"]
    message: str
    criteria: str = ""


class Receiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One peer we send to. ``routes`` name what goes (``ServiceRequest``), with FHIR search criteria."""

    host: str
    port: Port
    name: str = ""
    """The name of its file."""
    application: str = ""
    facility: str = ""
    tls: bool = False
    ca: str = ""
    certificate: str = ""
    key: str = ""
    version: str = "2.5.1"
    routes: tuple[Route, ...] = ()
    sender: str = ""
    """The sender that is the same system: what came from it is never sent back to it."""
    retry_seconds: tuple[Seconds, ...] = (1, 5, 30, 120, 600)
    timeout_seconds: Seconds = 30
    on_error: Literal["retry", "stop"] = "retry"
    """After AE: retry, or ``stop`` (dead letter at once). AR is always a dead letter."""
    processing_id: str = "P"


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it. ``application`` and ``facility`` are ours (MSH-5/6 in, MSH-3/4 out)."""

    application: str = "HEARTH"
    facility: str = ""
    senders: tuple[Sender, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    authorities: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Shared by all senders; a sender's own come first."""
