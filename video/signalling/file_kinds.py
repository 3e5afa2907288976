"""What a file is by its bytes, and what it may be called: the name that somebody gave says nothing.

PDF 32000-1 7.5.2, PNG 5.2, JPEG (ITU T.81 B.1.1.3), WebP (RFC 9649), text as UTF-8 (RFC 3629); RFC 6266 and RFC 8187
for Content-Disposition.
"""

import re
import unicodedata
from urllib.parse import quote

from video.errors import Refused

ENDINGS: dict[str, tuple[str, ...]] = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg"),
    "image/webp": (".webp",),
    "text/plain": (".txt", ".csv", ".md", ".log"),
}
"""The types that are taken, with the endings that their names may have; the first is given to others."""
_MAGIC = (
    (re.compile(rb"%PDF-[12]\.\d"), "application/pdf"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff[\xc0-\xfe]"), "image/jpeg"),
    (re.compile(rb"RIFF.{4}WEBPVP8[ LX]", re.DOTALL), "image/webp"),
)
_TEXT = frozenset("\t\n\r\f")
_LONGEST = 100
_NO_NAME = "file"


def kind(content: bytes) -> str:
    """The type of ``content``, one of ENDINGS. Raises Refused for every other, and for nothing at all."""
    if not content:
        raise Refused("empty", "This file is empty.")
    for magic, type in _MAGIC:
        if magic.match(content):
            return type
    if _is_text(content):
        return "text/plain"
    raise Refused("file-type", "Only PDF, PNG, JPEG and WebP pictures and plain text can be sent.", 415)


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return all(c in _TEXT or not _is_hidden(c) for c in text)


def _is_hidden(c: str) -> bool:
    """Controls, and half of a pair."""
    return unicodedata.category(c) in ("Cc", "Cs")


def called(name: str, type: str) -> str:
    """``name`` as it may stand in the record and on a disk: its last part, nothing that cannot be seen or that turns
    the writing round, and an ending that is that of ``type``."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*').strip(" .")
    stem, dot, ending = kept.rpartition(".")
    if dot and stem and f".{ending.lower()}" in ENDINGS[type]:
        return f"{stem[:_LONGEST]}.{ending}"
    return (kept[:_LONGEST] or _NO_NAME) + ENDINGS[type][0]


def disposition(name: str) -> str:
    """Content-Disposition under which a browser saves the file and never shows it."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
