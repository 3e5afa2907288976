"""String parameters: text that starts with, is exactly or contains what is asked.

FHIR R4 Search, string (https://hl7.org/fhir/R4/search.html#string). A name or an address is searched part by part; the
parts are branches of their own, which ``family`` and ``address-city`` share.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from resources.definitions import type_def
from resources.search_param import grams
from resources.search_param.escapes import plain
from resources.search_param.expression import Branch, Leaf, Step
from resources.search_param.normal_form import AS_WRITTEN, OVERLAP, exactly, normal, stored
from resources.search_param.parameter import Kind, Parameter
from resources.search_param.sink import Factory, Indexer, Sink
from resources.search_param.terms import Key, Or, Str, StringEntry, Term

FORM = "str"
TAIL = "str tail"
"""Form of the further pieces of a long text; only ``:contains`` reads them."""

PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "HumanName": ("family", "given", "prefix", "suffix", "text"),
        "Address": ("line", "city", "district", "state", "postalCode", "country", "text"),
    }
)


def _string(type: str, branch: str) -> Indexer:
    key, tail_key = Key(type, branch, FORM, ""), Key(type, branch, TAIL, "")

    def index(value: str, out: Sink) -> None:
        norms = stored(value)
        out.strings += [StringEntry(tail_key if n else key, norm) for n, norm in enumerate(norms)]

    return index


LEAVES: Mapping[str, Factory] = MappingProxyType({"string": _string, "markdown": _string, "code": _string})


def part_values(kind: str, value: Mapping[str, Any]) -> Iterator[str]:
    """The texts of a HumanName or an Address."""
    for name in PARTS[kind]:
        found = value.get(name, ())
        yield from (found,) if isinstance(found, str) else (text for text in found if text is not None)


def parts(branch: Branch) -> Iterator[Branch]:
    """The branch, or those of its parts where it leads to a HumanName or an Address."""
    compound = [leaf for leaf in branch.leaves if leaf.type in PARTS]
    if not compound:
        yield branch
    for leaf in compound:
        for name in PARTS[leaf.type]:
            element = type_def(leaf.type).elements[name]
            step = Step(name, element.max is None)
            yield Branch(f"{branch.text}.{name}", (Leaf((*leaf.steps, step), element.type),))


def term(parameter: Parameter, modifier: str, value: str) -> Term:
    """Resources with a string that starts with ``value``; ``exact``: is it; ``contains``: has it anywhere."""
    text = plain(value)
    norm = normal(text)
    if AS_WRITTEN in text or not norm:
        parameter.refuse(value, "text")
    keys = [Key(parameter.type, branch.text, FORM, "") for branch in parameter.branches]
    if modifier == "exact":
        return Or(tuple(Str(key, exactly(text), "exact") for key in keys))
    if modifier != "contains":
        return Or(tuple(Str(key, norm, "prefix") for key in keys))
    if len(norm) > OVERLAP:
        parameter.refuse(text, f"at most {OVERLAP} characters for :contains")
    pieces = (key._replace(form=form) for key in keys for form in (FORM, TAIL))
    return grams.narrowed(parameter.type, norm, tuple(Str(key, norm, "contains") for key in pieces))


KIND = Kind(LEAVES, frozenset({"exact", "contains"}), term)
