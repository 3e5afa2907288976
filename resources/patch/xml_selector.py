"""The selectors of XML Patch: the part of XPath that RFC 5261 allows, checked before XPath sees it.

RFC 5261 section 4.1 and 8 (locating the target of a patch).
"""

import re
from typing import Any

from lxml import etree

from resources.patch.document import Place
from resources.xml_reader import FHIR, XHTML

_LONGEST = 1_000
_MOST_STEPS = 60

_NCNAME = r"[A-Za-z_][\w.\-]*"
_QNAME = rf"(?:(?P<prefix>{_NCNAME}):)?(?P<local>{_NCNAME}|\*)"
_LITERAL = r"(?:\"[^\"]*\"|'[^']*')"
_PATH = rf"(?:{_NCNAME}:)?(?:{_NCNAME}|\*)(?:/(?:{_NCNAME}:)?(?:{_NCNAME}|\*))*"
_TESTED = rf"(?:\.|{_PATH}(?:/@(?:{_NCNAME}:)?{_NCNAME})?|@(?:{_NCNAME}:)?{_NCNAME})"
_PREDICATE = re.compile(rf"\[\s*(?:[1-9]\d{{0,6}}|{_TESTED}(?:\s*=\s*{_LITERAL})?)\s*\]")
_STEP = re.compile(
    rf"(?P<node>(?:text|comment|processing-instruction)\(\))|(?P<namespace>namespace::{_NCNAME})"
    rf"|(?P<attribute>@(?:{_NCNAME}:)?{_NCNAME})|{_QNAME}"
)
_LEAF = ("attribute", "node", "namespace")
_UNPREFIXED = re.compile(rf"(?<![\w.\-:@*'\"])(?<!@)({_NCNAME})(?![\w.\-]*[:(])")


class Selector:
    """``steps`` are the location steps with their predicates; ``kind`` is element, attribute, text, comment,
    processing-instruction or namespace: what the last step selects."""

    def __init__(self, text: str, place: Place) -> None:
        self.text = text
        self.place = place
        self.steps, self.kind = _parsed(text, place)

    def find(self, root: Any, namespaces: dict[str | None, str]) -> list[Any]:
        """The nodes selected in the document of ``root``. Raises BadSyntax for an undeclared prefix."""
        names = {prefix: url for prefix, url in _with_defaults(namespaces).items() if prefix}
        # XPath 1.0 has no default namespace; the steps without a prefix get one (RFC 5261 section 4.2.2).
        names["default-"] = namespaces.get(None) or FHIR
        path = "/" + "/".join(_qualified(step) for step in self.steps)
        try:
            found = etree.XPath(path, namespaces=names, smart_strings=True, regexp=False)(root.getroottree())
        except etree.XPathError as error:
            raise self.place.malformed(f"the selector cannot be evaluated: {error}") from error
        return found if isinstance(found, list) else []


def _with_defaults(namespaces: dict[str | None, str]) -> dict[str | None, str]:
    """``f`` and ``h`` stand for FHIR and XHTML, as the FHIR specification writes them, unless declared otherwise."""
    return {"f": FHIR, "h": XHTML, **namespaces}


def _parsed(text: str, place: Place) -> tuple[list[str], str]:
    if len(text) > _LONGEST:
        raise place.malformed(f"the selector has more than {_LONGEST} characters")
    position = 1 if text.startswith("/") else 0
    steps: list[str] = []
    kind = "element"
    while True:
        match = _STEP.match(text, position)
        if match is None or kind != "element" or len(steps) == _MOST_STEPS:
            raise place.malformed(f"the selector is not of the kind RFC 5261 allows, at character {position + 1}")
        start, position = position, _after_predicates(text, match.end())
        steps.append(text[start:position])
        kind = _kind(match)
        if position == len(text):
            return steps, kind
        if text[position] != "/":
            raise place.malformed(f"the selector is not of the kind RFC 5261 allows, at character {position + 1}")
        position += 1


def _after_predicates(text: str, position: int) -> int:
    while match := _PREDICATE.match(text, position):
        position = match.end()
    return position


def _kind(match: re.Match[str]) -> str:
    leaf = next((name for name in _LEAF if match[name]), "element")
    return match["node"].removesuffix("()") if leaf == "node" else leaf


def _qualified(step: str) -> str:
    """The step with the prefix of the default namespace before each element name that has none."""
    parts = re.split(rf"({_LITERAL})", step)
    return "".join(part if n % 2 else _UNPREFIXED.sub(r"default-:\1", part) for n, part in enumerate(parts))
