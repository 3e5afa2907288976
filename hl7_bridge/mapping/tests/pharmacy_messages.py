"""Small pharmacy messages of ours: orders, encoded orders, dispenses, planned gives, administrations."""

from hl7_bridge.er7 import parse
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.mapping.model import Entry, Mapped
from hl7_bridge.site.model import Sender

SENDER = Sender("pharmacy", authority="urn:oid:1.2.3")

PID = "PID|1||77^^^HOSP^MR||Love^Ada||18151210|F"
PV1 = "PV1|1|I|W1^R2^B3||||||||||||||||V9^^^HOSP^VN"
RXO = (
    "RXO|308182^Amoxicillin 250 MG^RXNORM|250|500|mg^mg^UCUM|CAP^Capsule^HL79999|^for the kitchen|^with water"
    "||G||21|cap|2"
)
RXE = "RXE||308182^Amoxicillin 250 MG^RXNORM|250||mg^mg^UCUM|||||21|cap|2|||RX-1|1|2"


def message(kind: str, *segments: str, time: str = "20260102120000+0000") -> bytes:
    """A message of ``kind`` (``RDE^O11``) about one patient."""
    head = f"MSH|^~\\&|PHARM|HOSP|HEARTH|HOSP|{time}||{kind}|C1|P|2.5.1"
    return ("\r".join([head, PID, PV1, *segments]) + "\r").encode()


def mapped(kind: str, *segments: str, sender: Sender = SENDER, time: str = "20260102120000+0000") -> Mapped:
    """What it comes to."""
    return map_message(parse(message(kind, *segments, time=time)), sender)


def entries(found: Mapped, type: str) -> list[Entry]:
    """The entries of one type, in order."""
    return [each for each in found.entries if each.resource["resourceType"] == type]


def only(found: Mapped, type: str) -> Entry:
    """The only one of it."""
    (entry,) = entries(found, type)
    return entry
