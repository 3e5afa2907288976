"""Functions on collections as a whole: existence, subsetting, combining.

FHIRPath N1, existence, subsetting, combining (http://hl7.org/fhirpath/N1/#existence, #subsetting, #combining).
"""

from collections.abc import Callable
from itertools import islice
from typing import Any

from resources.fhirpath.environment import Environment, Items
from resources.fhirpath.equality import distinct, key
from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.functions.row import Function
from resources.fhirpath.node import Node, children, system_value
from resources.fhirpath.operators import union
from resources.fhirpath.singletons import describe, integer, truth


def _empty(env: Environment, items: Items) -> Items:
    return [not items]


def _not(env: Environment, items: Items) -> Items:
    value = truth(items)
    return [] if value is None else [not value]


def _count(env: Environment, items: Items) -> Items:
    return [len(items)]


def _booleans(combine: Callable[..., bool], wanted: bool) -> Callable[[Environment, Items], Items]:
    def call(env: Environment, items: Items) -> Items:
        return [combine(_boolean(item) is wanted for item in items)]

    return call


def _boolean(item: Any) -> bool:
    value = system_value(item)
    if isinstance(value, bool):
        return value
    raise PathExecutionError(f"a Boolean is needed, there is {describe(value)}")


def _subset_of(env: Environment, items: Items, other: Items) -> Items:
    return [set(map(key, items)) <= set(map(key, other))]


def _superset_of(env: Environment, items: Items, other: Items) -> Items:
    return [set(map(key, items)) >= set(map(key, other))]


def _distinct(env: Environment, items: Items) -> Items:
    return distinct(items)


def _is_distinct(env: Environment, items: Items) -> Items:
    return [len(distinct(items)) == len(items)]


def _first(env: Environment, items: Items) -> Items:
    return items[:1]


def _last(env: Environment, items: Items) -> Items:
    return items[-1:]


def _tail(env: Environment, items: Items) -> Items:
    return items[1:]


def _skip(env: Environment, items: Items, number: Items) -> Items:
    return items[max(0, integer(number) or 0) :]


def _take(env: Environment, items: Items, number: Items) -> Items:
    return items[: max(0, integer(number) or 0)]


def _single(env: Environment, items: Items) -> Items:
    if len(items) > 1:
        raise PathExecutionError(f"single() finds {len(items)} items")
    return items


def _intersect(env: Environment, items: Items, other: Items) -> Items:
    wanted = set(map(key, other))
    return [item for item in distinct(items) if key(item) in wanted]


def _exclude(env: Environment, items: Items, other: Items) -> Items:
    unwanted = set(map(key, other))
    return [item for item in items if key(item) not in unwanted]


def _union(env: Environment, items: Items, other: Items) -> Items:
    return union(items, other)


def _combine(env: Environment, items: Items, other: Items) -> Items:
    env.spend(len(items) + len(other))
    return items + other


def _children(env: Environment, items: Items) -> Items:
    found = [child for item in items if type(item) is Node for child in children(item)]
    env.spend(len(found))
    return found


def _descendants(env: Environment, items: Items) -> Items:
    found: Items = []
    level = items
    while level:
        level = _children(env, level)
        found += level
    return found


def at(items: Items, index: int) -> Items:
    """``items[index]``, empty beyond the ends."""
    return list(islice(items, index, index + 1)) if index >= 0 else []


FUNCTIONS = {
    "empty": Function(_empty),
    "not": Function(_not),
    "count": Function(_count),
    "allTrue": Function(_booleans(all, True)),
    "anyTrue": Function(_booleans(any, True)),
    "allFalse": Function(_booleans(all, False)),
    "anyFalse": Function(_booleans(any, False)),
    "subsetOf": Function(_subset_of, 1, 1),
    "supersetOf": Function(_superset_of, 1, 1),
    "distinct": Function(_distinct),
    "isDistinct": Function(_is_distinct),
    "first": Function(_first),
    "last": Function(_last),
    "tail": Function(_tail),
    "skip": Function(_skip, 1, 1),
    "take": Function(_take, 1, 1),
    "single": Function(_single),
    "intersect": Function(_intersect, 1, 1),
    "exclude": Function(_exclude, 1, 1),
    "union": Function(_union, 1, 1),
    "combine": Function(_combine, 1, 1),
    "children": Function(_children),
    "descendants": Function(_descendants),
}
