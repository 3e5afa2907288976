"""A syntax tree to Python closures.

FHIRPath N1, expressions (http://hl7.org/fhirpath/N1/#expressions).
"""

from collections.abc import Callable
from typing import Any

from resources.fhirpath.environment import Environment, Items, Run
from resources.fhirpath.errors import PathExecutionError, PathSemanticError
from resources.fhirpath.functions import collections, conversion, fhir, math, strings
from resources.fhirpath.functions.lambdas import LAMBDAS, SortKey, sort
from resources.fhirpath.functions.row import Function
from resources.fhirpath.node import Node, select, subtype
from resources.fhirpath.operators import LOGIC, OPERATORS, negative
from resources.fhirpath.parser import Binary, Call, Constant, Index, Literal, Member, Sign, Syntax, TypeTest, Variable
from resources.fhirpath.singletons import integer
from resources.fhirpath.types import type_test

FUNCTIONS: dict[str, Function] = {
    **collections.FUNCTIONS,
    **strings.FUNCTIONS,
    **conversion.FUNCTIONS,
    **math.FUNCTIONS,
    **fhir.FUNCTIONS,
}
_TYPE_FUNCTIONS = ("is", "as", "ofType")


def compile_tree(tree: Syntax) -> Run:
    """The closure that evaluates ``tree``. Raises PathSemanticError for unknown functions and types."""
    return _COMPILERS[type(tree)](tree)


def _literal(tree: Literal) -> Run:
    items = list(tree.items)
    return lambda env: items


def _variable(tree: Variable) -> Run:
    return _VARIABLES[tree.name]


_VARIABLES: dict[str, Run] = {
    "this": lambda env: env.this,
    "index": lambda env: [] if env.index is None else [env.index],
    "total": lambda env: env.total,
}


def _constant(tree: Constant) -> Run:
    name = tree.name
    return lambda env: env.constant(name)


def _member(tree: Member) -> Run:
    if tree.base is None:
        return _first_member(tree.name)
    base, name = compile_tree(tree.base), tree.name

    def run(env: Environment) -> Items:
        found: Items = []
        for item in base(env):
            if type(item) is Node:
                select(item, name, found, env.strict)
        return found

    return run


def _first_member(name: str) -> Run:
    """A name at the start: the type of the context itself (``Patient.name``), or a child of it."""
    capital = name[:1].isupper()

    def run(env: Environment) -> Items:
        found: Items = []
        for item in env.this:
            if type(item) is not Node:
                continue
            if capital and item.type and subtype(item.type, name):
                found.append(item)
            else:
                select(item, name, found, env.strict)
        return found

    return run


def _index(tree: Index) -> Run:
    base, index = compile_tree(tree.base), compile_tree(tree.index)

    def run(env: Environment) -> Items:
        number = integer(index(env))
        return [] if number is None else collections.at(base(env), number)

    return run


def _sign(tree: Sign) -> Run:
    operand = compile_tree(tree.operand)
    if tree.symbol == "+":
        return lambda env: [] if not (items := operand(env)) else negative(negative(items))
    return lambda env: negative(operand(env))


def _binary(tree: Binary) -> Run:
    left, right = compile_tree(tree.left), compile_tree(tree.right)
    if tree.operator in LOGIC:
        return LOGIC[tree.operator](left, right)
    operator = OPERATORS[tree.operator]
    return lambda env: operator(left(env), right(env))


def _type_test(tree: TypeTest) -> Run:
    return _typed(tree.operator, compile_tree(tree.operand), tree.type)


def _typed(operation: str, source: Run, name: str) -> Run:
    test = type_test(name)
    if operation == "is":
        return lambda env: _is(source(env), test)
    # `as` on several items filters like ofType: R4's own dom-3 depends on it.
    return lambda env: [item for item in source(env) if test(item)]


def _is(items: Items, test: Callable[[Any], bool]) -> Items:
    if len(items) > 1:
        raise PathExecutionError(f"'is' needs one item, there are {len(items)}")
    return [test(item) for item in items]


# --- Calls --------------------------------------------------------------------------------------------------------


def _call(tree: Call) -> Run:
    source = _this if tree.base is None else compile_tree(tree.base)
    if tree.name in _TYPE_FUNCTIONS:
        _check_count(tree, 1, 1)
        return _typed(tree.name, source, type_name(tree.arguments[0]))
    if tree.name == "sort":
        return sort(source, tuple(map(_sort_key, tree.arguments)))
    arguments = [compile_tree(argument) for argument in tree.arguments]
    if tree.name in LAMBDAS:
        row = LAMBDAS[tree.name]
        _check_count(tree, row.least, row.most)
        return row.build(source, *arguments)
    return _plain_call(tree, source, arguments)


def _this(env: Environment) -> Items:
    return env.this


def _plain_call(tree: Call, source: Run, arguments: list[Run]) -> Run:
    if tree.name not in FUNCTIONS:
        raise PathSemanticError(f"there is no function {tree.name!r}")
    function = FUNCTIONS[tree.name]
    _check_count(tree, function.least, function.most)
    call = function.call
    if not arguments:
        return lambda env: call(env, source(env))
    if len(arguments) == 1:
        only = arguments[0]
        return lambda env: call(env, source(env), only(env))
    return lambda env: call(env, source(env), *[argument(env) for argument in arguments])


def _check_count(tree: Call, least: int, most: int) -> None:
    if not least <= len(tree.arguments) <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        raise PathSemanticError(f"{tree.name}() takes {wanted} arguments, not {len(tree.arguments)}")


def type_name(tree: Syntax) -> str:
    """A type specifier as argument: ``Patient`` or ``FHIR.Patient``. Raises PathSemanticError."""
    if isinstance(tree, Member):
        return tree.name if tree.base is None else f"{type_name(tree.base)}.{tree.name}"
    raise PathSemanticError("the name of a type is needed")


def _sort_key(tree: Syntax) -> SortKey:
    if isinstance(tree, Sign) and tree.symbol == "-":
        return SortKey(compile_tree(tree.operand), True)
    return SortKey(compile_tree(tree), False)


_COMPILERS: dict[type, Callable[[Any], Run]] = {
    Literal: _literal,
    Variable: _variable,
    Constant: _constant,
    Member: _member,
    Call: _call,
    Index: _index,
    Sign: _sign,
    Binary: _binary,
    TypeTest: _type_test,
}
