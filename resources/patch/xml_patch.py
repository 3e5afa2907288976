"""XML Patch on the XML form of a resource.

RFC 5261; FHIR R4 patch (https://hl7.org/fhir/R4/http.html#patch). A patch that is malformed is BadSyntax (400); one
whose target is missing or not single is BusinessRule (422). Comments and processing instructions are not kept with a
resource, so operations on them change nothing.
"""

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from resources import xml_codec
from resources.errors import BadSyntax, BusinessRule, TooLarge
from resources.patch.document import MAX_OPERATIONS, Place, Stopwatch, same_type
from resources.patch.xml_selector import Selector
from resources.xml_reader import FHIR

MAX_BYTES = 4 * 1024 * 1024
"""Longest patch."""

_NOT_KEPT = frozenset({"comment", "processing-instruction", "namespace"})
_ATTRIBUTE = re.compile(r"@(?:(?P<prefix>[A-Za-z_][\w.\-]*):)?(?P<local>[A-Za-z_][\w.\-]*)")
_XML_SPACE = " \t\r\n"


def apply(resource: dict[str, Any], patch: bytes) -> dict[str, Any]:
    """``resource`` with the operations of the XML document ``patch`` applied, all or none; the input is not changed.

    The root of ``patch`` may have any name (``diff``); its children are add, replace and remove, in no namespace or
    in FHIR's. The prefixes ``f`` and ``h`` need not be declared. Raises BadSyntax, TooLarge and BusinessRule.
    """
    operations = parse(patch)
    document = _reread(xml_codec.encode(resource))
    patched = etree.tostring(apply_to_tree(document, operations), encoding="utf-8")
    return same_type(resource, xml_codec.decode(patched, any_order=True))  # JSON has no order


