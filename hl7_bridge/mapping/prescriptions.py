"""One pharmacy order flattened: what was ordered, encoded, dispensed, planned and given, each with what belongs to it.

HL7 v2.5.1 sections 4.13.2 to 4.13.12 (OMP, RDE, RDS, RGV, RAS): which TQ1, RXR, RXC, NTE and OBX follow what.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hl7_bridge.er7 import Segment
from hl7_bridge.mapping.orders import Order, Result

BEGINNINGS: Final = frozenset({"RXO", "RXE", "RXD", "RXG", "RXA"})
"""Segments that begin a part of a pharmacy order."""


@dataclass(slots=True)
class Part:
    """One RXO, RXE, RXD, RXG or RXA with the segments that follow until the next."""

    segment: Segment
    timings: list[Segment] = field(default_factory=list)
    routes: list[Segment] = field(default_factory=list)
    components: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.segment.name

    @property
    def segments(self) -> list[Segment]:
        """What the resource of this part is made of."""
        return [self.segment, *self.timings, *self.routes, *self.components]


@dataclass(slots=True)
class Prescription:
    """One ORC with its parts; ``timings`` and ``notes`` stand before the first of them."""

    order: Order
    timings: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def first(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.name == name), None)

    def all(self, name: str) -> list[Part]:
        return [part for part in self.parts if part.name == name]


def is_prescription(order: Order) -> bool:
    """Whether the order is one of drugs or treatments."""
    return any(each.name in BEGINNINGS for each in order.others)


def prescription(order: Order) -> Prescription:
    """``order`` in parts."""
    made = Prescription(order)
    result: Result | None = None
    for segment in _in_order(order):
        part = made.parts[-1] if made.parts else None
        if segment.name in BEGINNINGS:
            made.parts.append(Part(segment))
            result = None
        elif segment.name == "NTE":
            (result or part or made).notes.append(segment)
        elif segment.name == "TQ1":
            (part or made).timings.append(segment)
        elif part is not None and segment.name in ("RXR", "RXC"):
            (part.routes if segment.name == "RXR" else part.components).append(segment)
        elif part is not None and segment.name == "OBX":
            result = Result(segment)
            part.results.append(result)
    _share_routes(made.parts)
    return made


def _in_order(order: Order) -> Iterator[Segment]:
    found = [*order.others, *order.notes, *order.timings]
    for result in order.results:
        found += [result.obx, *result.notes]
    yield from sorted(found, key=lambda segment: segment.index)


def _share_routes(parts: list[Part]) -> None:
    """RAS has one RXR for several RXA: it comes after the last of them."""
    for part, following in zip(reversed(parts[:-1]), reversed(parts[1:]), strict=True):
        if part.name == following.name == "RXA" and not part.routes:
            part.routes = following.routes
