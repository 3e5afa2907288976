"""The groups of a message flattened to what maps need: patients, their orders, results and specimens, with their notes.

HL7 v2.5.1 sections 4.4 (OML, ORM), 7.3 (ORU, OUL) and 7.4.1 (which OBX and NTE belong to what).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from hl7_bridge.er7 import Segment
from hl7_bridge.structure.walker import Group


@dataclass(slots=True)
class Result:
    """One OBX with the NTE that follow it."""

    obx: Segment
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Material:
    """One SPM with its own observations."""

    spm: Segment
    results: list[Result] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """One ORC and OBR (either may be missing) and all that follows until the next."""

    orc: Segment | None = None
    obr: Segment | None = None
    notes: list[Segment] = field(default_factory=list)
    timings: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    materials: list[Material] = field(default_factory=list)
    diagnoses: list[Segment] = field(default_factory=list)
    participants: list[Segment] = field(default_factory=list)
    others: list[Segment] = field(default_factory=list)
    """Segments of this order that the flattening knows nothing of (RXO, RXE, …), in order."""


@dataclass(slots=True)
class Subject:
    """One PID (or none) and everything about that patient."""

    pid: Segment | None = None
    pd1: Segment | None = None
    pv1: Segment | None = None
    pv2: Segment | None = None
    mrg: Segment | None = None
    relatives: list[Segment] = field(default_factory=list)
    allergies: list[Segment] = field(default_factory=list)
    diagnoses: list[Segment] = field(default_factory=list)
    procedures: list[Segment] = field(default_factory=list)
    insurances: list[Segment] = field(default_factory=list)
    guarantors: list[Segment] = field(default_factory=list)
    participants: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    """Observations that belong to no order."""
    orders: list[Order] = field(default_factory=list)


_FEW: Final = {"PD1": "pd1", "PV1": "pv1", "PV2": "pv2", "MRG": "mrg"}
_MANY: Final = {
    "NK1": "relatives",
    "AL1": "allergies",
    "IAM": "allergies",
    "PR1": "procedures",
    "IN1": "insurances",
    "GT1": "guarantors",
}
_DRUGS: Final = frozenset({"RXO", "RXE", "RXD", "RXG", "RXA"})
"""Segments that begin an order of drugs whose ORC is missing."""
_SPECIMEN_FIRST: Final = frozenset({"OUL_R22", "OUL_R23"})
"""Structures in which a specimen comes before the orders made on it."""


def subjects(tree: Group) -> list[Subject]:
    """The patients of the message in order, at least one; earlier results sent along with an order are orders, too."""
    flat = _Flat(tree.name in _SPECIMEN_FIRST)
    flat.walk(tree)
    return flat.subjects


class _Flat:
    """Where the flattening stands."""

    def __init__(self, specimen_first: bool) -> None:
        self.subjects = [Subject()]
        self.order: Order | None = None
        self.material: Material | None = None
        self.shared: list[Material] = []
        self.notes: list[Segment] = self.subjects[0].notes
        self.specimen_first = specimen_first

    @property
    def subject(self) -> Subject:
        return self.subjects[-1]

    def walk(self, group: Group) -> None:
        for child in group.children:
            if isinstance(child, Group):
                self.walk(child)
                if child.name == "SPECIMEN" and not self.specimen_first:
                    self.material = None
            else:
                self.take(child)

    def take(self, segment: Segment) -> None:
        way = _WAYS.get(segment.name)
        if way is not None:
            way(self, segment)
        elif segment.name in _FEW:
            if getattr(self.subject, _FEW[segment.name]) is None:
                setattr(self.subject, _FEW[segment.name], segment)
        elif segment.name in _MANY:
            getattr(self.subject, _MANY[segment.name]).append(segment)
        elif self.order is not None:
            self.order.others.append(segment)
        elif segment.name in _DRUGS:
            self._begin(Order(others=[segment]))

    def pid(self, segment: Segment) -> None:
        if self.subject.pid is not None or self.subject.orders:
            self.subjects.append(Subject())
        self.subject.pid = segment
        self.order = self.material = None
        self.shared = []
        self.notes = self.subject.notes

    def orc(self, segment: Segment) -> None:
        late = self.specimen_first or (self.order is not None and self.order.obr is not None and self.order.orc is None)
        if (
            late
            and self.order is not None
            and self.order.orc is None
            and not self.order.results
            and _is_same(self.order, segment)
        ):
            self.order.orc = segment
            return
        self._begin(Order(orc=segment))

    def obr(self, segment: Segment) -> None:
        if self.order is not None and self.order.obr is None and not self.order.others:
            self.order.obr = segment
        else:
            self._begin(Order(obr=segment))
        assert self.order is not None
        self.notes = self.order.notes

    def _begin(self, order: Order) -> None:
        order.materials.extend(self.shared)
        self.subject.orders.append(order)
        self.order, self.material, self.notes = order, None, order.notes

    def spm(self, segment: Segment) -> None:
        made = Material(segment)
        if self.specimen_first:
            self.shared, self.order = [made], None
        elif self.order is not None:
            self.order.materials.append(made)
        else:
            self._begin(Order())
            assert self.order is not None
            self.order.materials.append(made)
        self.material, self.notes = made, made.notes

    def obx(self, segment: Segment) -> None:
        made = Result(segment)
        if self.material is not None:
            self.material.results.append(made)
        elif self.order is not None:
            self.order.results.append(made)
        else:
            self.subject.results.append(made)
        self.notes = made.notes

    def nte(self, segment: Segment) -> None:
        self.notes.append(segment)

    def timing(self, segment: Segment) -> None:
        if self.order is not None:
            self.order.timings.append(segment)

    def diagnosis(self, segment: Segment) -> None:
        (self.order or self.subject).diagnoses.append(segment)

    def participant(self, segment: Segment) -> None:
        (self.order or self.subject).participants.append(segment)


def _is_same(order: Order, orc: Segment) -> bool:
    """Whether an ORC that follows its OBR (OUL) names the same order numbers."""
    obr = order.obr
    if obr is None:
        return False
    pairs = [(obr.text(n), orc.text(n)) for n in (2, 3)]
    return all(not one or not other or one == other for one, other in pairs)


_WAYS: Final[dict[str, Callable[[_Flat, Segment], None]]] = {
    "PID": _Flat.pid,
    "ORC": _Flat.orc,
    "OBR": _Flat.obr,
    "SPM": _Flat.spm,
    "OBX": _Flat.obx,
    "NTE": _Flat.nte,
    "TQ1": _Flat.timing,
    "DG1": _Flat.diagnosis,
    "ROL": _Flat.participant,
    "PRT": _Flat.participant,
}