def parse(patch: bytes) -> Any:
    """The root element of a patch document. Raises BadSyntax, TooLarge."""
    if len(patch) > MAX_BYTES:
        raise TooLarge(f"The patch has {len(patch)} bytes; at most {MAX_BYTES} are accepted")
    try:
        root = etree.fromstring(patch, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadSyntax(f"The patch is no XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadSyntax("A patch has no document type")
    return root


def _reread(text: bytes) -> Any:
    """What was XML before; it may yet be too large or too deep for the parser, or name what is no character."""
    try:
        return etree.fromstring(text, _parser())
    except etree.XMLSyntaxError as error:
        raise BusinessRule(f"The XML Patch cannot be applied: {error}") from error


def _parser() -> Any:
    # Entities stay unresolved and nothing is fetched; comments and instructions are not kept with a resource.
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )


def apply_to_tree(document: Any, operations: Any) -> Any:
    """The lxml element ``document`` after the operations that are the children of ``operations``; it is changed."""
    if len(operations) > MAX_OPERATIONS:
        raise BadSyntax(f"A patch may have {MAX_OPERATIONS} operations, this one has {len(operations)}")
    watch = Stopwatch()
    for number, operation in enumerate(operations, 1):
        watch.check()
        name = etree.QName(operation)
        path = operation.get("sel", "")
        place = Place(number, name.localname, path)
        if name.namespace not in (None, FHIR) or name.localname not in _OPERATIONS:
            raise place.malformed(f"an operation is one of {', '.join(_OPERATIONS)}")
        document = _OPERATIONS[name.localname](document, operation, Selector(path, place))
    return document


def _target(document: Any, operation: Any, selector: Selector) -> Any:
    """The only node selected."""
    found = selector.find(document, operation.nsmap)
    if len(found) != 1:
        raise selector.place.refused(f"the selector must find one node, it finds {len(found)}")
    return found[0]


# --- Operations ---------------------------------------------------------------------------------------------------


def _add(document: Any, operation: Any, selector: Selector) -> Any:
    place, type, position = selector.place, operation.get("type", ""), operation.get("pos", "")
    target = _target(document, operation, selector)
    if selector.kind != "element":
        raise place.malformed("add needs the selector of an element")
    if type.startswith("namespace::"):
        return document
    if type:
        _add_attribute(target, type, operation, place)
        return document
    if position not in _POSITIONS:
        raise place.malformed("pos must be prepend, before or after")
    if position in ("before", "after") and target.getparent() is None:
        raise place.refused("nothing can stand beside the resource")
    _POSITIONS[position](target, operation.text or "", _children(operation))
    return document


def _add_attribute(target: Any, type: str, operation: Any, place: Place) -> None:
    name = _attribute_name(type, operation, place)
    if name in target.attrib:
        raise place.refused(f"the attribute {type} is already there; use replace")
    _set_attribute(target, name, operation.text or "", place)


def _attribute_name(type: str, operation: Any, place: Place) -> str:
    match = _ATTRIBUTE.fullmatch(type)
    if match is None:
        raise place.malformed("type must be @name or namespace::prefix")
    prefix, local = match["prefix"] or "", match["local"]
    if prefix and prefix not in operation.nsmap:
        raise place.malformed(f"the prefix {prefix!r} is not declared")
    return f"{{{operation.nsmap[prefix]}}}{local}" if prefix else local


def _set_attribute(target: Any, name: str, value: str, place: Place) -> None:
    try:
        target.set(name, value)
    except ValueError as error:
        raise place.malformed(f"{name!r} is no attribute that can be set: {error}") from error


def _replace(document: Any, operation: Any, selector: Selector) -> Any:
    if selector.kind in _NOT_KEPT:
        return document
    target = _target(document, operation, selector)
    if selector.kind == "element":
        return _replace_element(document, operation, target, selector.place)
    if len(operation):
        raise selector.place.malformed("an attribute or a text is replaced by text")
    if selector.kind == "attribute":
        _set_attribute(target.getparent(), target.attrname, operation.text or "", selector.place)
    else:
        _set_text(target, operation.text or "")
    return document


def _replace_element(document: Any, operation: Any, target: Any, place: Place) -> Any:
    found = _children(operation)
    if len(found) != 1 or (operation.text or "").strip(_XML_SPACE):
        raise place.malformed("an element is replaced by one element")
    found[0].tail = target.tail
    parent = target.getparent()
    if parent is None:
        found[0].tail = None
        return found[0]
    parent.replace(target, found[0])
    return document


def _remove(document: Any, operation: Any, selector: Selector) -> Any:
    if selector.kind in _NOT_KEPT:
        return document
    if operation.get("ws", "") not in _SPACES:
        raise selector.place.malformed("ws must be before, after or both")
    target = _target(document, operation, selector)
    if selector.kind == "element":
        _remove_element(target, _SPACES[operation.get("ws", "")], selector.place)
    elif selector.kind == "attribute":
        del target.getparent().attrib[target.attrname]
    else:
        _set_text(target, "")
    return document


def _remove_element(target: Any, spaces: tuple[bool, bool], place: Place) -> None:
    parent = target.getparent()
    if parent is None:
        raise place.refused("the resource itself cannot be removed by a patch")
    before, after = spaces
    tail = (target.tail or "").lstrip(_XML_SPACE) if after else target.tail or ""
    _append_text(target, tail, strip=before)
    parent.remove(target)


_SPACES = {"": (False, False), "before": (True, False), "after": (False, True), "both": (True, True)}
_OPERATIONS: dict[str, Callable[[Any, Any, Selector], Any]] = {"add": _add, "replace": _replace, "remove": _remove}


# --- Content ------------------------------------------------------------------------------------------------------


def _children(operation: Any) -> list[Any]:
    """Copies of what the operation brings. Elements in no namespace are FHIR's: a patch that declares none is short
    for one that does."""
    text = etree.tostring(operation, with_tail=False)
    return [_in_fhir(child) for child in list(_reread(text))]


def _in_fhir(element: Any) -> Any:
    for part in element.iter(etree.Element):
        if etree.QName(part).namespace is None:
            part.tag = f"{{{FHIR}}}{part.tag}"
    return element


def _append(target: Any, text: str, children: list[Any]) -> None:
    if len(target):
        target[-1].tail = (target[-1].tail or "") + text
    else:
        target.text = (target.text or "") + text
    target.extend(children)


def _prepend(target: Any, text: str, children: list[Any]) -> None:
    rest = target.text or ""
    target.text = text
    if children:
        children[-1].tail = (children[-1].tail or "") + rest
    else:
        target.text += rest
    for index, child in enumerate(children):
        target.insert(index, child)


def _before(target: Any, text: str, children: list[Any]) -> None:
    _append_text(target, text, strip=False)
    parent = target.getparent()
    for child in children:
        parent.insert(parent.index(target), child)


def _after(target: Any, text: str, children: list[Any]) -> None:
    tail, target.tail = target.tail or "", text
    parent, index = target.getparent(), target.getparent().index(target)
    for offset, child in enumerate(children, 1):
        parent.insert(index + offset, child)
    last = children[-1] if children else target
    last.tail = (last.tail or "") + tail


def _append_text(target: Any, text: str, *, strip: bool) -> None:
    """Put ``text`` after what stands before ``target``, without the white space there when ``strip``."""
    previous, parent = target.getprevious(), target.getparent()
    found = (parent.text if previous is None else previous.tail) or ""
    joined = (found.rstrip(_XML_SPACE) if strip else found) + text
    if previous is None:
        parent.text = joined
    else:
        previous.tail = joined


def _set_text(target: Any, text: str) -> None:
    """``target`` is the text lxml found: of an element, or after one."""
    holder = target.getparent()
    if target.is_tail:
        holder.tail = text
    else:
        holder.text = text


_POSITIONS: dict[str, Callable[[Any, str, list[Any]], None]] = {
    "": _append,
    "prepend": _prepend,
    "before": _before,
    "after": _after,
}
