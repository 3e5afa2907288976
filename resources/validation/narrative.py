"""Narrative safety: well-formed XHTML of the allowed elements and attributes, nothing active, something to read.

FHIR R4 narrative (https://hl7.org/fhir/R4/narrative.html), invariants txt-1 and txt-2.
"""

import re
from xml.parsers import expat

_XHTML = "http://www.w3.org/1999/xhtml"
_DEEPEST = 200


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTS = _words(
    "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4"
    " h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul"
    " var"
)
_ANYWHERE = _words(
    "abbr accesskey align axis char charoff class colspan dir headers id lang rowspan scope span style tabindex title"
    " valign width xml:lang xml:space xmlns border bgcolor"
)
_OF_ELEMENT = {
    "a": _words("charset coords href hreflang name rel rev shape type"),
    "area": _words("alt coords href nohref shape"),
    "blockquote": frozenset(["cite"]),
    "img": _words("alt height ismap longdesc src usemap"),
    "map": frozenset(["name"]),
    "ol": frozenset(["start", "type"]),
    "q": frozenset(["cite"]),
    "table": _words("cellpadding cellspacing frame rules summary"),
    "td": frozenset(["nowrap", "height"]),
    "th": frozenset(["nowrap", "height"]),
}
_LINKS = frozenset(["href", "src", "cite", "longdesc", "usemap"])
# urn:uuid: is how entries of a transaction name each other, in narratives too; it runs nothing.
_SAFE_SCHEMES = {
    "href": frozenset(["http", "https", "mailto", "tel", "urn"]),
    "src": frozenset(["http", "https", "data", "urn"]),
    "cite": frozenset(["http", "https", "urn"]),
}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_IGNORED = re.compile(r"[\s\x00-\x20\x7f-\x9f\u200b-\u200f\u2060\ufeff]+")
"""What browsers drop from a link before they look at its scheme, and a little more."""
_DATA_IMAGE = re.compile(r"\s*data:\s*image/(?:png|jpeg|jpg|gif|bmp|webp)[;,]", re.IGNORECASE)
_ACTIVE_STYLE = re.compile(
    r"url\s*\((?!\s*['\"]?\s*data:\s*image/(?!svg))|expression\s*\(|@import|javascript:|behavior\s*:|-moz-binding|\\",
    re.IGNORECASE,
)


_CHARACTERS = r"[^<&\]\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]*+"
_PLAIN = re.compile(
    rf'<div xmlns="{_XHTML}">{_CHARACTERS}(?:(?:<br ?/>|<(b|i|p|em|strong|h[1-6])>{_CHARACTERS}</\1>'
    rf'|<a href="https?://[^"<&\s]*+">{_CHARACTERS}</a>){_CHARACTERS})*+</div>'
)
_SHOWN = re.compile(r">[^<]*?[^<\s]")
"""Most narratives are text with a few plain elements; these two save the parser for the others."""


class _Unsafe(Exception):
    """Stops the parser at the first breach; the text says what is expected."""


class _Reader:
    """What the parser's callbacks note down about one narrative."""

    def __init__(self) -> None:
        self.depth = 0
        self.seen = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self.depth == 0 and (name != "div" or attributes.get("xmlns") != _XHTML):
            raise _Unsafe(f'expected one <div xmlns="{_XHTML}"> around the narrative')
        if name not in ELEMENTS:
            raise _Unsafe(f"element <{name}> is not allowed in a narrative")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _Unsafe(f"expected elements nested at most {_DEEPEST} deep")
        self.seen = self.seen or name == "img"
        for attribute, value in attributes.items():
            _check_attribute(name, attribute, value)

    def end(self, name: str) -> None:
        self.depth -= 1

    def text(self, data: str) -> None:
        self.seen = self.seen or not data.isspace()

    def refuse(self, *_: object) -> None:
        raise _Unsafe("expected no document type, entity declaration or processing instruction in a narrative")


def narrative_flaw(div: str) -> tuple[str, str]:
    """The breached invariant (txt-1 or txt-2) and what is expected; two empty strings when the narrative is fine."""
    if _PLAIN.fullmatch(div) and _SHOWN.search(div, 0, len(div) - 6):
        return "", ""
    reader = _Reader()
    try:
        _parser(reader).Parse(div, True)
    except _Unsafe as breach:
        return "txt-1", str(breach)
    except (expat.ExpatError, UnicodeEncodeError) as fault:
        return "txt-1", f"expected well-formed XHTML ({fault})"
    return ("", "") if reader.seen else ("txt-2", "expected a narrative that shows some text or an image")


def _parser(reader: _Reader) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.ProcessingInstructionHandler = reader.refuse
    return parser


def _check_attribute(element: str, name: str, value: str) -> None:
    if name not in _ANYWHERE and name not in _OF_ELEMENT.get(element, ()):
        raise _Unsafe(f"attribute {name} of <{element}> is not allowed in a narrative")
    if name == "style" and _ACTIVE_STYLE.search(value):
        raise _Unsafe(f"style of <{element}> may not load or run anything")
    if name == "xmlns" and value != _XHTML:
        raise _Unsafe(f"expected every element in the namespace {_XHTML}")
    if name in _LINKS:
        _check_link(element, name, value)


def _check_link(element: str, name: str, value: str) -> None:
    value = _IGNORED.sub("", value)
    scheme = _SCHEME.match(value)
    if scheme is None:
        return
    safe = scheme[1].lower() in _SAFE_SCHEMES.get(name, ())
    if not safe or (scheme[1].lower() == "data" and not _DATA_IMAGE.match(value)):
        raise _Unsafe(f"{name} of <{element}> may not use {scheme[1]}: links")
