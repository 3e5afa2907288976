"""W3, search by 24 parameters: an iteration asks one search of each, with a value, modifier or prefix of chance.

After ``k6/search.js`` of Health Samurai's comparison (30 virtual users for a server of 8 processors; ``_count=20``).
"""

import random
from collections.abc import Iterator
from itertools import groupby

from bench.published.checks import Pages
from bench.published.load import Ask, Iteration, Workload
from bench.published.record import Sample, address
from bench.search_shapes import Shape, w3

Parameters = dict[str, list[Shape]]


def _parameters(sample: Sample) -> Parameters:
    """All searches of each parameter."""
    found: Parameters = {}
    for known in sample.known:
        for name, shapes in groupby(w3(known), lambda shape: shape.name):
            found.setdefault(name, []).extend(shapes)
    return found


def _all(parameters: Parameters, pages: Pages, chance: random.Random) -> Iteration:
    for shapes in parameters.values():
        shape = chance.choice(shapes)
        yield Ask(shape.family.removeprefix("W3 "), "GET", address(shape.query), pages.of(shape.query))


def _client(sample: Sample, number: int) -> Iterator[Iteration]:
    parameters, pages, chance = _parameters(sample), Pages(), random.Random(f"W3 {number}")
    while True:
        yield _all(parameters, pages, chance)


WORKLOAD = Workload("W3", "search by 24 parameters", 4, 400, _client)
