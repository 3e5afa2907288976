"""Character sets: which codec MSH-18 names, and decoding that never guesses.

HL7 v2.5.1 section 2.15.9.18 and table 0211.
"""

import codecs

from hl7_bridge.errors import DATA_TYPE, Place, Unreadable

CODECS = {
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
    "ISO IR13": "iso2022_jp",
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

_SPELLINGS = {
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UTF-16": "utf-16",
    "ISO-8859-1": "latin-1",
    "ISO8859-1": "latin-1",
    "8859-1": "latin-1",
    "ISO-8859-15": "iso8859-15",
    "WINDOWS-1250": "cp1250",
    "WINDOWS-1252": "cp1252",
    "CP1252": "cp1252",
    "GB2312": "gb18030",
    "GBK": "gb18030",
    "SHIFT_JIS": "cp932",
    "EUC-KR": "euc_kr",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
    (b"M\0S\0H\0", "utf-16-le", "utf-16-le"),
    (b"\0M\0S\0H", "utf-16-be", "utf-16-be"),
)
"""First bytes, the codec to decode by, the codec to answer in."""
_UNDECLARED = "utf-8"
"""What is read when neither MSH-18 nor the sender's profile says anything: ASCII is part of it."""
_SWITCHING = frozenset({"iso2022_jp", "iso2022_jp_1"})
_HEADER_MOST = 8192
_ESCAPE = b"\x1b"


def decode(raw: bytes, fallback: str = "") -> tuple[str, str]:
    """(text, codec) by byte order mark, else MSH-18, else ``fallback`` (a Python codec of the sender), else UTF-8.

    Raises Unreadable for a byte that the character set does not have, or a set that nobody knows.
    """
    codec, name = next(((by, name) for mark, by, name in _MARKS if raw.startswith(mark)), ("", ""))
    codec = codec or _declared(raw) or fallback or _UNDECLARED
    try:
        return raw.decode(codec), name or codec
    except UnicodeDecodeError as error:
        raise Unreadable(DATA_TYPE, _explained(raw, error, codec), _place_of(raw, error.start)) from None
    except LookupError:
        raise Unreadable(
            DATA_TYPE, f"The sender's profile names a character set {codec!r} that is not known."
        ) from None


def table_0211(codec: str) -> str:
    """What MSH-18 says of a Python codec; '' for one that needs no word."""
    return "" if codec == "ascii" else _NAMES.get(codec, "")


def _declared(raw: bytes) -> str:
    """The codec that MSH-18 names; '' when it names none, or ASCII, or one that the header itself disproves."""
    names = [name.strip().upper() for name in _msh_18(raw[:_HEADER_MOST].lstrip())]
    codecs_named = [_known(name) for name in names if name]
    switched = next((codec for codec in codecs_named if codec in _SWITCHING), "")
    if switched and names[0] in ("", "ASCII", "ISO IR6", "ISO IR13", "ISO IR14", "ISO IR87", "ISO IR159"):
        return "iso2022_jp_ext"
    # Declared ASCII with bytes above it is what most senders of UTF-8 do; the bytes decide, strictly.
    sets = [codec for codec in codecs_named if codec != "ascii"]
    if len(set(sets)) > 1 and _ESCAPE in raw:
        text = "MSH-18 names several character sets; switching is read only between the Japanese ones."
        raise Unreadable(DATA_TYPE, text, _MSH_18)
    # A header that could be read byte by byte is not of two or four bytes a character.
    return "" if not sets else "utf-8" if sets[0] in ("utf-16", "utf-32") else sets[0]


def _msh_18(header: bytes) -> list[str]:
    """The repetitions of MSH-18 (BHS and FHS have none)."""
    first = header.replace(b"\n", b"\r").split(b"\r", 1)[0]
    fields = first.split(first[3:4]) if first[:3] == b"MSH" and len(first) > 4 else []
    if len(fields) <= 17:
        return []
    return fields[17].decode("ascii", "replace").split(first[5:6].decode("ascii", "replace") or "~")


def _known(name: str) -> str:
    known = CODECS.get(name) or _SPELLINGS.get(name)
    if not known:
        expected = ", ".join(sorted(CODECS))
        raise Unreadable(DATA_TYPE, f"The character set is not known; expected one of {expected}.", _MSH_18)
    return known


_MSH_18 = Place("MSH", 1, 18)
_NAMES = {codec: name for name, codec in reversed(CODECS.items())} | {
    "utf-8": "UNICODE UTF-8",
    "utf-16-le": "UNICODE UTF-16",
    "utf-16-be": "UNICODE UTF-16",
    "iso2022_jp_ext": "ISO IR87",
}


def _explained(raw: bytes, error: UnicodeDecodeError, codec: str) -> str:
    return (
        f"Byte 0x{raw[error.start : error.start + 1].hex().upper()} at offset {error.start} is not {codec}; "
        "state the character set in MSH-18 or in the sender's profile."
    )


def _place_of(raw: bytes, offset: int) -> Place | None:
    """The field in which ``offset`` lies."""
    segments = [line for line in raw[:offset].replace(b"\n", b"\r").split(b"\r") if line]
    if not segments or not segments[-1][:3].isalnum():
        return None
    name, separator = segments[-1][:3], raw[:_HEADER_MOST].lstrip()[3:4] or b"|"
    field = segments[-1].count(separator) + (name == b"MSH")
    return Place(name.decode(), sum(line[:3] == name for line in segments), field)
