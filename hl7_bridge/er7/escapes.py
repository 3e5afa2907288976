"""Escape sequences: what stands for a delimiter, and how a text is written so that it can hold none.

HL7 v2.5.1 section 2.7: delimiters as F S R E T (P: v2.7), hexadecimal as X.., lines as .br and its kin,
highlighting as H and N, each between two escape characters.
"""

import re
from functools import lru_cache

from hl7_bridge.er7.delimiters import Delimiters

_FORMATTING = {".br": "\n", ".sp": "\n", ".ce": "\n", ".fi": "", ".nf": "", "H": "", "N": ""}
_COUNTED = re.compile(r"\.(sp|in|ti|sk)\s*([+-]?\d+)?")
_MOST_LINES = 100


def unescape(text: str, marks: Delimiters) -> str:
    """The text meant. An unknown or unfinished sequence stays as it came, so that nothing is lost."""
    mark = marks.escape
    if not mark or mark not in text:
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
    if code[:1] == "X":
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


def _hexadecimal(digits: str) -> str | None:
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        return None
    if not digits or " " in digits:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def escape(text: str, marks: Delimiters) -> str:
    """``text`` as a leaf that holds no delimiter and ends no segment. Line ends become .br, other control characters
    hexadecimal."""
    return _plan(marks)[0].sub(lambda found: _plan(marks)[1](found[0]), text)


_CONTROL = "\x00-\x1f\x7f\x85\u2028\u2029"


@lru_cache(maxsize=64)
def _plan(marks: Delimiters) -> "tuple[re.Pattern[str], _Writer]":
    names = {character: f"{marks.escape}{code}{marks.escape}" for code, character in _delimiters(marks).items()}
    if not marks.truncation:
        names.pop("#", None)
    line_end = f"{marks.escape}.br{marks.escape}"
    names |= {"\r\n": line_end, "\n": line_end, "\r": line_end}
    found = re.compile("\r\n|[" + re.escape("".join(c for c in names if len(c) == 1)) + _CONTROL + "]")
    return found, _Writer(names, marks.escape)


class _Writer:
    """The sequence for one character that must not be written as it is."""

    def __init__(self, names: dict[str, str], mark: str) -> None:
        self._names, self._mark = names, mark

    def __call__(self, found: str) -> str:
        return self._names.get(found) or f"{self._mark}X{found.encode().hex().upper()}{self._mark}"
