"""Which branches have a value: the markers that ``:missing`` reads.

FHIR R4 Search, modifier missing (https://hl7.org/fhir/R4/search.html#modifiers). Only the rarer side is stored: a marker
``absent`` where the element is mandatory or common in practice, ``present`` elsewhere.
"""

from typing import NamedTuple

from resources.search_param.expression import Branch
from resources.search_param.markers import COMMON
from resources.search_param.parameter import Parameter
from resources.search_param.terms import All, And, Key, Not, Or, Post, Term

ABSENT = "absent"
PRESENT = "present"


class Marker(NamedTuple):
    """The list of resources without (``absent``) or with (``present``) a value of a branch."""

    key: Key

    @property
    def absent(self) -> bool:
        return self.key.form == ABSENT


def marker(type: str, kind: str, branch: Branch) -> Marker:
    """The marker of a branch as one kind of parameter reads it."""
    text = name(branch)
    side = ABSENT if branch.required or f"{text} {kind}" in COMMON else PRESENT
    return Marker(Key(type, text, side, kind))


def name(branch: Branch) -> str:
    """The branch with the type or the system that it is narrowed to."""
    narrowed = branch.target or branch.system
    return f"{branch.text}({narrowed})" if narrowed else branch.text


def term(parameter: Parameter, value: str) -> Term:
    """Resources without any value of the parameter (``true``) or with one (``false``)."""
    if value not in ("true", "false"):
        parameter.refuse(f":missing={value}", "true or false")
    if any(branch.truth for branch in parameter.branches):  # always has a value: true or false
        return Or(()) if value == "true" else All(parameter.type)
    without = [_without(parameter.type, marker(parameter.type, parameter.kind, b)) for b in parameter.branches]
    if value == "true":
        return without[0] if len(without) == 1 else And(tuple(without))
    having = [t.term if isinstance(t, Not) else Not(parameter.type, t) for t in without]
    return Or(tuple(having))


def _without(type: str, found: Marker) -> Term:
    return Post(found.key) if found.absent else Not(type, Post(found.key))
