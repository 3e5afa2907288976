"""One message to what it comes to: the table of message maps, and the way from tokens to Mapped.

v2-to-FHIR implementation guide, message maps. To add one: a file in ``message_maps/`` with ``MAPS``, and its row here.
"""

from collections.abc import Callable
from typing import Final

from hl7_bridge.er7 import Message
from hl7_bridge.mapping import identity
from hl7_bridge.mapping.controls import without_controls
from hl7_bridge.mapping.draft import Draft, Tracing
from hl7_bridge.mapping.message_maps import adt, documents, laboratory, pharmacy, scheduling
from hl7_bridge.mapping.model import Mapped
from hl7_bridge.mapping.segments.message_header import message_header
from hl7_bridge.mapping.segments.provenance import provenance
from hl7_bridge.site.model import Sender
from hl7_bridge.structure.walker import Group, walk

MessageMap = Callable[[Group, Draft], None]

MAPS: Final[dict[str, MessageMap]] = {
    **adt.MAPS,
    **laboratory.MAPS,
    **pharmacy.MAPS,
    **scheduling.MAPS,
    **documents.MAPS,
}
"""By ``type^event``; what is not here is kept, shown and marked unmapped."""


def kind(message: Message) -> str:
    """``type^event`` of the map: MSH-9, the event from EVN-1 or the structure where MSH-9 has none."""
    event = message.event
    if not event:
        evn = message.first("EVN")
        event = evn.text(1) if evn is not None else _ONLY.get(message.type, "")
    return f"{message.type}^{event}"


_ONLY: Final = {"ORU": "R01", "ORM": "O01"}
"""Types that old messages name without an event, and the only one they had."""


def map_message(message: Message, sender: Sender) -> Mapped:
    """What ``message`` comes to. Raises Held, Malformed or Failed (``hl7_bridge.errors``) and nothing else."""
    draft = sketch(message, sender)
    if draft is None:
        return Mapped(is_mapped=False)
    identity.settle(draft)
    return finish(draft)


def sketch(message: Message, sender: Sender, trace: Tracing | None = None) -> Draft | None:
    """The resources before the identity rules; None for a message without a map. Raises Malformed."""
    mapped = MAPS.get(kind(message))
    if mapped is None:
        return None
    message = without_controls(message)
    draft = Draft(sender, message, trace)
    message_header(message.msh, message.first("SFT"), draft)
    mapped(walk(message), draft)
    return draft


def finish(draft: Draft) -> Mapped:
    """The draft with its Provenance, and with what orders it among other messages."""
    message = draft.message
    provenance(message.first("EVN"), message.all("ORC"), draft)
    return draft.done()
