"""Documents in a field: ED and RP as Attachment; large data is passed on, never decoded or copied here.

HL7 v2.5.1 sections 2A.24 (ED), 2A.62 (RP), tables 0191, 0291 and 0299; official maps ED[Attachment], RP[Attachment].
"""

import base64
import re
from typing import Any, Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.reading import Reading

Attachment = dict[str, Any]

SUBTYPES: Final = {
    "PDF": "application/pdf",
    "X-PDF": "application/pdf",
    "JPEG": "image/jpeg",
    "JPG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "DICOM": "application/dicom",
    "X-HL7-CDA-LEVEL-ONE": "application/hl7-sda+xml",
    "XML": "application/xml",
    "HTML": "text/html",
    "RTF": "application/rtf",
    "TXT": "text/plain",
    "TEXT": "text/plain",
    "PLAIN": "text/plain",
    "BASIC": "audio/basic",
    "OCTET-STREAM": "application/octet-stream",
}
"""ED-3 and RP-4 to media types."""

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PIECE = 1 << 16
"""Characters of data that are looked at in one go: a copy of all of it would be as large as the message."""
_MAGIC = (("JVBERi", "application/pdf"), ("/9j/", "image/jpeg"), ("iVBORw", "image/png"), ("R0lGOD", "image/gif"))


def encapsulated(value: Value, reading: Reading) -> Attachment | None:
    """ED as an Attachment with its data in base64; None when there is no data or it is not what ED-4 says."""
    data = _base64(value, reading)
    if not data:
        return None
    kind = media_type(value.text(2), value.text(3)) or _by_magic(data)
    found: Attachment = {"contentType": kind} if kind else {}
    found["data"] = data
    return found


def _base64(value: Value, reading: Reading) -> str | None:
    encoding = value.text(4).upper()
    if encoding in ("A", "HEX"):
        return _encoded(value.text(5), encoding)
    data = value.raw_part(5)
    if data and not _sound(data):
        # Some senders break lines with \.br\ or spaces; the data itself has neither.
        data = "".join(value.text(5).split())
        if not _sound(data):
            reading.warn(f"{reading.place}: the data is not base64 and is kept with the message only.")
            return None
    return data or None


def _sound(data: str) -> bool:
    end = len(data.rstrip("=")) if data.endswith("=") else len(data)
    if len(data) % 4 or len(data) - end > 2 or not data.isascii():
        return False
    pieces = (data[at : min(at + _PIECE, end)] for at in range(0, end, _PIECE))
    return not any(piece.encode().translate(None, _BASE64) for piece in pieces)


def _encoded(text: str, encoding: str) -> str | None:
    try:
        raw = bytes.fromhex(text) if encoding == "HEX" else text.encode()
    except ValueError:
        return None
    return base64.b64encode(raw).decode("ascii") or None


def media_type(kind: str, subtype: str) -> str:
    """The media type that ED-2 and ED-3 (RP-3 and RP-4) name; '' when they name none."""
    if _MEDIA_TYPE.fullmatch(subtype):
        return subtype
    known = SUBTYPES.get(subtype.upper())
    if known:
        return known
    if kind and subtype and kind.islower() and _MEDIA_TYPE.fullmatch(f"{kind}/{subtype}"):
        return f"{kind}/{subtype}"
    return "text/plain" if kind.upper() in ("TEXT", "TX", "FT") else ""


def _by_magic(data: str) -> str:
    return next((kind for start, kind in _MAGIC if data.startswith(start)), "")


def pointer(value: Value, reading: Reading) -> Attachment | None:
    """RP as an Attachment whose data is elsewhere."""
    where = value.text(1).strip()
    if not where:
        return None
    kind = media_type(value.text(3), value.text(4))
    found: Attachment = {"contentType": kind} if kind else {}
    # RP-1 that is no URI is the receiver's to find; as a relative reference it still says which.
    found["url"] = where if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", where) else "urn:hl7v2:rp:" + _quoted(where)
    return found


def _quoted(text: str) -> str:
    return re.sub(r"\s", lambda found: f"%{ord(found[0]):02X}", text)
