"""$translate: a code through concept maps, forward and back.

FHIR R4 ConceptMap/$translate (https://hl7.org/fhir/R4/conceptmap-operation-translate.html).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from resources.errors import BusinessRule
from resources.terminology.parameters import parameter, parameters, parts
from resources.terminology.source import Json, Source
from resources.terminology.validate_code import Coded

NO_MATCH = frozenset({"unmatched", "disjoint"})
INVERSE: Mapping[str, str] = MappingProxyType(
    {"wider": "narrower", "narrower": "wider", "subsumes": "specializes", "specializes": "subsumes"}
)
"""What an equivalence is called from the other side; all others are called the same."""
MOST_MATCHES = 1_000
DEPTH = 10
"""Maps that send what they do not map to other maps."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """``target_system`` '' for any; ``dependencies`` are (element, code) pairs that hold for what is translated."""

    target_system: str = ""
    source: str = ""
    target: str = ""
    reverse: bool = False
    dependencies: frozenset[tuple[str, str]] = frozenset()


class Match(NamedTuple):
    equivalence: str
    coding: Json
    products: Sequence[Json]
    map: str


def translate(source: Source, maps: Iterable[Json], asked: Sequence[Coded], wanted: Wanted) -> Json:
    """The answer of $translate for the codings of one concept. Raises BusinessRule (maps that go in a circle)."""
    found: list[Match] = []
    for concept_map in maps:
        if _is_between(concept_map, wanted):
            for coded in asked:
                found += _matches(source, concept_map, coded, wanted, ())
    found = found[:MOST_MATCHES]
    good = any(match.equivalence not in NO_MATCH for match in found)
    names = ", ".join(map(str, asked))[:600]
    return parameters(
        parameter("result", "Boolean", good),
        None if good else parameter("message", "String", f"No translation of {names} is known here."),
        *map(_as_parameter, found),
    )


def _as_parameter(match: Match) -> Json:
    products = [
        parts(
            "product", [parameter("element", "Uri", p.get("property", "")), parameter("concept", "Coding", _coded(p))]
        )
        for p in match.products
    ]
    given = [
        parameter("equivalence", "Code", match.equivalence),
        *([parameter("concept", "Coding", match.coding)] if match.coding else []),
        *products,
        *([parameter("source", "Uri", match.map)] if match.map else []),
    ]
    return parts("match", given)


def _coded(product: Json) -> Json:
    found = {"system": product.get("system"), "code": product.get("value"), "display": product.get("display")}
    return {name: value for name, value in found.items() if value}


def _is_between(concept_map: Json, wanted: Wanted) -> bool:
    ends = [("source", wanted.source), ("target", wanted.target)]
    if wanted.reverse:
        ends = [("target", wanted.source), ("source", wanted.target)]
    return all(not value or _same(concept_map, end, value) for end, value in ends)


def _same(concept_map: Json, end: str, value: str) -> bool:
    held = concept_map.get(f"{end}Uri") or concept_map.get(f"{end}Canonical") or ""
    return value in (held, str(held).partition("|")[0])


def _matches(
    source: Source, concept_map: Json, coded: Coded, wanted: Wanted, passed: tuple[str, ...]
) -> Iterator[Match]:
    url = str(concept_map.get("url", ""))
    ends = ("target", "source") if wanted.reverse else ("source", "target")
    for group in concept_map.get("group", ()):
        from_system, to_system = (str(group.get(end, "")) for end in ends)
        if from_system not in ("", coded.system) or wanted.target_system not in ("", to_system):
            continue
        if wanted.reverse:
            yield from _backward(group, coded, to_system, wanted, url)
            continue
        mapped = [element for element in group.get("element", ()) if element.get("code") == coded.code]
        for element in mapped:
            yield from _forward(element, to_system, wanted, url)
        if not mapped and "unmapped" in group:
            yield from _unmapped(source, group["unmapped"], coded, to_system, wanted, (*passed, url))


def _forward(element: Json, system: str, wanted: Wanted, url: str) -> Iterator[Match]:
    for target in element.get("target", ()):
        if _holds(target, wanted):
            coding = _coding(system, target.get("code"), target.get("display"))
            yield Match(str(target.get("equivalence", "equivalent")), coding, target.get("product", ()), url)


def _backward(group: Json, coded: Coded, system: str, wanted: Wanted, url: str) -> Iterator[Match]:
    for element in group.get("element", ()):
        for target in element.get("target", ()):
            if target.get("code") == coded.code and _holds(target, wanted):
                said = str(target.get("equivalence", "equivalent"))
                yield Match(
                    INVERSE.get(said, said), _coding(system, element.get("code"), element.get("display")), (), url
                )


def _holds(target: Json, wanted: Wanted) -> bool:
    """What the map demands beside the code is given."""
    return all(
        (str(d.get("property")), str(d.get("value"))) in wanted.dependencies for d in target.get("dependsOn", ())
    )


def _unmapped(
    source: Source, rule: Json, coded: Coded, system: str, wanted: Wanted, passed: tuple[str, ...]
) -> Iterator[Match]:
    match rule.get("mode"):
        case "provided":
            yield Match("equal", _coding(system or coded.system, coded.code, coded.display), (), passed[-1])
        case "fixed":
            yield Match("inexact", _coding(system, rule.get("code"), rule.get("display")), (), passed[-1])
        case "other-map":
            name = str(rule.get("url", ""))
            if name in passed or len(passed) > DEPTH:
                raise BusinessRule(f"The concept map sends what it does not map in a circle: {name[:300]}.")
            for other in source.concept_maps(name) if name else ():
                yield from _matches(source, other, coded, wanted, passed)


def _coding(system: str, code: Any, display: Any) -> Json:
    return {k: v for k, v in (("system", system), ("code", code), ("display", display)) if v} if code else {}
