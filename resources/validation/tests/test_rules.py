"""Every invariant of severity error has its rule, and the rules say what the published FHIRPath says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources import fhirpath, json_codec
from resources.definitions import Invariant, type_def, type_names
from resources.validation.rules import ELSEWHERE, EXCEPTIONS, RULES, rule_of
from resources.validation.scope import Scope
from resources.validation.tests.planted import PLANTED, VALID

EXAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/fhir/r4_examples"

KNOWN_DIFFERENCES = {
    "que-7": "the published 'answer is Boolean' asks for a System type where answers are FHIR booleans",
    "que-12": "the published 'count() > 2' contradicts its own words, 'more than one'",
    "drt-1": "a missing system makes the published expression empty, not false",
    "ctm-1": "the published rule resolves the member; here its literal reference is read",
}


def _invariants() -> Iterator[Invariant]:
    for name in type_names():
        yield from type_def(name).invariants
        for element in type_def(name).elements.values():
            yield from element.invariants


def test_every_error_invariant_is_accounted_for() -> None:
    keys = {row.key for row in _invariants() if row.severity == "error"}
    ruled = {key.partition("@")[0] for key in RULES}
    print(f"{len(keys)} keys: {len(ruled)} rules, {len(ELSEWHERE)} checked elsewhere, {len(EXCEPTIONS)} exceptions")
    assert keys == ruled | set(ELSEWHERE) | set(EXCEPTIONS)
    assert not ruled & (set(ELSEWHERE) | set(EXCEPTIONS))
    assert all(rule_of(row) is not None for row in _invariants() if row.severity == "error" and row.key in ruled)


def _nodes(node: Any, type_name: str, scope: Scope) -> Iterator[tuple[Any, str, Scope, tuple[Invariant, ...]]]:
    """Every complex element with its type and the invariants asked of it."""
    if not isinstance(node, dict):
        return
    if type_name == "Resource":
        type_name = node.get("resourceType", "Basic")
        scope = Scope(node, scope if node in scope.root.get("contained", ()) else None)
    definition = type_def(type_name)
    yield node, type_name, scope, definition.invariants
    for name, value in node.items():
        element = definition.elements.get(name)
        if element is not None and type_def(element.type).kind != "primitive":
            for item in value if isinstance(value, list) else [value]:
                yield from _nodes(item, element.type, scope)


def _differences(resource: dict[str, Any]) -> set[str]:
    found = set()
    for node, type_name, scope, invariants in _nodes(resource, "Resource", Scope(resource)):
        for row in invariants:
            rule = rule_of(row) if row.severity == "error" else None
            if rule is None or row.key in KNOWN_DIFFERENCES:
                continue
            published = fhirpath.compile(row.expression, type_name)
            if rule.holds(node, scope) != published.holds(node, resource=scope.resource, root=scope.root):
                found.add(f"{row.key} on {type_name}")
    return found


@pytest.mark.parametrize("name", VALID)
def test_rules_agree_with_the_published_expressions(name: str) -> None:
    assert _differences(VALID[name]) == set()


def test_rules_agree_where_they_are_broken() -> None:
    rows = [row for row in PLANTED if row.category in ("invariant", "extension", "parameters")]
    assert {row.expression: _differences(row.resource()) for row in rows if _differences(row.resource())} == {}


@pytest.mark.samples
@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="no sample data")
def test_rules_agree_on_the_official_examples() -> None:
    found: dict[str, set[str]] = {}
    for path in sorted(EXAMPLES.glob("*.json")):
        different = _differences(json_codec.decode(path.read_bytes()))
        found |= {path.name: different} if different else {}
    assert found == {}
