"""Strings as they are compared: without case, accents, width and extra white space.

FHIR R4 Search, string (https://hl7.org/fhir/R4/search.html#string): case- and accent-insensitive by default, ``:exact``
compares the text as written.
"""

import hashlib
import unicodedata
from functools import lru_cache

AS_WRITTEN = "\x1f"
"""Stands between the normalised text and the text as written; no string of FHIR may hold it."""

PIECE = 300
"""Longest text of one index row, in characters, normalised and as written: a database key holds 2,700 bytes."""

CUT = PIECE + 1 + 32
"""Length of the row of a text too long for one: its first piece, the mark and a digest."""

OVERLAP = 100
"""How much the pieces of a long text share, so that a shorter text to be contained lies within one of them."""

_WHOLE = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "\u0131": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters that Unicode does not take apart, as people without them on the keyboard write them: Sørensen, Łukasz."""


def normal(text: str) -> str:
    """The text without case, combining marks, strokes, width variants and repeated white space."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text)
        text = unicodedata.normalize("NFKD", "".join(c for c in parts if not unicodedata.combining(c)).casefold())
        text = text.translate(_WHOLE)
    return " ".join(text.casefold().split())


@lru_cache(maxsize=8192)
def stored(text: str) -> tuple[str, ...]:
    """What is kept of a text: its normalised form and itself in one, then the further pieces of a long one."""
    norm = normal(text)
    if not norm:
        return ()
    if len(norm) <= PIECE and len(text) <= PIECE:
        return (f"{norm}{AS_WRITTEN}{text}",)
    tails = range(PIECE - OVERLAP, len(norm), PIECE - OVERLAP)
    return (f"{norm[:PIECE]}{AS_WRITTEN}{_digest(text)}", *(norm[i : i + PIECE] for i in tails))


def exactly(text: str) -> str:
    """What ``stored(text)[0]`` is: the value an exact search is equal to."""
    return (stored(text) or ("",))[0]


def is_cut(norm: str) -> bool:
    """Whether a row holds only the beginning of its text."""
    return len(norm) == CUT and norm[PIECE] == AS_WRITTEN


def short(text: str) -> str:
    """The text itself, or when it is too long for a database key its beginning and a digest of it all."""
    return text if len(text) <= PIECE else f"{text[:PIECE]}#{_digest(text)}"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
