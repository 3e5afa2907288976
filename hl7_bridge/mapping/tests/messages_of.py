"""Small messages of our own for the tests of maps."""

from typing import Any

from hl7_bridge.er7.message import Message
from hl7_bridge.er7.tokenizer import tokens
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.mapping.model import Entry, Mapped
from hl7_bridge.site.model import Sender

SENDER = Sender("lab", authority="urn:oid:1.2.3")


def message(kind: str, *lines: str, time: str = "20260102030405+0000", control: str = "C1") -> Message:
    """A message of ``kind`` (``ADT^A08``) with ``lines`` after its MSH."""
    head = f"MSH|^~\\&|LAB|CENTRAL|HEARTH|CLINIC|{time}||{kind}|{control}|P|2.5.1"
    return tokens("\r".join([head, *lines]))


def mapped(
    kind: str, *lines: str, sender: Sender = SENDER, time: str = "20260102030405+0000", control: str = "C1"
) -> Mapped:
    """What such a message comes to."""
    return map_message(message(kind, *lines, time=time, control=control), sender)


def entries(result: Mapped, kind: str) -> list[Entry]:
    """The entries of one resource type."""
    return [entry for entry in result.entries if entry.resource["resourceType"] == kind]


def only(result: Mapped, kind: str) -> dict[str, Any]:
    """The one resource of that type."""
    (entry,) = entries(result, kind)
    return entry.resource
