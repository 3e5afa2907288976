"""The operators of ``_filter``, by the type of parameter they are asked of, as terms.

FHIR R4 _filter, comparison operations (https://hl7.org/fhir/R4/search_filter.html#ops). An operator looks at the set of
a resource's values: ``ne`` finds those with some value that differs, not those without the value. What the index cannot
tell is refused.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from resources.errors import BadSearch
from resources.search_param import date, string, token
from resources.search_param.bounds import Bounds
from resources.search_param.compile import compile_param, find, simplified, writable
from resources.search_param.escapes import plain, split
from resources.search_param.expression import Branch
from resources.search_param.normal_form import AS_WRITTEN, OVERLAP, normal
from resources.search_param.parameter import Parameter
from resources.search_param.parameters import composites
from resources.search_param.special import SPECIAL
from resources.search_param.terms import All, And, Family, Key, Not, Or, Post, Str, Term

_ORDERED = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
SYSTEMS: Mapping[str, str] = MappingProxyType(
    {
        "loinc": "http://loinc.org",
        "snomed": "http://snomed.info/sct",
        "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
        "ucum": "http://unitsofmeasure.org",
    }
)
"""Code systems with a short name in filters."""
_AFTER = chr(ord(AS_WRITTEN) + 1)
"""Behind every string that is the same but for its spelling."""

Operation = Callable[[Parameter, str], Term]


class Unsupported(BadSearch):
    """The parameter does not take the operator."""


def compare(type: str, name: str, op: str, value: str) -> Term:
    """The term of ``name op value`` for resources of ``type``. Raises BadSearch, Unsupported."""
    if not writable(value):
        raise BadSearch(f"'{name}' of {type} has a value with characters that no text of FHIR can hold")
    if name in composites(type):
        if op != "eq":
            raise Unsupported(f"the composite '{name}' of {type} takes eq, not {op}")
        return compile_param(type, name, "", _one(value))
    parameter = find(type, name)
    operations = _SPECIAL.get(name) if name in SPECIAL else _OPERATIONS.get(parameter.kind)
    if operations is None:
        raise Unsupported(f"'{name}' is asked as a search parameter of its own, beside _filter")
    if op == "pr":
        return _present(parameter, value)
    if op not in operations:
        known = ", ".join((*operations, "pr"))
        raise Unsupported(f"'{name}' of {type}, a {parameter.kind} parameter, takes {known}, not {op}")
    return simplified(operations[op](parameter, value))


def _one(value: str) -> str:
    """The value with its commas escaped: a filter has one value."""
    return "\\,".join(split(value, ","))


def _escaped(value: str) -> str:
    for character in "\\,|$":
        value = value.replace(character, f"\\{character}")
    return value


def _present(parameter: Parameter, value: str) -> Term:
    if value not in ("true", "false"):
        parameter.refuse(value, "true or false after pr")
    if parameter.code in SPECIAL:
        return All(parameter.type) if value == "true" else Or(())
    return compile_param(parameter.type, parameter.code, "missing", "false" if value == "true" else "true")


def _plain(modifier: str = "", read: Callable[[str], str] = _one) -> Operation:
    """What the search parameter itself finds with a modifier."""
    return lambda parameter, value: compile_param(parameter.type, parameter.code, modifier, read(value))


def _prefixed(op: str) -> Operation:
    """What the search parameter itself finds with the operator as a prefix."""

    def operation(parameter: Parameter, value: str) -> Term:
        if not value[:1].isdigit() and value[:1] not in ("+", "-", "."):
            parameter.refuse(value, f"a value that {op} can compare, which begins with a digit or a sign")
        return compile_param(parameter.type, parameter.code, "", op + _systems(value))

    return operation


def _systems(value: str) -> str:
    """``loinc|1234-5`` with the code system in full; also in the second place, where a quantity has it."""
    return _one("|".join(SYSTEMS.get(part, part) for part in split(value, "|"))) if "|" in value else _one(value)


# --- strings ------------------------------------------------------------------------------------------------------


def _strings(*made: tuple[str, str, str]) -> Operation:
    """Strings whose stored form stands to the text, with something before and behind it, as each of ``made`` says:
    (form, how, what comes behind)."""

    def operation(parameter: Parameter, value: str) -> Term:
        text = normal(value)
        if not text or AS_WRITTEN in value or len(text) > OVERLAP:
            parameter.refuse(value, f"text of 1 to {OVERLAP} characters")
        return Or(
            tuple(
                Str(Key(parameter.type, branch.text, form, ""), text + end, how)
                for branch in parameter.branches
                for form, how, end in made
            )
        )

    return operation


def _ending(parameter: Parameter, value: str) -> Term:
    """What contains the text, and ends so."""
    ends = _strings((string.FORM, "ends", AS_WRITTEN), (string.TAIL, "tail", ""))(parameter, value)
    return And((_STRING["co"](parameter, value), ends))


_STRING: Mapping[str, Operation] = MappingProxyType(
    {
        "eq": _strings((string.FORM, "prefix", AS_WRITTEN)),
        "ne": _strings((string.FORM, "below", AS_WRITTEN), (string.FORM, "from", _AFTER)),
        "co": _plain("contains", _escaped),
        "sw": _plain("", _escaped),
        "ew": _ending,
        "gt": _strings((string.FORM, "from", _AFTER)),
        "lt": _strings((string.FORM, "below", AS_WRITTEN)),
        "ge": _strings((string.FORM, "from", AS_WRITTEN)),
        "le": _strings((string.FORM, "below", _AFTER)),
    }
)

# --- dates --------------------------------------------------------------------------------------------------------


def _within(bounds: Callable[[int, int], Bounds]) -> Operation:
    """Dates whose period stands to that of the value as ``bounds`` says."""

    def operation(parameter: Parameter, value: str) -> Term:
        return date.meeting(parameter, (bounds(*date.asked(parameter, value)),))

    return operation


_DATE: Mapping[str, Operation] = MappingProxyType(
    {
        **{op: _prefixed(op) for op in _ORDERED},
        "co": _within(lambda lo, hi: Bounds(lo_to=lo + 1, hi_from=hi)),
        "po": _within(lambda lo, hi: Bounds(lo_to=hi, hi_from=lo + 1)),
    }
)

# --- tokens -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unlike:
    """A Family wants every code but those that ``system`` (None: any) and ``code`` ('': any) name."""

    system: str | None
    code: str

    def terms(self, family: Family, row: tuple[str, str, str]) -> Iterable[Term]:
        system, code, _ = row
        names = {self.code, token.folded(system, self.code)} if self.code else {code}
        if self.system in (None, system) and code in names:
            return []
        return [Post(Key(family.type, family.branch, family.form, f"{system}|{code}"))]


def _token_ne(parameter: Parameter, value: str) -> Term:
    if parameter.code == "_id":
        return Not(parameter.type, compile_param(parameter.type, "_id", "", value))
    compile_param(parameter.type, parameter.code, "", value)  # which tells what is wrong with the value
    parts = [plain(part) for part in split(value, "|", 1)]
    system, code = (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])
    return Or(tuple(_other(parameter, branch, system, code) for branch in parameter.branches))


def _other(parameter: Parameter, branch: Branch, system: str | None, code: str) -> Term:
    """Resources with another code under ``branch``, where all that are in use can be listed."""
    type, text = parameter.type, branch.text
    kinds = {leaf.type for leaf in branch.leaves}
    known = token.systems(branch)
    if branch.truth or kinds == {"boolean"}:
        return compile_param(type, parameter.code, "", "false" if code == "true" else "true")
    if kinds <= {"CodeableConcept", "Coding"}:
        return Family(type, text, token.CODED, Unlike(system, code))
    if kinds == {"code"} and known:
        words = {w for of, some in known.items() for w in some if system not in (None, of) or code not in ("", w)}
        return Or(tuple(Post(token.plain_key(type, text, word)) for word in sorted(words)))
    raise Unsupported(
        f"the values of '{parameter.code}' of {type} cannot be listed; not({parameter.code} eq {code}) finds the "
        "resources without this one"
    )


_TOKEN: Mapping[str, Operation] = MappingProxyType(
    {
        "eq": _plain("", _systems),
        "ne": lambda parameter, value: _token_ne(parameter, _systems(value)),
        "in": _plain("in"),
        "ni": _plain("not-in"),
        "ss": _plain("below", _systems),
        "sb": _plain("above", _systems),
    }
)

# --- which operator which type takes ------------------------------------------------------------------------------

_NUMBER: Mapping[str, Operation] = MappingProxyType({op: _prefixed(op) for op in _ORDERED})
_OPERATIONS: Mapping[str, Mapping[str, Operation]] = MappingProxyType(
    {
        "string": _STRING, "number": _NUMBER, "date": _DATE, "token": _TOKEN, "quantity": _NUMBER,
        "reference": MappingProxyType({"re": _plain(), "eq": _plain()}),
        "uri": MappingProxyType({"eq": _plain()}),
        "special": MappingProxyType({"eq": _plain()}),
    }
)  # fmt: skip
_SPECIAL: Mapping[str, Mapping[str, Operation]] = MappingProxyType(
    {
        "_id": MappingProxyType({op: _TOKEN[op] for op in ("eq", "ne")}),
        "_lastUpdated": MappingProxyType({**_NUMBER, "po": _prefixed("eq")}),
    }
)
"""Parameters that the resource row answers."""
