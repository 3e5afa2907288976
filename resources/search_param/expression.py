"""The expressions of search parameters as paths of JSON properties.

FHIR R4 SearchParameter.expression (https://hl7.org/fhir/R4/searchparameter.html): the branches of all unions have
twelve shapes (paths, casts, ``where``, ``extension``, ``[0]``, ...), which are resolved here against the definitions.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from resources.definitions import ElementDef, type_def

_CAST = re.compile(r"\((\S+) as (\w+)\)")
_PART = re.compile(
    r"\.?(?:(?P<call>as|ofType|where|extension)"
    r"\((?P<argument>resolve\(\) is \w+|hasExtension\('[^']+'\)|[^()]*)\)|\[(?P<place>\d+)\]|(?P<name>\w+))"
)
_EQUALS = re.compile(r"(\w+)='([^']*)'")
_DECEASED = "exists() and"
_TOLD_APART = ("uri", "canonical")
"""Types whose casts are branches of their own: ConceptMap has a parameter for each of them."""


class Step(NamedTuple):
    """One JSON property; ``test`` is () or what an item must have: ('equals', property, value), ('extension', url),
    ('first',)."""

    name: str
    many: bool
    test: tuple[str, ...] = ()


class Leaf(NamedTuple):
    """A way to values: the steps from the resource, the FHIR type found there, the value set of a required binding."""

    steps: tuple[Step, ...]
    type: str
    binding: str = ""


class Branch(NamedTuple):
    """One branch of a parameter's expression.

    ``text`` names it in index keys (the path without casts); ``target`` is the type that ``resolve() is`` asks for,
    ``system`` the kind of ContactPoint that ``where(system=...)`` asks for, '' without; ``required`` True when every
    element on the way is mandatory; ``truth`` True when only presence is asked (Patient.deceased). ``expression`` is
    the FHIRPath of a stored parameter, which is evaluated; its leaves, without steps, are the types it may lead to.
    """

    text: str
    leaves: tuple[Leaf, ...]
    target: str = ""
    system: str = ""
    required: bool = False
    truth: bool = False
    expression: str = ""


class _Found(NamedTuple):
    steps: tuple[Step, ...]
    type: str
    required: bool
    binding: str = ""


def branches(expression: str, type: str, wanted: frozenset[str]) -> tuple[Branch, ...]:
    """The branches of ``expression`` that start at ``type``; ``wanted`` are the FHIR types an extension may hold.

    Casts of one path to several types become one branch.
    """
    merged: dict[tuple[str, str, str], Branch] = {}
    for text in expression.split("|"):
        branch = _branch(text.strip(), type, wanted)
        if branch:
            key = (branch.text, branch.target, branch.system)
            old = merged.get(key)
            merged[key] = branch._replace(leaves=old.leaves + branch.leaves) if old else branch
    return tuple(merged.values())


def _branch(text: str, type: str, wanted: frozenset[str]) -> Branch | None:
    truth = _DECEASED in text
    text = _CAST.sub(r"\1.as(\2)", text.split(f".{_DECEASED}")[0]).strip("() " if text.count("(") == 0 else " ")
    root, _, rest = text.partition(".")
    if root[:1].islower():  # InsurancePlan-name is published without its root
        root, rest = type, text
    if root not in (type, "Resource", "DomainResource"):
        return None
    walk = _Walk(type, wanted)
    for part in _PART.finditer(rest):
        walk.take(part)
    return walk.branch()._replace(truth=truth)


class _Walk:
    """Follows the parts of one branch from the resource to its values."""

    def __init__(self, type: str, wanted: frozenset[str]) -> None:
        self.found = [_Found((), type, True)]
        self.names = [type]
        self.wanted = wanted
        self.target = ""
        self.system = ""

    def take(self, part: re.Match[str]) -> None:
        if part["name"]:
            self._name(part["name"])
        elif part["place"]:
            self._test(("first",), "[0]")
        else:
            getattr(self, f"_{part['call'].lower()}")(part["argument"])

    def branch(self) -> Branch:
        leaves = tuple(Leaf(found.steps, found.type, found.binding) for found in self.found)
        required = len(self.found) == 1 and self.found[0].required
        return Branch(".".join(self.names), leaves, self.target, self.system, required)

    def _name(self, name: str) -> None:
        if name == "value" and self.found[0].type == "Extension":
            self.found = [f for f in self._next(name) if f.type in self.wanted]
            return
        self.found = list(self._next(name))
        self.names.append(name)

    def _next(self, name: str) -> Iterator[_Found]:
        for found in self.found:
            for element in type_def(found.type).elements.values():
                if name in (element.name, element.choice):
                    steps = (*found.steps, _step(element))
                    yield _Found(steps, element.type, found.required and element.min > 0, element.binding)

    def _as(self, type: str) -> None:
        type = {"DateTime": "dateTime"}.get(type, type)
        self.found = [f for f in self.found if f.type == type]
        if type in _TOLD_APART:
            self.names[-1] += f" as {type}"

    _oftype = _as

    def _where(self, argument: str) -> None:
        if argument.startswith("resolve() is "):
            self.target = argument.removeprefix("resolve() is ")
        elif argument.startswith("hasExtension"):
            self._test(("extension", argument.split("'")[1]), "[extension]")
        elif fits := _EQUALS.fullmatch(argument):
            self._equals(fits[1], fits[2])
        else:
            raise ValueError(f"where({argument}) is no shape of R4's search parameters")

    def _equals(self, name: str, value: str) -> None:
        if self.found[0].type == "ContactPoint":
            self.system = value
        else:
            self._test(("equals", name, value), f"[{name}={value}]")

    def _extension(self, argument: str) -> None:
        url = argument.strip("'")
        self._name("extension")
        self._test(("equals", "url", url), f"({url})")
        self._name("value")

    def _test(self, test: tuple[str, ...], text: str) -> None:
        self.found = [
            f._replace(steps=(*f.steps[:-1], f.steps[-1]._replace(test=test)), required=False) for f in self.found
        ]
        self.names[-1] += text


def _step(element: ElementDef) -> Step:
    return Step(element.name, element.max is None or element.max > 1)
