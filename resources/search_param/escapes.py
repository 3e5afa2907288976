"""Splitting search values at ``,`` ``|`` and ``$`` that are not escaped.

FHIR R4 Search, escaping (https://hl7.org/fhir/R4/search.html#escaping): a backslash keeps the next character.
"""


def split(text: str, mark: str, most: int = -1) -> list[str]:
    """The parts between unescaped ``mark``, escapes kept; at most ``most`` splits when given."""
    if "\\" not in text:
        return text.split(mark, most)
    parts: list[str] = []
    start = place = 0
    while place < len(text):
        if text[place] == "\\":
            place += 1
        elif text[place] == mark and (most < 0 or len(parts) < most):
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [*parts, text[start:]]


def plain(text: str) -> str:
    """The text without its escapes."""
    if "\\" not in text:
        return text
    out, escaped = [], False
    for char in text:
        if char == "\\" and not escaped:
            escaped = True
            continue
        out.append(char)
        escaped = False
    return "".join(out)
