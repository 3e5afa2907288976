"""Dicts of the JSON form to XML, in the order of the definitions.

FHIR R4 XML representation (https://hl7.org/fhir/R4/xml.html). A narrative is written as it is spelled, after a check
that it is well-formed; reading it back gives the same text.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from html.entities import html5
from itertools import zip_longest
from typing import Any, NamedTuple
from xml.parsers import expat

from resources.definitions import RESOURCE_TYPES, type_def
from resources.errors import Invalid, NotAcceptable
from resources.nearest import did_you_mean
from resources.xml_reader import FHIR, XHTML, kind_of

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_SPECIAL = re.compile('[&<>"\t\n\r]|[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
_HTML_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*;)")
_XML_ENTITIES = {"amp;", "lt;", "gt;", "quot;", "apos;"}
_ATTRIBUTES_FIRST = 1000
_TAG_OR_RETURN = re.compile(r"<[^>]*>|\r")


def encode(resource: dict[str, Any], pretty: bool = False) -> bytes:
    """``resource`` as an XML document in UTF-8, indented by two spaces when ``pretty``.

    Raises Invalid for what is no R4 resource (an unknown element, a list where one value stands) and NotAcceptable for
    what XML cannot carry (control characters, a malformed narrative).
    """
    parts = [_DECLARATION]
    writer = _Writer(parts.append, pretty)
    writer.resource(resource, "", f' xmlns="{FHIR}"')
    return "".join(parts).encode()


class _Form(NamedTuple):
    """How one element is written; ``many`` whether JSON has a list; ``position`` that of the definition."""

    kind: str
    type: str
    many: bool
    position: int


@cache
def _forms(type: str) -> dict[str, _Form]:
    """The forms of a type by JSON name, attributes (kind attribute) first."""
    return {
        e.name: _Form("attribute", e.type, False, e.position - _ATTRIBUTES_FIRST)
        if e.xml_attribute
        else _Form(kind_of(e), e.type, e.max != 1, e.position)
        for e in type_def(type).elements.values()
    }


class _Writer:
    """Writes elements through ``put``; ``line`` is what stands before each: nothing, or a new line and the indent."""

    def __init__(self, put: Callable[[str], None], pretty: bool) -> None:
        self.put = put
        self.step = "  " if pretty else ""
        self.write: dict[str, Callable[[str, str, Any, str], None]] = {
            "complex": self._complex,
            "resource": self._inner_resource,
            "xhtml": self._narrative,
        }

    def resource(self, value: Any, line: str, namespace: str = "") -> None:
        type = value.get("resourceType") if isinstance(value, dict) else None
        if type not in RESOURCE_TYPES:
            raise Invalid(f"'{type}' is not a resource type of R4")
        line = line or ("\n" if self.step else "")
        self._element(type, type, {k: v for k, v in value.items() if k != "resourceType"}, line, namespace)

    def _complex(self, name: str, type: str, value: Any, line: str) -> None:
        if not isinstance(value, dict):
            raise Invalid(f"'{name}' is an object, not {_shown(value)}", expression=name)
        self._element(name, type, value, line)

    def _element(self, name: str, type: str, value: dict[str, Any], line: str, more: str = "") -> None:
        forms = _forms(type)
        names = _ordered(type, value) if value else []
        attributes = [n for n in names if forms[n].kind == "attribute"]
        given = "".join(f' {n}="{_text(value[n], n)}"' for n in attributes if n in value)
        if len(names) == len(attributes):
            self.put(f"{line}<{name}{more}{given}/>")
            return
        self.put(f"{line}<{name}{more}{given}>")
        for child in names[len(attributes) :]:
            self._member(child, forms[child], value, line + self.step)
        self.put(f"{line}</{name}>")

    def _member(self, name: str, form: _Form, holder: dict[str, Any], line: str) -> None:
        if form.kind == "primitive":
            self._primitives(name, form, holder.get(name), holder.get(f"_{name}"), line)
            return
        if f"_{name}" in holder:
            raise Invalid(f"'_{name}' has no meaning: '{name}' is not a primitive", expression=name)
        write = self.write[form.kind]
        for value in _values(name, form, holder[name]):
            write(name, form.type, value, line)

    def _primitives(self, name: str, form: _Form, value: Any, extra: Any, line: str) -> None:
        if not form.many:
            self._primitive(name, form.type, value, extra, line)
            return
        values = _values(name, form, [] if value is None else value)
        extras = _values(f"_{name}", form, [] if extra is None else extra)
        for one, its_extra in zip_longest(values, extras):
            self._primitive(name, form.type, one, its_extra, line)

    def _primitive(self, name: str, type: str, value: Any, extra: Any, line: str) -> None:
        given = "" if value is None else f' value="{_text(value, name)}"'
        if extra is not None and not isinstance(extra, dict):
            raise Invalid(f"'_{name}' is an object, not {_shown(extra)}", expression=name)
        self._element(name, type, extra or {}, line, given)

    def _inner_resource(self, name: str, type: str, value: Any, line: str) -> None:
        self.put(f"{line}<{name}>")
        self.resource(value, line + self.step)
        self.put(f"{line}</{name}>")

    def _narrative(self, name: str, type: str, value: Any, line: str) -> None:
        if not isinstance(value, str):
            raise Invalid(f"'{name}' is XHTML text, not {_shown(value)}", expression=name)
        self.put(line + _well_formed(value))


def _ordered(type: str, value: dict[str, Any]) -> list[str]:
    forms = _forms(type)
    names = {name.removeprefix("_") for name in value}
    unknown = names - forms.keys()
    if unknown:
        name = min(unknown)
        raise Invalid(f"'{name}' is not an element of {type}{did_you_mean(name, forms)}", expression=f"{type}.{name}")
    return sorted(names, key=lambda name: forms[name].position)


def _values(name: str, form: _Form, value: Any) -> list[Any]:
    if isinstance(value, list) != form.many:
        expected = "a list" if form.many else "one value"
        raise Invalid(f"'{name}' is {expected}, not {_shown(value)}", expression=name)
    return value if form.many else [value]


def _shown(value: Any) -> str:
    return str(value)[:40]


def _text(value: Any, name: str) -> str:
    """A primitive as the content of an attribute."""
    if value.__class__ is str:
        return _SPECIAL.sub(_reference, value) if _SPECIAL.search(value) else value
    if value.__class__ is bool:
        return "true" if value else "false"
    if isinstance(value, int | Decimal | float):
        return str(value)
    raise Invalid(f"'{name}' is a primitive, not {_shown(value)}", expression=name)


def _reference(found: re.Match[str]) -> str:
    try:
        return _REFERENCES[found[0]]
    except KeyError:
        raise _no_xml(f"the character U+{ord(found[0]):04X} has no form in XML") from None


def _no_xml(why: str) -> NotAcceptable:
    return NotAcceptable(f"The resource cannot be written as XML: {why}; ask for application/fhir+json")


def _well_formed(text: str) -> str:
    """The narrative with HTML entities as characters (XML knows five) and the namespace it must have."""
    text = _HTML_ENTITY.sub(_character, text.strip())
    if not re.match(r"<div\b[^>]*\sxmlns\s*=", text):
        text = re.sub(r"^<div\b", f'<div xmlns="{XHTML}"', text)
    parser = expat.ParserCreate("utf-8", " ")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    roots: list[str] = []
    parser.StartElementHandler = lambda name, _: roots.append(name) if not roots else None
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise _no_xml(f"its narrative is not well-formed ({error})") from error
    if roots != [f"{XHTML} div"] or not text.startswith("<div"):
        raise _no_xml("its narrative is not one XHTML div")
    return _TAG_OR_RETURN.sub(lambda found: "&#xD;" if found[0] == "\r" else found[0], text)


def _refuse_doctype(*_: Any) -> None:
    raise _no_xml("its narrative holds a DOCTYPE")


def _character(found: re.Match[str]) -> str:
    if found[1] in _XML_ENTITIES:
        return found[0]
    return "".join(f"&#{ord(c)};" for c in html5.get(found[1], "")) or found[0]
