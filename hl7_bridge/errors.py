"""What can be wrong with an HL7 v2 message, said once: code of table 0357, place, value, what was expected.

HL7 v2.5.1 chapter 2 (ERR segment, ERL data type, tables 0357 and 0516).

    Hl7Error
    ├── Unreadable    bytes that are no message: no MSH, no delimiters, not decodable, over a cap
    ├── Refused       a message this bridge does not take from this sender: type, event, processing id, version, sender
    ├── Malformed     a field that must be there or must be readable, and is not
    ├── Held          understood, but a person must decide: no authority, two patients, no patient
    └── Failed        the fault is ours or of the moment; the same message may succeed later
"""

from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where: ``sequence`` counts segments of that name from 1, the others count from 1, 0 meaning the whole."""

    segment: str
    sequence: int = 1
    field: int = 0
    repetition: int = 0
    component: int = 0
    subcomponent: int = 0

    def __str__(self) -> str:
        """As people write it: ``PID-3.4``, ``OBX[2]-5``."""
        name = self.segment if self.sequence <= 1 else f"{self.segment}[{self.sequence}]"
        field = f"-{self.field}" if self.field else ""
        repetition = f"[{self.repetition}]" if self.repetition > 1 else ""
        inner = "".join(f".{n}" for n in (self.component, self.subcomponent) if n)
        return f"{name}{field}{repetition}{inner}"


@dataclass(frozen=True, slots=True)
class Code:
    """One row of table 0357."""

    number: str
    text: str


ACCEPTED = Code("0", "Message accepted")
SEGMENT_SEQUENCE = Code("100", "Segment sequence error")
FIELD_MISSING = Code("101", "Required field missing")
DATA_TYPE = Code("102", "Data type error")
TABLE_VALUE = Code("103", "Table value not found")
TOO_LONG = Code("104", "Value too long")
CARDINALITY = Code("198", "Non-conformant cardinality")
OTHER = Code("199", "Other HL7 error")
MESSAGE_TYPE = Code("200", "Unsupported message type")
EVENT = Code("201", "Unsupported event code")
PROCESSING_ID = Code("202", "Unsupported processing id")
VERSION = Code("203", "Unsupported version id")
UNKNOWN_KEY = Code("204", "Unknown key identifier")
DUPLICATE_KEY = Code("205", "Duplicate key identifier")
LOCKED = Code("206", "Application record locked")
INTERNAL = Code("207", "Application internal error")


class Hl7Error(Exception):
    """``code`` of table 0357, ``text`` a sentence for the interface engineer (never a patient's data), ``place``."""

    def __init__(self, code: Code, text: str, place: Place | None = None) -> None:
        super().__init__(text)
        self.code, self.text, self.place = code, text, place

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


class Unreadable(Hl7Error):
    """Bytes that are no message."""


class Refused(Hl7Error):
    """Not taken from this sender; sending it again changes nothing."""


class Malformed(Hl7Error):
    """A field that must be there or must be readable, and is not."""


class Held(Hl7Error):
    """Kept until a person decides."""


class Failed(Hl7Error):
    """Not the message's fault; it is tried again."""
