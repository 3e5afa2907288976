"""Appointments: SIU^S12 to S24 and S26.

HL7 v2.5.1 chapter 10; official map SIU_S12. The newest message says all of an appointment, in any order.
"""

from typing import Final

from hl7_bridge.er7 import Segment
from hl7_bridge.errors import FIELD_MISSING, Malformed, Place
from hl7_bridge.mapping.datatypes.coded import concept
from hl7_bridge.mapping.datatypes.identifiers import Identifier, entity, key
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.message_maps.subjects import subject
from hl7_bridge.mapping.model import Entry, Policy, Resource
from hl7_bridge.mapping.orders import subjects
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, ignored
from hl7_bridge.mapping.segments.appointment import EVENTS, SCH, STEPS, TQ1, identity, reasons, status, timed
from hl7_bridge.mapping.segments.appointment_participant import (
    MAPS as RESOURCES,
)
from hl7_bridge.mapping.segments.appointment_participant import (
    STARTS,
    contacts,
    is_removed,
    participants,
)
from hl7_bridge.mapping.segments.notes import text
from hl7_bridge.structure.walker import Group

NTE: Final = SegmentMap(
    "NTE",
    "Appointment",
    (
        SET_ID,
        ignored(2, "Who wrote it: the one who asked for the appointment or the one who made it."),
        Row(3, "comment", origin=OWN),
        Row(4, "patientInstruction", origin=OWN),
    ),
)

_INSTRUCTIONS: Final = "PI"
"""NTE-4 (table 0364): instructions for the patient."""


class _Booking:
    """The segments of one appointment."""

    def __init__(self, tree: Group) -> None:
        self.sch: Segment | None = None
        self.timings: list[Segment] = []
        self.notes: list[Segment] = []
        self.resources: list[Segment] = []
        last = ""
        for segment in tree.every():
            if segment.name == "SCH":
                self.sch = self.sch or segment
            elif segment.name == "TQ1":
                self.timings.append(segment)
            elif segment.name == "NTE" and last in ("SCH", "TQ1", "RGS", *RESOURCES):
                self.notes.append(segment)
            elif segment.name in RESOURCES:
                self.resources.append(segment)
            if segment.name != "NTE" and segment.name[0] not in "Z?":
                last = segment.name

    def all(self, name: str) -> list[Segment]:
        """Those of one kind that are still part of it."""
        return [each for each in self.resources if each.name == name and not is_removed(each)]

    @property
    def segments(self) -> list[Segment]:
        return [*([self.sch] if self.sch else []), *self.timings, *self.notes, *self.resources]


def scheduling(tree: Group, draft: Draft) -> None:
    """The appointment of the message, its patients and what it is for."""
    booking = _Booking(tree)
    if booking.sch is None:
        raise Malformed(FIELD_MISSING, "The message has no SCH segment; expected the appointment.", Place("SCH"))
    patients: list[Entry] = []
    visits: list[Entry] = []
    for about in subjects(tree):
        if about.pid is None:
            continue
        patients.append(subject(about, Policy.MENTION, draft))
        if draft.encounter is not None:
            visits.append(draft.encounter)
    made = _appointment(booking, booking.sch, patients, draft)
    for visit in visits:
        visit.resource["appointment"] = [made.reference]


def _appointment(booking: _Booking, sch: Segment, patients: list[Entry], draft: Draft) -> Entry:
    _trace(booking, sch, draft)
    identifiers, keys = identity(sch, draft)
    services = booking.all("AIS")
    resource: Resource = {"resourceType": "Appointment", "identifier": identifiers}
    resource["status"] = status(sch, services, draft)
    reasons(sch, resource, draft)
    kinds = [found for ais in services if (found := concept(ais.first(3), draft))]
    if kinds:
        resource["serviceType"] = [each for n, each in enumerate(kinds) if each not in kinds[:n]]
    starts = [(each, STARTS[each.name]) for name in STARTS for each in booking.all(name)]
    made_up = timed(sch, booking.timings, starts, resource, draft)
    _said(booking.notes, resource)
    based_on = _orders(sch, patients, draft)
    if based_on:
        resource["basedOn"] = based_on
    resource["participant"] = _participants(booking, sch, patients, draft)
    rank = 1 if resource["status"] == "entered-in-error" else 0
    time = draft.time + STEPS.get(resource["status"], 0)
    entry = draft.add(resource, Policy.ORDER, keys, *booking.segments, rank=rank, time=time)
    entry.defaults = made_up
    return entry


def _trace(booking: _Booking, sch: Segment, draft: Draft) -> None:
    if draft.trace is None:
        return
    draft.trace.uses(SCH, sch)
    for rows, segments in ((TQ1, booking.timings), (NTE, booking.notes)):
        for segment in segments:
            draft.trace.uses(rows, segment)
    for segment in booking.resources:
        draft.trace.uses(RESOURCES[segment.name], segment)


def _said(notes: list[Segment], resource: Resource) -> None:
    """What is for the patient apart; everything else is the comment."""
    said: dict[str, list[str]] = {"comment": [], "patientInstruction": []}
    for nte in notes:
        words = text(nte)
        if words:
            said["patientInstruction" if nte.text(4) == _INSTRUCTIONS else "comment"].append(words)
    for name, lines in said.items():
        if lines:
            resource[name] = "\n".join(lines)


def _orders(sch: Segment, patients: list[Entry], draft: Draft) -> list[Resource]:
    """The orders that the appointment is for: by their numbers, made when nobody knows them yet."""
    if not patients:
        return []
    pairs: list[list[Identifier]] = []
    fields = ((26, "PLAC", "placer"), (27, "FILL", "filler"))
    for at in range(max(len(sch.all(field)) for field, _, _ in fields)):
        found = [entity(sch.all(n)[at], draft, kind, own) for n, kind, own in fields if at < len(sch.all(n))]
        pairs.append([each for each in found if each])
    made = []
    for numbers in pairs:
        keys = tuple(known for each in numbers if (known := key(each)))
        if keys:
            order: Resource = {
                "resourceType": "ServiceRequest",
                "identifier": numbers,
                "status": "active",
                "intent": "order",
                "subject": patients[0].reference,
            }
            made.append(draft.mention(order, keys, sch))
    return made


def _participants(booking: _Booking, sch: Segment, patients: list[Entry], draft: Draft) -> list[Resource]:
    found: list[Resource] = [{"actor": each.reference, "status": "accepted"} for each in patients]
    for segment in booking.resources:
        if segment.name in ("AIG", "AIL", "AIP") and not is_removed(segment):
            found += [each for each in participants(segment, draft) if each not in found]
    found += contacts(sch, found, draft)
    return found or [{"actor": {"display": "unknown"}, "status": "needs-action"}]


MAPS: Final = {f"SIU^{event}": scheduling for event in EVENTS}
