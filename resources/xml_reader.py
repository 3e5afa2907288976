"""XML to the dicts of the JSON form, element by element as the definitions say.

FHIR R4 XML representation (https://hl7.org/fhir/R4/xml.html). One pass of expat, which tells the place of every
mistake and the source text of a narrative, so that nothing is lost but comments. There is no DTD, no entity beyond the
five of XML, and nothing is fetched.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple
from xml.parsers import expat

from resources.definitions import RESOURCE_TYPES, ElementDef, type_def
from resources.errors import BadSyntax, Issue, TooLarge
from resources.json_codec import MAX_BYTES, MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT, MAX_VALUES
from resources.nearest import did_you_mean

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"
MAX_ISSUES = 100
"""Reading stops after so many mistakes."""

_SHOWN = 200
_SPACE = " "
_DIV = f"{XHTML}{_SPACE}div"
_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance "
_XML_PREFIX = "http://www.w3.org/XML/1998/namespace "
_PLAIN_DIV = re.compile(rb"<div\b[^>]*\sxmlns\s*=\s*(\"%b\"|'%b')" % (XHTML.encode(), XHTML.encode()))
_PREFIXED_TAG = re.compile(rb"<[^\s<>!?/:\"']+:")
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def decode(data: bytes | str, limit: int = MAX_BYTES, *, any_order: bool = False) -> dict[str, Any]:
    """The resource that ``data`` (UTF-8) holds, as JSON would have given it; comments are dropped.

    A value that is not of its type (``<active value="yes"/>``) stays text for the validation to name. Raises TooLarge
    beyond ``limit`` bytes and BadSyntax with line, column, FHIRPath and the nearest valid name for what has no form in
    JSON: unknown elements and attributes, stray text, an element that may not repeat; and, unless ``any_order``, for
    elements that do not stand in the order of their definition, as XML demands.
    """
    body = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    body = body.removeprefix(b"\xef\xbb\xbf")
    if len(body) > limit or (len(body) > MAX_VALUES and body.count(b"<") > MAX_VALUES):
        raise TooLarge(f"The document has {len(body)} bytes; at most {limit} and {MAX_VALUES} tags are accepted")
    return _Reader(body, any_order).read()


# --- What the definitions say, arranged for reading ---------------------------------------------------------------


class _Step(NamedTuple):
    """How one element is read: ``kind`` is primitive, complex, resource or xhtml, ``many`` whether JSON has a list."""

    name: str
    kind: str
    type: str
    many: bool
    rank: int = 0


@cache
def _steps(type: str) -> dict[str, _Step]:
    """By the name expat gives: namespace, space, local name."""
    return {
        f"{XHTML if e.type == 'xhtml' else FHIR}{_SPACE}{e.name}": _Step(e.name, kind_of(e), e.type, e.max != 1, rank)
        for rank, e in enumerate(type_def(type).elements.values())
        if not e.xml_attribute
    }


@cache
def _attributes(type: str) -> frozenset[str]:
    return frozenset(e.name for e in type_def(type).elements.values() if e.xml_attribute)


def kind_of(element: ElementDef) -> str:
    """primitive, complex, resource (any resource stands inside) or xhtml."""
    if element.type in ("Resource", "xhtml"):
        return element.type.lower()
    return "primitive" if type_def(element.type).kind == "primitive" else "complex"


# --- Values -------------------------------------------------------------------------------------------------------


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text, text)


def _integer(text: str) -> Any:
    return int(text) if len(text) <= MAX_DIGITS and _INTEGER.fullmatch(text) else text


def _decimal(text: str) -> Any:
    """As the JSON codec reads it: an int without point and exponent."""
    if len(text) > MAX_DIGITS or not _DECIMAL.fullmatch(text):
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    exponent = re.search("[eE](.+)", text)
    return text if exponent and abs(int(exponent[1])) > MAX_EXPONENT else Decimal(text)


_VALUES: dict[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "positiveInt": _integer,
    "unsignedInt": _integer,
    "decimal": _decimal,
}


# --- Reading ------------------------------------------------------------------------------------------------------


class _Frame:
    """An open element: what it is, what was read of it so far, and the lists of primitives that need filling up."""

    __slots__ = ("last", "loose", "out", "step", "steps", "value")

    def __init__(self, step: _Step, steps: dict[str, _Step], out: dict[str, Any], value: Any = None) -> None:
        self.step = step
        self.steps = steps
        self.out = out
        self.value = value
        self.last: _Step | None = None
        self.loose: set[str] | None = None


class _Reader:
    """One document. expat calls ``_start`` and ``_end``; inside a narrative ``_start_xhtml`` and ``_end_xhtml``."""

    def __init__(self, body: bytes, any_order: bool) -> None:
        self.body = body
        self.any_order = any_order
        self.stack: list[_Frame] = []
        self.result: dict[str, Any] = {}
        self.issues: list[Issue] = []
        self.skipped = 0
        self.narrative = 0
        self.narrative_start = 0
        self.parts: list[str] | None = None
        self.parser = expat.ParserCreate("utf-8", _SPACE)
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._listen(self._start, self._end, self._text)

    def read(self) -> dict[str, Any]:
        try:
            self.parser.Parse(self.body, True)
        except expat.ExpatError as error:
            what = expat.ErrorString(error.code)
            place = f"line {error.lineno}, column {error.offset + 1}"
            raise BadSyntax(f"The body is no XML at {place}: {what}") from error
        if self.issues:
            raise BadSyntax(issues=self.issues)
        return self.result

    def _listen(self, start: Any, end: Any, text: Any) -> None:
        self.parser.StartElementHandler = start
        self.parser.EndElementHandler = end
        self.parser.CharacterDataHandler = text

    # Elements

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self.skipped:
            self.skipped += 1
            return
        if not self.stack:
            self._open_resource(name, attributes, _Step("", "resource", "", False))
            return
        if len(self.stack) >= MAX_DEPTH:
            raise BadSyntax(f"The document is nested deeper than {MAX_DEPTH} levels at {self._place()}")
        frame = self.stack[-1]
        if frame.steps is _ANY_RESOURCE:
            self._open_resource(name, attributes, frame.step)
            return
        step = frame.steps.get(name)
        if step is None:
            self._skip(self._unknown(name, frame.steps))
        else:
            self._follow(frame, step)
            self._open(step, attributes)

    def _follow(self, frame: _Frame, step: _Step) -> None:
        before, frame.last = frame.last, step
        if before is not None and step.rank < before.rank and not self.any_order:
            self._report(f"The element '{step.name}' stands after '{before.name}'; it belongs before it")

    def _open(self, step: _Step, attributes: dict[str, str]) -> None:
        if step.kind == "primitive":
            self._open_primitive(step, attributes)
        elif step.kind == "complex":
            self.stack.append(_Frame(step, _steps(step.type), {}))
            if attributes:
                self._read_attributes(attributes, step.type)
        elif step.kind == "resource":
            self.stack.append(_Frame(step, _ANY_RESOURCE, {}))
            if attributes:
                self._read_attributes(attributes, "")
        else:
            self._open_narrative(step, attributes)

    def _open_primitive(self, step: _Step, attributes: dict[str, str]) -> None:
        text = attributes.pop("value", None)
        convert = _VALUES.get(step.type)
        value = convert(text) if convert and text is not None else text
        self.stack.append(_Frame(step, _steps(step.type), {}, value))
        if attributes:
            self._read_attributes(attributes, step.type)

    def _open_resource(self, name: str, attributes: dict[str, str], step: _Step) -> None:
        namespace, _, type = name[:_SHOWN].rpartition(_SPACE)
        if namespace != FHIR:
            self._skip(f"'{type}' is not in the namespace {FHIR}; a resource is, such as <Patient xmlns=\"{FHIR}\">")
        elif type not in RESOURCE_TYPES:
            self._skip(f"'{type}' is not a resource type of R4{did_you_mean(type, RESOURCE_TYPES)}")
        else:
            self.stack.append(_Frame(step, _steps(type), {"resourceType": type}))
            self._read_attributes(attributes, type)

    def _read_attributes(self, attributes: dict[str, str], type: str) -> None:
        allowed = _attributes(type) if type else frozenset[str]()
        for name, value in attributes.items():
            if name in allowed:
                self.stack[-1].out[name] = value
            elif not name.startswith(_SCHEMA_INSTANCE):
                self._report(f"The attribute '{name[:_SHOWN].rpartition(_SPACE)[2]}' is not allowed here")

    def _end(self, name: str) -> None:
        if self.skipped:
            self.skipped -= 1
            return
        frame = self.stack.pop()
        if frame.loose:
            _fill_up(frame)
        holder = self.stack[-1] if self.stack else None
        if holder is None:
            self.result = frame.out
        elif holder.steps is _ANY_RESOURCE:
            self._hold(holder, frame.out)
        elif frame.step.kind == "primitive":
            self._add_primitive(frame)
        elif frame.steps is not _ANY_RESOURCE:
            self._add(frame.step, frame.out)
        elif frame.value is None:
            self._report(f"The element '{frame.step.name}' holds no resource")
        else:
            self._add(frame.step, frame.value)

    def _hold(self, holder: _Frame, resource: dict[str, Any]) -> None:
        if holder.value is not None:
            self._report(f"The element '{holder.step.name}' holds more than one resource")
        holder.value = resource

    def _add(self, step: _Step, value: Any) -> None:
        out = self.stack[-1].out
        if step.many:
            out.setdefault(step.name, []).append(value)
        elif step.name in out:
            self._report(f"The element '{step.name}' stands twice and may stand once")
        else:
            out[step.name] = value

    def _add_primitive(self, frame: _Frame) -> None:
        step, value, extra = frame.step, frame.value, frame.out
        if value is None and not extra:
            self._report(f"The element '{step.name}' has neither a value nor an extension")
        elif step.many:
            self._add_to_lists(step.name, value, extra)
        elif step.name in self.stack[-1].out or f"_{step.name}" in self.stack[-1].out:
            self._report(f"The element '{step.name}' stands twice and may stand once")
        else:
            self.stack[-1].out.update(_with_extra(step.name, value, extra))

    def _add_to_lists(self, name: str, value: Any, extra: dict[str, Any]) -> None:
        """Values and what extends them stand in two lists side by side, with null for what is absent."""
        parent = self.stack[-1]
        values = parent.out.setdefault(name, [])
        if extra:
            extras = parent.out.setdefault(f"_{name}", [])
            extras += [None] * (len(values) - len(extras)) + [extra]
            parent.loose = {name} if parent.loose is None else parent.loose | {name}
        values.append(value)

    # Narrative

    def _open_narrative(self, step: _Step, attributes: dict[str, str]) -> None:
        self.narrative_start = self.parser.CurrentByteIndex
        self.stack.append(_Frame(step, {}, {}))
        plain = _PLAIN_DIV.match(self.body, self.narrative_start)
        self.parts = None if plain else []
        self._listen(self._start_xhtml, self._end_xhtml, None if plain else self._text_xhtml)
        self._start_xhtml(_DIV, attributes)

    def _start_xhtml(self, name: str, attributes: dict[str, str]) -> None:
        self.narrative += 1
        if self.narrative > MAX_DEPTH:
            raise BadSyntax(f"The narrative is nested deeper than {MAX_DEPTH} levels at {self._place()}")
        if self.parts is not None:
            namespace = f' xmlns="{XHTML}"' if self.narrative == 1 else ""
            given = "".join(f' {_xhtml_name(n)}="{_escaped(v)}"' for n, v in attributes.items())
            self.parts.append(f"<{_xhtml_name(name)}{namespace}{given}>")

    def _text_xhtml(self, text: str) -> None:
        if self.parts is not None:
            self.parts.append(_escaped(text))

    def _end_xhtml(self, name: str) -> None:
        self.narrative -= 1
        if self.parts is not None:
            self.parts.append(f"</{_xhtml_name(name)}>")
        if self.narrative:
            return
        self._listen(self._start, self._end, self._text)
        frame = self.stack.pop()
        self._add(frame.step, "".join(self.parts) if self.parts is not None else self._source())

    def _source(self) -> str:
        """The narrative as it is spelled; expat points at the end tag, or behind an empty element."""
        place = self.parser.CurrentByteIndex
        end = self.body.index(b">", place) + 1 if self.body.startswith(b"</div", place) else place
        source = self.body[self.narrative_start : end]
        if _PREFIXED_TAG.search(source):
            self._report("The narrative uses a namespace prefix; XHTML in FHIR is written without")
        return source.decode().replace("\r\n", "\n").replace("\r", "\n").replace("&#xD;", "\r")

    # Mistakes

    def _text(self, text: str) -> None:
        if not self.skipped and not text.isspace():
            shown = text.strip()[:40]
            self._report(f"The text '{shown}' stands outside an attribute; values are written as value=\"...\"")

    def _unknown(self, name: str, steps: dict[str, _Step]) -> str:
        namespace, _, local = name[:_SHOWN].rpartition(_SPACE)
        if any(step.name == local for step in steps.values()):
            return f"The element '{local}' is in the namespace '{namespace}' and does not belong there"
        return f"The element '{local}' is not known here{did_you_mean(local, [s.name for s in steps.values()])}"

    def _skip(self, text: str) -> None:
        self.skipped = 1
        self._report(text)

    def _report(self, text: str) -> None:
        self.issues.append(Issue("structure", f"{text} ({self._place()})", self._path()))
        if len(self.issues) >= MAX_ISSUES:
            raise BadSyntax(issues=self.issues)

    def _place(self) -> str:
        return f"line {self.parser.CurrentLineNumber}, column {self.parser.CurrentColumnNumber + 1}"

    def _path(self) -> str:
        path = ""
        for above, frame in zip([None, *self.stack], self.stack, strict=False):
            step = frame.step
            if above is not None and above.steps is _ANY_RESOURCE:
                continue
            index = f"[{len(above.out.get(step.name, ()))}]" if above is not None and step.many else ""
            path += f".{step.name}{index}" if path else str(frame.out.get("resourceType", step.name))
        return path

    def _refuse_doctype(self, *_: Any) -> None:
        raise BadSyntax(f"A DOCTYPE is not allowed in FHIR XML ({self._place()})")


_ANY_RESOURCE: dict[str, _Step] = {}
"""The steps of an element that holds a resource: compared by identity."""


def _with_extra(name: str, value: Any, extra: dict[str, Any]) -> dict[str, Any]:
    if not extra:
        return {name: value}
    return {f"_{name}": extra} if value is None else {name: value, f"_{name}": extra}


def _fill_up(frame: _Frame) -> None:
    """Make both lists of an extended primitive equally long; a list of nothing but null is left out."""
    for name in frame.loose or ():
        values, extras = frame.out[name], frame.out[f"_{name}"]
        extras += [None] * (len(values) - len(extras))
        if all(value is None for value in values):
            del frame.out[name]


def _xhtml_name(name: str) -> str:
    return name.replace(_XML_PREFIX, "xml:").rpartition(_SPACE)[2]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
