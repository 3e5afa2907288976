"""Results and laboratory orders: ORU^R01, OUL^R21 to R24, OML^O21, ORM^O01, OMG^O19.

HL7 v2.5.1 chapters 4 and 7; official maps ORU_R01, OML_O21, ORM_O01; OUL and identities are ours.
"""

from typing import Final

from hl7_bridge.er7 import Segment
from hl7_bridge.mapping.datatypes.identifiers import entity_pair, key
from hl7_bridge.mapping.datatypes.times import millis
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.message_maps.pharmacy import prescriptions
from hl7_bridge.mapping.message_maps.subjects import loose, subject
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.orders import Order, Result, Subject, subjects
from hl7_bridge.mapping.prescriptions import is_prescription
from hl7_bridge.mapping.segments.condition import condition
from hl7_bridge.mapping.segments.diagnostic_report import (
    category,
    diagnostic_report,
    documents,
    is_document,
    report_name,
)
from hl7_bridge.mapping.segments.observation import PARENT, Scope, members, observation
from hl7_bridge.mapping.segments.service_request import (
    Numbers,
    numbers,
    service_request,
    shared_numbers,
)
from hl7_bridge.mapping.segments.specimen import add_order, specimen, specimen_of_order
from hl7_bridge.structure.walker import Group

Pair = tuple[Segment, Entry]


def results(tree: Group, draft: Draft) -> None:
    """Reports with their observations and specimens; orders, patients and visits only where nobody knows them yet."""
    for about in subjects(tree):
        if about.pid is None and not about.orders and not about.results:
            continue
        subject(about, Policy.MENTION, draft)
        made = _numbered(about, draft)
        shared = shared_numbers(made)
        by_number: dict[str, list[Pair]] = {}
        for order, number in made:
            if order.obr is not None:
                by_number.setdefault(number.name, []).extend(_report(order, number, shared, draft))
            else:
                # No report without an OBR; the results are results all the same.
                _materials(order, number, draft)
                loose([*order.results, *(each for material in order.materials for each in material.results)], draft)
        _children(made, by_number, draft)


def orders(tree: Group, draft: Draft) -> None:
    """Orders with their specimens and what supports them; results that come along are observations beside the order."""
    for about in subjects(tree):
        subject(about, Policy.MENTION, draft)
        made = _numbered(about, draft)
        shared = shared_numbers(made)
        for order, number in made:
            if order.obr is None and (order.orc is None or is_prescription(order)):
                continue
            request = service_request(order, number, Policy.ORDER, draft, shared)
            materials = _materials(order, number, draft)
            if materials:
                request.resource["specimen"] = [each.reference for each in materials]
            _support(order, number, request, draft)
        prescriptions(about.orders, draft)


def _numbered(about: Subject, draft: Draft) -> list[tuple[Order, Numbers]]:
    return [(order, numbers(order, draft)) for order in about.orders]


def _report(order: Order, number: Numbers, shared: frozenset[Key], draft: Draft) -> list[Pair]:
    """One OBR: the order it answers, the report, its specimens and observations."""
    assert order.obr is not None
    request = service_request(order, number, Policy.MENTION, draft, shared)
    report = diagnostic_report(order, number, draft)
    report.resource["basedOn"] = [request.reference]
    scope = Scope(report_name(order, number), millis(order.obr.text(22), draft), category(order.obr), number.name)
    materials = _materials(order, number, draft)
    if materials:
        report.resource["specimen"] = request.resource["specimen"] = [each.reference for each in materials]
    if len(materials) == 1:
        scope.defaults = {**scope.defaults, "specimen": materials[0].reference}
    of_report = _observed(order.results, scope, report, draft)
    of_material = _of_materials(order, materials, scope, report, draft)
    shown = of_report or ([] if order.results else of_material)
    if shown:
        report.resource["result"] = [entry.reference for _, entry in shown]
    return of_report + of_material


def _observed(found: list[Result], scope: Scope, report: Entry, draft: Draft) -> list[Pair]:
    pairs = [(each.obx, entry) for each in found if not is_document(each) for entry in observation(each, scope, draft)]
    documents([each for each in found if is_document(each)], report, draft)
    members(pairs)
    for obx, entry in pairs:
        _specimen_named(obx, entry, draft)
    return pairs


