"""Documents: MDM^T01 to T11.

HL7 v2.5.1 chapter 9; official map MDM_T02. What a message announces without its content leaves the content alone.
"""

from typing import Final

from hl7_bridge.er7 import Segment
from hl7_bridge.errors import FIELD_MISSING, Malformed, Place
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.message_maps.subjects import subject
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.orders import Result, Subject, subjects
from hl7_bridge.mapping.rows import apply
from hl7_bridge.mapping.segments.document_content import announced, contents
from hl7_bridge.mapping.segments.document_reference import (
    TXA,
    around,
    identity,
    is_replacement,
    parent,
    people,
    rank,
    states,
)
from hl7_bridge.mapping.segments.medication_request import pending
from hl7_bridge.mapping.segments.service_request import numbers, service_request, shared_numbers
from hl7_bridge.structure.walker import Group

_SUPERSEDED: Final = 1
"""Rank of the statement that a document was replaced: as a final one, so that the later of the two holds."""


def documents(tree: Group, draft: Draft) -> None:
    """Each TXA with the OBX that follow it."""
    every = subjects(tree)
    about = next((each for each in every if each.pid is not None), every[0])
    if draft.message.first("TXA") is None:
        if not about.orders:
            raise Malformed(FIELD_MISSING, "The message has no TXA segment; expected the document.", Place("TXA"))
        draft.warn("The message has no TXA segment; its orders are mapped, a document is not.")
    # Every OBX of these messages is content, none is an observation.
    about.results = []
    subject(about, Policy.MENTION, draft)
    orders = _orders(about, draft)
    for txa, results in _results(list(tree.every())):
        _document(txa, results, orders, draft)


def _results(segments: list[Segment]) -> list[tuple[Segment, list[Result]]]:
    """TXA with their OBX; an OBX before any TXA belongs to the first."""
    found: list[tuple[Segment, list[Result]]] = []
    early: list[Result] = []
    last = ""
    for segment in segments:
        results = found[-1][1] if found else early
        if segment.name == "TXA":
            found.append((segment, early if not found else []))
        elif segment.name == "OBX":
            results.append(Result(segment))
        elif segment.name == "NTE" and last in ("OBX", "NTE") and results:
            results[-1].notes.append(segment)
        if segment.name[0] not in "Z?":
            last = segment.name
    return found


def _orders(about: Subject, draft: Draft) -> list[Resource]:
    """What the document was ordered by."""
    made = [(order, numbers(order, draft)) for order in about.orders if order.orc or order.obr]
    shared = shared_numbers(made)
    return [service_request(order, number, Policy.MENTION, draft, shared).reference for order, number in made]


def _document(txa: Segment, results: list[Result], orders: list[Resource], draft: Draft) -> Entry:
    resource: Resource = {"resourceType": "DocumentReference"}
    apply(TXA, txa, resource, draft)
    master, own = identity(txa, draft)
    resource["masterIdentifier"] = master
    states(txa, resource, draft)
    resource["subject"] = draft.subject
    people(txa, resource, draft)
    around(txa, orders, resource, draft)
    before = parent(txa, resource, own, draft)
    found = contents(results, txa, draft)
    resource["content"] = found or [announced(txa)]
    segments = [txa, *(each for result in results for each in (result.obx, *result.notes))]
    entry = draft.add(resource, Policy.RESULT, (own,), *segments, rank=rank(resource))
    entry.defaults = frozenset() if found else frozenset({"content"})
    entry.pending = pending(resource)
    if before is not None and is_replacement(draft):
        _superseded(before, resource, draft)
    return entry


def _superseded(before: Key, by: Resource, draft: Draft) -> None:
    """The document that was replaced is not current any more; all else of it is for a record that has not seen it."""
    resource: Resource = {
        "resourceType": "DocumentReference",
        "masterIdentifier": {"system": before.system, "value": before.value},
        "status": "superseded",
        "subject": by["subject"],
        "content": [{"attachment": {"title": "not sent"}}],
    }
    entry = draft.add(resource, Policy.REGISTER, (before,), rank=_SUPERSEDED)
    entry.defaults = frozenset({"subject", "content", "masterIdentifier"})


MAPS: Final = {f"MDM^T{number:02d}": documents for number in range(1, 12)}
