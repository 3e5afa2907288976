"""The modifiers of tokens that ask for a set of codes: :in and :not-in a value set, :above and :below a code.

FHIR R4 Search, token modifiers (https://hl7.org/fhir/R4/search.html#modifiers). Which codes those are is found when the
search runs; here is checked what is asked, and of which branches.
"""

import re
from collections.abc import Sequence

from resources.errors import BadSearch, TooCostly
from resources.literal_reference import ID
from resources.search_param.escapes import plain
from resources.search_param.expression import Branch
from resources.search_param.parameter import Parameter
from resources.search_param.terms import And, Coded, Not, Or, Referred, Refers, Term, Within

MODIFIERS = frozenset({"in", "above", "below"})
MOST = 50
"""Sets of codes that one parameter may name."""
_VALUE_SET = re.compile(rf"ValueSet/{ID}|[A-Za-z][A-Za-z0-9+.\-]*:\S+")


def term(parameter: Parameter, modifier: str, value: str, forms: dict[str, str], plain_form: str) -> Term:
    """Resources with a code in the set that ``modifier`` and ``value`` name; ``forms`` are those of coded types."""
    of = plain(value)
    if modifier == "in":
        if not _VALUE_SET.fullmatch(of):
            parameter.refuse(value, "the canonical URL of a ValueSet, or ValueSet/[id]")
    else:
        system, bar, code = of.partition("|")
        if not (bar and system and code):
            parameter.refuse(value, "system|code")
    found = [_branch_term(parameter.type, b, modifier, of, forms, plain_form) for b in parameter.branches]
    terms = tuple(each for each in found if each is not None)
    if not terms:
        raise BadSearch(
            f"Modifier ':{modifier}' asks for codes, but parameter '{parameter.code}' of {parameter.type} is none."
        )
    return Or(terms)


def check_number(parameter: Parameter, modifier: str, values: Sequence[str]) -> None:
    """Raise TooCostly for a parameter that names too many sets of codes."""
    if len(values) > MOST and parameter.kind == "token" and modifier in MODIFIERS | {"not-in"}:
        raise TooCostly(
            f"'{parameter.code}:{modifier}' names {len(values)} sets of codes; at most {MOST} are looked up. Store a "
            "ValueSet that includes them."
        )


def _branch_term(
    type: str, branch: Branch, modifier: str, of: str, forms: dict[str, str], plain_form: str
) -> Term | None:
    kinds = {leaf.type for leaf in branch.leaves}
    if branch.truth:
        return None
    if kinds & {"CodeableConcept", "Coding"}:
        return Coded(type, branch.text, forms["Coding"], modifier, of)
    if kinds == {"code"}:
        return Coded(type, branch.text, plain_form, modifier, of, branch.leaves[0].binding)
    return None


def asks_for_codes(term: Term) -> bool:
    """Whether a part of ``term`` names a set of codes or a hierarchy, which no document at hand can be asked about."""
    match term:
        case Coded() | Within():
            return True
        case And() | Or():
            return any(asks_for_codes(part) for part in term.terms)
        case Not() | Refers() | Referred():
            return asks_for_codes(term.term)
    return False