def _specimen_named(obx: Segment, entry: Entry, draft: Draft) -> None:
    """OBX-33 says which of several specimens an observation is of."""
    for value in obx.all(33)[:1]:
        named = entity_pair(value, draft, ("PGN", "FGN"), ("specimen-placer", "specimen"))
        known = draft.known("Specimen", tuple(each for one in named if (each := key(one))))
        if known is not None:
            entry.resource["specimen"] = known.reference


def _of_materials(order: Order, materials: list[Entry], scope: Scope, report: Entry, draft: Draft) -> list[Pair]:
    pairs: list[Pair] = []
    for material, entry in zip(order.materials, materials, strict=False):
        found = _observed(material.results, scope, report, draft)
        for _, observed in found:
            observed.resource["specimen"] = entry.reference
        pairs += found
    return pairs


def _materials(order: Order, number: Numbers, draft: Draft) -> list[Entry]:
    made = [specimen(each.spm, each.notes, number.name, draft) for each in order.materials]
    if len(made) == 1 and order.obr is not None:
        add_order(order.obr, made[0], draft)
    if not made and order.obr is not None:
        told = specimen_of_order(order.obr, number.name, draft)
        made = [told] if told is not None else []
    return made


def _support(order: Order, number: Numbers, request: Entry, draft: Draft) -> None:
    """Observations and diagnoses that come with an order."""
    scope = Scope(report_name(order, number), None, {})
    found = [*order.results, *(each for material in order.materials for each in material.results)]
    pairs = [(each.obx, entry) for each in found if not is_document(each) for entry in observation(each, scope, draft)]
    members(pairs)
    if pairs:
        request.resource["supportingInfo"] = [entry.reference for _, entry in pairs]
    for dg1 in order.diagnoses:
        made = condition(dg1, Policy.MENTION, draft)
        if made is not None:
            request.resource.setdefault("reasonReference", []).append(made.reference)


def _children(made: list[tuple[Order, Numbers]], by_number: dict[str, list[Pair]], draft: Draft) -> None:
    """OBR-26 and OBR-29: the observations of a child report are derived from the parent's observation."""
    for order, number in made:
        obr = order.obr
        if obr is None or not obr.has(26) or not by_number.get(number.name):
            continue
        parent = _parent(obr, by_number, draft)
        if parent is None:
            continue
        for obx, entry in by_number[number.name]:
            if entry.url != parent.get("reference") and obx.index > obr.index:
                entry.resource.setdefault("derivedFrom", []).append(parent)
                if "identifier" in parent:
                    entry.pending = (Key(parent["identifier"]["system"], parent["identifier"]["value"]),)


def _parent(obr: Segment, by_number: dict[str, list[Pair]], draft: Draft) -> Resource | None:
    """The observation that OBR-26 names by OBX-3 and OBX-4; by identifier when another message has it."""
    code, sub = obr.text(26, 1, 1), obr.text(26, 2)
    names = entity_pair(obr.first(29), draft, ("PLAC", "FILL"), ("placer", "filler")) if obr.has(29) else []
    known = ["|".join(found) for each in names if (found := key(each))]
    # Without OBR-29 the parent can only be in this message; with it, it is of that order and no other.
    wanted = [by_number[name] for name in known if name in by_number] if known else list(by_number.values())
    for pairs in wanted:
        for obx, entry in pairs:
            if obx.index < obr.index and obx.text(3) == code and (not sub or obx.text(4) == sub):
                return dict(entry.reference)
    if not names or not code:
        return None
    number = names[-1]
    value = "|".join((number.get("system", ""), number["value"], code, sub))
    return {"type": "Observation", "identifier": {"system": PARENT, "value": value}}


MAPS: Final = {
    "ORU^R01": results,
    "ORU^R30": results,
    "ORU^R31": results,
    "ORU^R32": results,
    "ORU^R40": results,
    "OUL^R21": results,
    "OUL^R22": results,
    "OUL^R23": results,
    "OUL^R24": results,
    "OML^O21": orders,
    "OML^O33": orders,
    "OML^O35": orders,
    "OMG^O19": orders,
    "ORM^O01": orders,
}
