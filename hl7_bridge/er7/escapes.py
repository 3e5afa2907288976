"""Escape sequences: what stands for a delimiter, and how a text is written so that it can hold none.

HL7 v2.5.1 section 2.7: delimiters as F S R E T (P: v2.7), hexadecimal as X.., lines as .br and its kin,
highlighting as H and N, each between two escape characters.
"""

import re
from functools import lru_cache

from hl7_bridge.er7.delimiters import NULL, Delimiters

_FORMATTING = {".br": "\n", ".sp": "\n", ".ce": "\n", ".fi": "", ".nf": "", "H": "", "N": ""}
_COUNTED = re.compile(r"\.(sp|in|ti|sk)\s*([+-]?\d{1,9})?")
_MOST_LINES = 100


def unescape(text: str, marks: Delimiters) -> str:
    """The text meant. An unknown or unfinished sequence stays as it came, so that nothing is lost."""
    mark = marks.escape
    if mark not in text:
        return text
    parts = text.split(mark)
    out = [parts[0]]
    at, last = 1, len(parts) - 1
    while at <= last:
        meant = None if at == last else _meaning(parts[at], marks)
        if meant is None:
            out.append(mark + parts[at])
            at += 1
        else:
            out.append(meant)
            out.append(parts[at + 1])
            at += 2
    return "".join(out)


def _meaning(code: str, marks: Delimiters) -> str | None:
    """What stands between two escape characters; None when it is no sequence."""
    known = _delimiters(marks).get(code)
    if known is not None:
        return known
    if code in _FORMATTING:
        return _FORMATTING[code]
    if code[:1] in ("X", "x"):
        return _hexadecimal(code[1:])
    counted = _COUNTED.fullmatch(code)
    if counted:
        number = min(abs(int(counted[2] or 1)), _MOST_LINES)
        return "\n" * number if counted[1] == "sp" else " " * number if counted[1] == "sk" else ""
    return None


@lru_cache(maxsize=64)
def _delimiters(marks: Delimiters) -> dict[str, str]:
    return {
        "F": marks.field,
        "S": marks.component,
        "R": marks.repetition,
        "E": marks.escape,
        "T": marks.subcomponent,
        "P": marks.truncation or "#",
    }


_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2})+")


def _hexadecimal(digits: str) -> str | None:
    """Bytes in hexadecimal: UTF-8 when they are, else Latin-1; None when they are no digits."""
    if not _HEXADECIMAL.fullmatch(digits):
        return None
    raw = bytes.fromhex(digits)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def escape(text: str, marks: Delimiters) -> str:
    """``text`` as a leaf that holds no delimiter, ends no segment and reads back as it was: a line feed becomes
    \\.br\\, other control characters are written in hexadecimal. A text of two quotation marks is not the null value.
    """
    if text == NULL:
        return sequence(text, marks)
    pattern, written = _plan(marks)
    return pattern.sub(lambda found: written.get(found[0]) or sequence(found[0], marks), text)


def sequence(text: str, marks: Delimiters) -> str:
    """``text`` in hexadecimal; half a surrogate pair, which no character set has, as the replacement character."""
    digits = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode().hex().upper()
    return f"{marks.escape}X{digits}{marks.escape}"


_CONTROL = "\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff"


@lru_cache(maxsize=64)
def _plan(marks: Delimiters) -> tuple[re.Pattern[str], dict[str, str]]:
    """What must not stand in a leaf, and the sequence of each character that has a short one."""
    codes = _delimiters(marks)
    written = {codes[code]: f"{marks.escape}{code}{marks.escape}" for code in ("F", "S", "R", "E", "T")}
    if marks.truncation:
        written[marks.truncation] = f"{marks.escape}P{marks.escape}"
    found = re.compile("[" + re.escape("".join(written)) + _CONTROL + "]")
    # Where the dot separates, it cannot be part of a sequence.
    return found, written if "." in written else written | {"\n": f"{marks.escape}.br{marks.escape}"}
