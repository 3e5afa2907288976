"""Which message a change goes out as: event, structure and order control, from it and from what was sent before.

HL7 v2.5.1 table 0119 (order control codes), chapters 10.3 (SIU events) and 9.5 (MDM events).
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from hl7_bridge.outbound.datatypes import Json


class Sent(NamedTuple):
    """What a receiver was told last about a resource."""

    version: int
    status: str
    start: str
    content: str
    """Hash of what a message says of it."""
    theirs: bool = False
    """It came from them: of an order they are the placer and we the filler."""


class Outgoing(NamedTuple):
    """The message to send: type, event and structure (MSH-9), and ORC-1 where it is an order."""

    type: str
    event: str
    structure: str
    control: str = ""


def said(version: int, resource: Json) -> Sent:
    """What sending ``resource`` would tell."""
    start = resource.get("start", "")
    return Sent(version, _status(resource), start, _content(resource))


def _status(resource: Json) -> str:
    status: str = resource.get("status", "")
    if resource["resourceType"] == "DocumentReference" and status == "current":
        return str(resource.get("docStatus", "final"))
    return status


def _content(resource: Json) -> str:
    told = {name: value for name, value in resource.items() if name not in ("meta", "text", "id")}
    return blake2b(msgspec.json.encode(told, order="deterministic"), digest_size=12).hexdigest()


def outgoing(resource: Json, version: int, message: str, sent: Sent | None) -> Outgoing | None:
    """The message for this change on a route of ``message`` (``OML^O21``); None when there is nothing to tell."""
    now = said(version, resource)
    if sent is not None and (sent.version >= version or sent.content == now.content):
        return None
    return _DECISIONS[resource["resourceType"]](resource, now, message, sent)


_STRUCTURES = {"OML^O21": "OML_O21", "ORM^O01": "ORM_O01", "RDE^O11": "RDE_O11", "OMP^O09": "OMP_O09"}
_INTENTS = frozenset({"order", "original-order", "filler-order", "instance-order"})
_CANCELLED = frozenset({"revoked", "entered-in-error", "cancelled", "stopped"})


def _order(resource: Json, now: Sent, message: str, sent: Sent | None) -> Outgoing | None:
    """ServiceRequest and MedicationRequest: NW first, then XO, HD, RL, CA or DC as its status says."""
    control = _control(now.status, sent)
    if control and sent and sent.theirs:
        control = _FILLERS[control]
    if control is None or resource.get("intent") not in _INTENTS:
        return None
    type, event = message.split("^")
    return Outgoing(type, event, _STRUCTURES[message], control)


_FILLERS = {"XO": "XX", "HD": "OH", "RL": "OE", "CA": "OC", "DC": "OD"}
"""What the placer's codes are when the filler says it unasked (table 0119)."""


def _control(status: str, sent: Sent | None) -> str | None:
    if sent is None:
        return "NW" if status == "active" else None
    if status in _CANCELLED:
        return None if sent.status in _CANCELLED else "DC" if status == "stopped" else "CA"
    if status == "on-hold":
        return None if sent.status == "on-hold" else "HD"
    if status == "active":
        return "RL" if sent.status == "on-hold" else "XO"
    return None


_APPOINTMENT_ENDS = {"cancelled": "S15", "noshow": "S26", "entered-in-error": "S17"}
_BOOKED = frozenset({"booked", "arrived", "checked-in", "fulfilled", "pending"})


def _appointment(resource: Json, now: Sent, message: str, sent: Sent | None) -> Outgoing | None:
    """S12 first, then S13 when the time moved, S14 otherwise, and its ends."""
    event = _appointment_event(now, sent)
    return Outgoing("SIU", event, "SIU_S12") if event else None


def _appointment_event(now: Sent, sent: Sent | None) -> str:
    if sent is None:
        return "S12" if now.status in _BOOKED else ""
    if now.status in _APPOINTMENT_ENDS:
        return "" if sent.status == now.status else _APPOINTMENT_ENDS[now.status]
    if now.status not in _BOOKED:
        return ""
    if sent.status in _APPOINTMENT_ENDS:  # it was called off and is on again
        return "S12"
    return "S13" if now.start != sent.start else "S14"


def _document(resource: Json, now: Sent, message: str, sent: Sent | None) -> Outgoing | None:
    """T02 once it is final, T08 when it changed since, T11 when it was written in error."""
    if now.status == "entered-in-error":
        return Outgoing("MDM", "T11", "MDM_T01") if sent and sent.status != now.status else None
    if now.status not in ("final", "amended"):
        return None
    return Outgoing("MDM", "T08" if sent else "T02", "MDM_T02")


_DECISIONS: Mapping[str, Callable[[Json, Sent, str, Sent | None], Outgoing | None]] = {
    "ServiceRequest": _order,
    "MedicationRequest": _order,
    "Appointment": _appointment,
    "DocumentReference": _document,
}
