"""Functions that evaluate their argument for each item, or perhaps not at all.

FHIRPath N1, filtering and projection, aggregate, iif, trace (http://hl7.org/fhirpath/N1/#filtering-and-projection).
"""

from collections.abc import Callable, Iterator
from functools import cmp_to_key
from typing import Any, NamedTuple

from resources.fhirpath.environment import Environment, Items, Run
from resources.fhirpath.equality import distinct, key
from resources.fhirpath.errors import PathExecutionError
from resources.fhirpath.operators import order
from resources.fhirpath.singletons import one, truth


class Lambda(NamedTuple):
    """``build(input, *arguments)`` compiles; ``least`` to ``most`` arguments are allowed."""

    build: Callable[..., Run]
    least: int
    most: int


def _each(env: Environment, items: Items) -> Iterator[Any]:
    """The items one after the other, each being ``$this`` (and its number ``$index``) while it is out."""
    this, index = env.this, env.index
    try:
        for number, item in enumerate(items):
            env.spend(1)
            env.this, env.index = [item], number
            yield item
    finally:
        env.this, env.index = this, index


def _where(source: Run, criterion: Run) -> Run:
    def run(env: Environment) -> Items:
        return [item for item in _each(env, source(env)) if truth(criterion(env))]

    return run


def _select(source: Run, projection: Run) -> Run:
    def run(env: Environment) -> Items:
        found: Items = []
        for _ in _each(env, source(env)):
            found += projection(env)
        env.spend(len(found))
        return found

    return run


def _exists(source: Run, criterion: Run | None = None) -> Run:
    if criterion is None:
        return lambda env: [bool(source(env))]

    def run(env: Environment) -> Items:
        items = source(env)
        verdicts = [truth(criterion(env)) for _ in _each(env, items)]
        return [any(verdicts)]

    return run


def _all(source: Run, criterion: Run) -> Run:
    def run(env: Environment) -> Items:
        items = source(env)
        verdicts = [truth(criterion(env)) for _ in _each(env, items)]
        return [all(verdicts)]

    return run


def _repeat(source: Run, projection: Run) -> Run:
    def run(env: Environment) -> Items:
        found: dict[Any, Any] = {}
        level = source(env)
        while level:
            fresh: Items = []
            for _ in _each(env, level):
                fresh += projection(env)
            level = [item for item in distinct(fresh) if key(item) not in found]
            found.update((key(item), item) for item in level)
        return list(found.values())

    return run


def _aggregate(source: Run, step: Run, start: Run | None = None) -> Run:
    def run(env: Environment) -> Items:
        outer = env.total
        total = start(env) if start is not None else []
        try:
            for _ in _each(env, source(env)):
                env.total = total
                total = step(env)
        finally:
            env.total = outer
        return total

    return run


def _iif(source: Run, criterion: Run, then: Run, otherwise: Run | None = None) -> Run:
    def choose(env: Environment) -> Items:
        if _decision(criterion(env)):
            return then(env)
        return otherwise(env) if otherwise is not None else []

    def run(env: Environment) -> Items:
        items = source(env)
        if len(items) > 1:
            raise PathExecutionError(f"iif() needs one item, there are {len(items)}")
        this = env.this
        env.this = items
        try:
            return choose(env)
        finally:
            env.this = this

    return run


def _decision(items: Items) -> bool:
    value = one(items)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise PathExecutionError("the criterion of iif() is no Boolean")


def _trace(source: Run, name: Run, projection: Run | None = None) -> Run:
    """trace() shows nothing: what it would print is somebody's chart."""
    return source


LAMBDAS = {
    "where": Lambda(_where, 1, 1),
    "select": Lambda(_select, 1, 1),
    "exists": Lambda(_exists, 0, 1),
    "all": Lambda(_all, 1, 1),
    "repeat": Lambda(_repeat, 1, 1),
    "aggregate": Lambda(_aggregate, 1, 2),
    "iif": Lambda(_iif, 2, 3),
    "trace": Lambda(_trace, 1, 2),
}


class SortKey(NamedTuple):
    """One argument of sort(); ``descending`` when it was written with a minus."""

    value: Run
    descending: bool


def sort(source: Run, keys: tuple[SortKey, ...]) -> Run:
    """``sort(keys)``: empty values first; without keys by the items themselves."""
    used = keys or (SortKey(lambda env: env.this, False),)

    def run(env: Environment) -> Items:
        rows = [([one(by.value(env)) for by in used], item) for item in _each(env, source(env))]
        return [item for _, item in sorted(rows, key=cmp_to_key(compare_rows))]

    def compare_rows(left: tuple[Items, Any], right: tuple[Items, Any]) -> int:
        return _compare(left[0], right[0], used)

    return run


def _compare(left: Items, right: Items, keys: tuple[SortKey, ...]) -> int:
    for first, second, by in zip(left, right, keys, strict=True):
        if first is None or second is None:
            found = (first is not None) - (second is not None)
        else:
            found = order(first, second) or 0
        if found:
            return -found if by.descending else found
    return 0
