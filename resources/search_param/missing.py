"""Which branches have a value: what ``:missing`` reads.

FHIR R4 Search, modifier missing (https://hl7.org/fhir/R4/search.html#modifiers). A branch that is mandatory or common
in practice marks the resources without a value. Of the others, the index shows presence by itself where its entries can
be listed (dictionary, strings, ranges, a closed set of codes); only where they cannot, those with a value are marked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from resources.search_param import date, number, quantity, string, token, uri
from resources.search_param.bounds import Bounds
from resources.search_param.clinical import clinical
from resources.search_param.expression import Branch
from resources.search_param.markers import COMMON
from resources.search_param.parameter import Parameter
from resources.search_param.terms import All, And, Clinical, Family, Key, Lookup, Not, Or, Post, Range, Str, Term

ABSENT = "absent"
PRESENT = "present"


class Marker(NamedTuple):
    """The list of resources without (``absent``) or with (``present``) a value of a branch."""

    key: Key

    @property
    def absent(self) -> bool:
        return self.key.form == ABSENT


def marker(parameter: Parameter, branch: Branch) -> Marker | None:
    """The marker of a branch as one kind of parameter reads it; None where the index shows presence by itself."""
    text, kind = name(branch), parameter.kind
    if branch.expression:  # which marks itself: see evaluated.py
        return Marker(Key(parameter.type, text, PRESENT, kind))
    if branch.required or f"{text} {kind}" in COMMON:
        return Marker(Key(parameter.type, text, ABSENT, kind))
    if branch.truth or shown(parameter, branch) is not None:
        return None
    return Marker(Key(parameter.type, text, PRESENT, kind))


def name(branch: Branch) -> str:
    """The branch with the type or the system that it is narrowed to."""
    narrowed = branch.target or branch.system
    return f"{branch.text}({narrowed})" if narrowed else branch.text


# --- Presence shown by the index itself -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Anything:
    """A Family wants every key."""

    def terms(self, family: Family, row: tuple[str, str, str]) -> list[Term]:
        return [Range(quantity.measured(family.type, family.branch, *row).key, *Bounds())]


def _dates(parameter: Parameter, branch: Branch) -> list[Term]:
    terms: list[Term] = [Range(Key(parameter.type, branch.text, date.FORM, ""), *Bounds())]
    if parameter.code == clinical(parameter.type):
        terms.append(Clinical(parameter.type, *date.precise_window(Bounds())))
    return terms


def _numbers(parameter: Parameter, branch: Branch) -> list[Term]:
    return [Range(Key(parameter.type, branch.text, number.FORM, ""), *Bounds())]


def _quantities(parameter: Parameter, branch: Branch) -> list[Term]:
    return [Family(parameter.type, branch.text, quantity.FORM, Anything())]


def _strings(parameter: Parameter, branch: Branch) -> list[Term]:
    return [Str(Key(parameter.type, branch.text, string.FORM, ""), "", "prefix")]


def _uris(parameter: Parameter, branch: Branch) -> list[Term]:
    path = Str(Key(parameter.type, branch.text, uri.PATH, ""), "", "prefix")
    return [Lookup(parameter.type, branch.text, uri.FORM), path]


def _tokens(parameter: Parameter, branch: Branch) -> list[Term] | None:
    """Codings are in the dictionary; so are the systems of identifiers; a flag or a bound code has few values."""
    known = [w for ws in token.systems(branch).values() for w in ws]
    terms: list[Term] = []
    for leaf in branch.leaves:
        if leaf.type in ("CodeableConcept", "Coding"):
            text = Str(Key(parameter.type, branch.text, token.TEXT, ""), "", "prefix")
            terms += [Lookup(parameter.type, branch.text, token.CODED), text]
        elif leaf.type == "Identifier":
            terms.append(Lookup(parameter.type, branch.text, token.SYSTEM))
        elif leaf.type == "boolean" or (leaf.type == "code" and known):
            words = known if leaf.type == "code" else ["false", "true"]
            terms += [Post(token.plain_key(parameter.type, branch.text, word)) for word in sorted(words)]
        else:
            return None
    return terms


_SHOWN: Mapping[str, Callable[[Parameter, Branch], list[Term] | None]] = MappingProxyType(
    {
        "token": _tokens, "date": _dates, "number": _numbers, "quantity": _quantities, "string": _strings, "uri": _uris,
    }
)  # fmt: skip


def shown(parameter: Parameter, branch: Branch) -> list[Term] | None:
    """Terms that together list the resources with a value; None when only a marker can."""
    show = _SHOWN.get(parameter.kind)
    return show(parameter, branch) if show else None


# --- Query --------------------------------------------------------------------------------------------------------


def term(parameter: Parameter, value: str) -> Term:
    """Resources without any value of the parameter (``true``) or with one (``false``)."""
    if value not in ("true", "false"):
        parameter.refuse(f":missing={value}", "true or false")
    if any(branch.truth for branch in parameter.branches):  # always has a value: true or false
        return Or(()) if value == "true" else All(parameter.type)
    having = tuple(_having(parameter, branch) for branch in parameter.branches)
    if value == "false":
        return Or(having)
    without = tuple(t.term if isinstance(t, Not) else Not(parameter.type, t) for t in having)
    return without[0] if len(without) == 1 else And(without)


def _having(parameter: Parameter, branch: Branch) -> Term:
    found = marker(parameter, branch)
    if found is None:
        return Or(tuple(shown(parameter, branch) or ()))
    return Not(parameter.type, Post(found.key)) if found.absent else Post(found.key)
