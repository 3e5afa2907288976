"""Character sets: which codec MSH-18 names, and decoding that never guesses.

HL7 v2.5.1 section 2.15.9.18 and table 0211.
"""

import codecs

from hl7_bridge.errors import DATA_TYPE, Place, Unreadable

CODECS = {
    "": "",
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "8859/1": "latin-1",
    "8859/2": "iso8859-2",
    "8859/3": "iso8859-3",
    "8859/4": "iso8859-4",
    "8859/5": "iso8859-5",
    "8859/6": "iso8859-6",
    "8859/7": "iso8859-7",
    "8859/8": "iso8859-8",
    "8859/9": "iso8859-9",
    "8859/15": "iso8859-15",
    "ISO IR14": "iso2022_jp",
    "ISO IR87": "iso2022_jp",
    "ISO IR159": "iso2022_jp_1",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "CNS 11643-1992": "big5",
    "BIG-5": "big5",
    "UNICODE": "utf-8",
    "UNICODE UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UNICODE UTF-32": "utf-32",
}
"""Table 0211, and names real feeds use beside it, to Python codecs."""

_SPELLINGS = {"UTF-8": "utf-8", "UTF8": "utf-8", "UTF-16": "utf-16", "WINDOWS-1252": "cp1252", "CP1252": "cp1252"}
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_UNDECLARED = "utf-8"
"""What is read when neither MSH-18 nor the sender's profile says anything: ASCII is part of it."""


def decode(raw: bytes, fallback: str = "") -> tuple[str, str]:
    """(text, codec) by byte order mark, else MSH-18, else ``fallback`` (a Python codec of the sender), else UTF-8.

    Raises Unreadable for a byte that the character set does not have, or a set that nobody knows.
    """
    codec = next((name for mark, name in _MARKS if raw.startswith(mark)), "") or _declared(raw) or fallback
    codec = codec or _UNDECLARED
    try:
        return raw.decode(codec), codec
    except UnicodeDecodeError as error:
        raise Unreadable(DATA_TYPE, _explained(raw, error, codec), _place_of(raw, error.start)) from None


def _declared(raw: bytes) -> str:
    """The codec of the first set that MSH-18 names; '' when it names none."""
    first = raw.lstrip()[:4096].replace(b"\n", b"\r").split(b"\r", 1)[0]
    fields = first.split(first[3:4]) if len(first) > 3 else []
    name = fields[17].split(first[5:6])[0].decode("ascii", "replace").strip() if len(fields) > 17 else ""
    if not name:
        return ""
    known = CODECS.get(name.upper()) or _SPELLINGS.get(name.upper())
    if not known:
        expected = ", ".join(sorted(filter(None, CODECS)))
        raise Unreadable(DATA_TYPE, f"The character set {name!r} is not known; expected one of {expected}.", _MSH_18)
    # Declared ASCII with bytes above it is what most senders of UTF-8 do; the bytes decide, strictly.
    return "" if known == "ascii" else known


_MSH_18 = Place("MSH", 1, 18)


def _explained(raw: bytes, error: UnicodeDecodeError, codec: str) -> str:
    return (
        f"Byte 0x{raw[error.start]:02X} at offset {error.start} is not {codec}; "
        "state the character set in MSH-18 or in the sender's profile."
    )


def _place_of(raw: bytes, offset: int) -> Place | None:
    """The field in which ``offset`` lies."""
    before = raw[:offset].replace(b"\n", b"\r")
    segments = [line for line in before.split(b"\r") if line]
    if not segments or not segments[-1][:3].isalnum():
        return None
    name, separator = segments[-1][:3], raw.lstrip()[3:4] or b"|"
    field = segments[-1].count(separator) + (name == b"MSH")
    return Place(name.decode(), sum(line[:3] == name for line in segments), field)
