"""One query parameter as a term.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html): parameter name, modifier, and values joined by ``,`` (OR).
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Protocol, cast

from resources.errors import BadSearch
from resources.nearest import did_you_mean
from resources.search_param import composite, missing, named, value_set, words
from resources.search_param.escapes import split
from resources.search_param.parameter import Parameter
from resources.search_param.parameters import FULL_TEXT, KINDS, composites, parameters
from resources.search_param.registry import search_params
from resources.search_param.special import SPECIAL
from resources.search_param.terms import And, Checked, Family, Not, Or, Term

_NEGATIONS = MappingProxyType({"not": "", "not-in": "in"})
"""Modifiers that find what another one does not."""


class _Wanted(Protocol):
    def terms(self, family: Family, row: tuple[str, str, str]) -> Iterable[Term]: ...


def compile_param(type: str, name: str, modifier: str, value: str) -> Term:
    """The term of ``name:modifier=value`` for resources of ``type``.

    ``name`` comes without modifier and chain, ``value`` as sent (URL-decoded): ``,`` separates alternatives, a
    backslash escapes. Raises BadSearch for an unknown parameter, a modifier it does not take or a malformed value.
    """
    if not writable(value):
        raise BadSearch(f"Parameter '{name}' of {type} has a value with characters that no text of FHIR can hold.")
    if name in composites(type):
        return _composite(type, name, modifier, value)
    if name in FULL_TEXT:
        return words.term(type, name, modifier, value)
    parameter = find(type, name)
    if modifier == "missing" and name not in SPECIAL:
        return simplified(missing.term(parameter, value))
    values = [part for part in split(value, ",") if part]
    if not values:
        parameter.refuse(value, "at least one value")
    _check(parameter, modifier)
    return simplified(_alternatives(parameter, modifier, values))


def writable(value: str) -> bool:
    """False for NUL and lone surrogates, which databases refuse."""
    return "\x00" not in value and (value.isascii() or not any("\ud800" <= char <= "\udfff" for char in value))


def _alternatives(parameter: Parameter, modifier: str, values: list[str]) -> Term:
    if parameter.code in SPECIAL:
        return Or(tuple(SPECIAL[parameter.code](parameter, value) for value in values))
    if modifier == "text":
        return named.term(parameter, values)
    value_set.check_number(parameter, modifier, values)
    term = KINDS[parameter.kind].term
    if len(values) == 1 and modifier not in _NEGATIONS:
        return term(parameter, modifier, values[0])
    if modifier in _NEGATIONS:
        found = Or(tuple(term(parameter, _NEGATIONS[modifier], value) for value in values))
        return Not(parameter.type, simplified(found))
    return Or(tuple(term(parameter, modifier, value) for value in values))


def _composite(type: str, name: str, modifier: str, value: str) -> Term:
    if modifier:
        raise BadSearch(
            f"Parameter '{name}' of {type} is a composite and takes no modifier, but ':{modifier}' was given."
        )
    values = [part for part in split(value, ",") if part] or [value]
    return simplified(Or(tuple(composite.term(type, name, composites(type)[name], v) for v in values)))


def _check(parameter: Parameter, modifier: str) -> None:
    allowed = frozenset() if parameter.code in SPECIAL else KINDS[parameter.kind].modifiers
    if modifier and modifier not in allowed:
        names = [f":{name}" for name in ("missing", *sorted(allowed))] if parameter.code not in SPECIAL else ["none"]
        more = " or a resource type" if parameter.kind == "reference" else ""
        raise BadSearch(
            f"Modifier ':{modifier}' is not supported for parameter '{parameter.code}' of {parameter.type}, "
            f"a {parameter.kind} parameter; it takes {', '.join(names)}{more}."
        )


def find(type: str, name: str) -> Parameter:
    """The parameter ``name`` of a type. Raises BadSearch that names the nearest one."""
    known = parameters(type)
    if name in known:
        return known[name]
    if name in search_params(type):
        raise BadSearch(f"Parameter '{name}' of {type} reads no element: it can only be searched by.")
    names = sorted({*known, *composites(type)})
    hint = did_you_mean(name, names) or f"; known are {', '.join(names)}."
    raise BadSearch(f"{type} has no search parameter '{name}'{hint}")


def expand(term: Family, rows: Iterable[tuple[str, str, str]]) -> Term:
    """What a Family stands for, given the dictionary rows (system, code, unit) of its branch and form."""
    wanted = cast(_Wanted, term.wanted)
    return simplified(Or(tuple(found for row in rows for found in wanted.terms(term, row))))


def simplified(term: Term) -> Term:
    """The term with nested Ors joined, repeated alternatives dropped, and an Or or And of one unwrapped."""
    if isinstance(term, Or):
        if len(term.terms) == 1:
            return simplified(term.terms[0])
        parts = dict.fromkeys(_alternatives_of(term))
        return next(iter(parts)) if len(parts) == 1 else Or(tuple(parts))
    if isinstance(term, And):
        every = tuple(simplified(part) for part in term.terms)
        return every[0] if len(every) == 1 else And(every)
    if isinstance(term, Checked):
        return Checked(term.type, simplified(term.term), term.test)
    return Not(term.type, simplified(term.term)) if isinstance(term, Not) else term


def _alternatives_of(term: Or) -> Iterable[Term]:
    for part in term.terms:
        part = simplified(part)
        if isinstance(part, Or):
            yield from part.terms
        else:
            yield part
