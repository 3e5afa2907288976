"""One change as the bytes of one message.

HL7 v2.5.1 section 2.9: what is sent twice is byte for byte the same, so that receivers can tell a repetition.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from hl7_bridge.er7.serializer import build
from hl7_bridge.outbound.datatypes import Authorities, Json
from hl7_bridge.outbound.documents import document
from hl7_bridge.outbound.events import Outgoing
from hl7_bridge.outbound.orders import order
from hl7_bridge.outbound.pharmacy import prescription
from hl7_bridge.outbound.schedule import notification
from hl7_bridge.outbound.segments import Context, Lookup, Segment, header
from hl7_bridge.site.model import Receiver, Site
from resources.repository import Version

Writer = Callable[[Context, Json, Outgoing, datetime], list[Segment]]


def _order(context: Context, resource: Json, outgoing: Outgoing, at: datetime) -> list[Segment]:
    return order(context, resource, outgoing.control, f"{outgoing.type}^{outgoing.event}")


def _prescription(context: Context, resource: Json, outgoing: Outgoing, at: datetime) -> list[Segment]:
    return prescription(context, resource, outgoing.control, f"{outgoing.type}^{outgoing.event}")


def _appointment(context: Context, resource: Json, outgoing: Outgoing, at: datetime) -> list[Segment]:
    return notification(context, resource, outgoing.event)


def _document(context: Context, resource: Json, outgoing: Outgoing, at: datetime) -> list[Segment]:
    return document(context, resource, outgoing.event, at.strftime("%Y%m%d%H%M%S+0000"))


_WRITERS: Mapping[str, Writer] = {
    "ServiceRequest": _order,
    "MedicationRequest": _prescription,
    "Appointment": _appointment,
    "DocumentReference": _document,
}


def render(
    site: Site, receiver: Receiver, version: Version, resource: dict[str, Any], outgoing: Outgoing, lookup: Lookup
) -> tuple[str, bytes]:
    """(control id, message) of one change; the time of the message is that of the version."""
    context = Context(site, receiver, Authorities(site, {}), within(resource, lookup))
    at = datetime.fromtimestamp(version.updated / 1000, UTC)
    control_id = control_id_of(receiver.name, version, outgoing)
    head = header(context, (outgoing.type, outgoing.event, outgoing.structure), control_id, at)
    return control_id, build([head, *_WRITERS[version.type](context, resource, outgoing, at)])


def control_id_of(receiver: str, version: Version, outgoing: Outgoing) -> str:
    """MSH-10, at most 20 characters (v2.5): the same for the same change to the same receiver."""
    parts = (receiver, version.type, version.id, str(version.version), outgoing.event, outgoing.control)
    return blake2b("\0".join(parts).encode(), digest_size=10).hexdigest().upper()


def within(resource: Json, lookup: Lookup) -> Lookup:
    """``lookup`` that also finds what ``resource`` contains, and asks for nothing twice."""
    known: dict[str, Json | None] = {f"#{each.get('id')}": each for each in resource.get("contained", ())}

    def find(reference: str) -> Json | None:
        if reference not in known:
            known[reference] = lookup(reference)
        return known[reference]

    return find
