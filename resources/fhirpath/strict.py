"""What can be said against an expression before it meets data: unknown elements of known types, order of the unordered.

FHIRPath N1, type safety and strict evaluation (http://hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation).
"""

from collections.abc import Callable
from typing import Any

from resources import definitions
from resources.fhirpath.compiler import type_name
from resources.fhirpath.errors import PathSemanticError
from resources.fhirpath.node import fields, root, subtype
from resources.fhirpath.parser import Binary, Call, Constant, Index, Literal, Member, Sign, Syntax, TypeTest, Variable

_ORDERED = frozenset({"first", "last", "tail", "skip", "take"})
_UNORDERED = frozenset({"children", "descendants"})
_SAME_TYPE = frozenset({"where", "single", "trace", "distinct", *_ORDERED})
_OWN_FOCUS = frozenset({"where", "select", "all", "exists"})
_CASTS = frozenset({"as", "ofType"})
_UNKNOWN = ""


def check(tree: Syntax, context: str) -> None:
    """Raise PathSemanticError when ``tree`` cannot be meant for elements of the type ``context`` ('' unknown)."""
    _type(tree, context)


def result_types(tree: Syntax, context: str) -> frozenset[str]:
    """The types that ``tree`` gives for elements of the type ``context``, '' among them when one is open. Parts of a
    union that begin at another type give nothing."""
    if isinstance(tree, Binary) and tree.operator == "|":
        return result_types(tree.left, context) | result_types(tree.right, context)
    start = _start(tree)
    if start and not subtype(context, start):
        return frozenset()
    return frozenset({_type(tree, context)})


def _start(tree: Syntax) -> str:
    """The type that a path begins with, '' without one."""
    while not isinstance(tree, Literal | Constant | Variable | Sign | Binary):
        inner = tree.operand if isinstance(tree, TypeTest) else tree.base
        if inner is None:
            named = isinstance(tree, Member) and tree.name[:1].isupper()
            return root({"resourceType": tree.name}).type if isinstance(tree, Member) and named else ""
        tree = inner
    return ""


def _type(tree: Syntax, this: str) -> str:
    """The type of the elements ``tree`` gives, '' when it is open."""
    return _RULES[type(tree)](tree, this)


def _literal(tree: Any, this: str) -> str:
    return _UNKNOWN


def _variable(tree: Variable, this: str) -> str:
    return this if tree.name == "this" else _UNKNOWN


def _member(tree: Member, this: str) -> str:
    if tree.base is not None:
        return _element(_type(tree.base, this), tree.name)
    named = root({"resourceType": tree.name}).type if tree.name[:1].isupper() else ""
    return _settled(named) if named else _element(this, tree.name)


def _element(owner: str, name: str) -> str:
    if not owner:
        return _UNKNOWN
    group = fields(owner).get(name)
    if group is None:
        raise PathSemanticError(f"{owner} has no element {name!r}")
    return _settled(group[0].type) if len(group) == 1 else _UNKNOWN


def _settled(type: str) -> str:
    """A type whose elements are all known: not one that stands for its specialisations."""
    return _UNKNOWN if definitions.type_def(type).abstract else type


def _call(tree: Call, this: str) -> str:
    base = this if tree.base is None else _type(tree.base, this)
    if tree.name in _ORDERED:
        _refuse_unordered(tree.base)
    if tree.name in _CASTS:
        return _cast(type_name(tree.arguments[0]))
    inner = [_type(argument, base) for argument in tree.arguments] if tree.name in _OWN_FOCUS else []
    if tree.name == "select" and inner:
        return inner[0]
    return base if tree.name in _SAME_TYPE else _UNKNOWN


def _cast(name: str) -> str:
    simple = name.rpartition(".")[2]
    known = root({"resourceType": simple}).type
    return _settled(known) if known and not name.startswith("System.") else _UNKNOWN


def _refuse_unordered(tree: Syntax | None) -> None:
    if isinstance(tree, Call) and tree.name in _UNORDERED:
        raise PathSemanticError(f"{tree.name}() gives no order that could be counted on")


def _index(tree: Index, this: str) -> str:
    _refuse_unordered(tree.base)
    return _type(tree.base, this)


def _binary(tree: Binary, this: str) -> str:
    _type(tree.left, this)
    _type(tree.right, this)
    return _UNKNOWN


def _sign(tree: Sign, this: str) -> str:
    _type(tree.operand, this)
    return _UNKNOWN


def _type_test(tree: TypeTest, this: str) -> str:
    _type(tree.operand, this)
    return _cast(tree.type) if tree.operator == "as" else _UNKNOWN


_RULES: dict[type, Callable[[Any, str], str]] = {
    Literal: _literal,
    Constant: _literal,
    Variable: _variable,
    Member: _member,
    Call: _call,
    Index: _index,
    Sign: _sign,
    Binary: _binary,
    TypeTest: _type_test,
}
