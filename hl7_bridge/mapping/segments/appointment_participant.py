"""AIS, AIG, AIL, AIP and the contacts of SCH to what an Appointment is about and who takes part.

HL7 v2.5.1 sections 10.6.3 to 10.6.7; official maps AIS, AIG, AIL, AIP and SCH[Appointment]; statuses are ours.
"""

from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.coded import concept
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.locations import location
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, ignored
from hl7_bridge.mapping.segments.appointment import duration, lasting, moment
from hl7_bridge.mapping.systems import system

_ACTION: Final = Row(2, "participant", origin=OWN)
_SUBSTITUTE = "Whether another would do is the scheduler's to know; the message says which one it is."


def _rows(name: str, official: str, *rows: Row) -> SegmentMap:
    return SegmentMap(name, "Appointment", (SET_ID, _ACTION, *rows), official=official)


RGS: Final = SegmentMap(
    "RGS",
    "Appointment",
    (SET_ID, ignored(2, "The record follows what the message states, not what it asks to do.")),
)

AIS: Final = _rows(
    "AIS",
    "AIS[Appointment]",
    Row(3, "serviceType"),
    Row(4, "start"),
    Row(7, "end"),
    Row(8, "end"),
    ignored(9, _SUBSTITUTE),
    Row(10, "status"),
)
AIG: Final = _rows(
    "AIG",
    "AIG[Appointment]",
    Row(3, "participant.actor"),
    Row(4, "participant.type"),
    Row(8, "participant.period.start"),
    Row(11, "participant.period.end"),
    Row(12, "participant.period.end"),
    ignored(13, _SUBSTITUTE),
    Row(14, "participant.status", origin=OWN),
)
AIL: Final = _rows(
    "AIL",
    "AIL[Appointment]",
    Row(3, "participant.actor"),
    Row(4, "participant.type", origin=OWN),
    Row(6, "participant.period.start"),
    Row(9, "participant.period.end"),
    Row(10, "participant.period.end"),
    ignored(11, _SUBSTITUTE),
    Row(12, "participant.status", origin=OWN),
)
AIP: Final = _rows(
    "AIP",
    "AIP[Appointment]",
    Row(3, "participant.actor"),
    Row(4, "participant.type"),
    Row(6, "participant.period.start"),
    Row(9, "participant.period.end"),
    Row(10, "participant.period.end"),
    ignored(11, _SUBSTITUTE),
    Row(12, "participant.status"),
)
MAPS: Final = {"AIS": AIS, "AIG": AIG, "AIL": AIL, "AIP": AIP, "RGS": RGS}

STARTS: Final = {"AIS": 4, "AIG": 8, "AIL": 6, "AIP": 6}
"""The field with the start."""
_STATUSES: Final = {"AIG": 14, "AIL": 12, "AIP": 12}

_PARTICIPATION: Final = {
    "PENDING": "needs-action",
    "WAITLIST": "tentative",
    "BLOCKED": "tentative",
    "CANCELLED": "declined",
    "DISCONTINUED": "declined",
    "DC": "declined",
    "DELETED": "declined",
}
"""Table 0278 of one resource as participationstatus; a resource that is named is there for it."""


def is_removed(segment: Segment) -> bool:
    """Whether the segment says that this resource is not part of it any more."""
    return segment.text(2).strip().upper() == "D"


def participants(segment: Segment, draft: Draft) -> list[Resource]:
    """Whom one AIG, AIL or AIP names, in their time."""
    draft.place = f"{segment.name}-3"
    read = {"AIG": _thing, "AIL": location, "AIP": practitioner}[segment.name]
    actors: list[Resource | None] = [found for value in segment.all(3) if (found := read(value, draft))]
    kind = concept(segment.first(4), draft) if segment.has(4) else None
    if not actors and kind is None:
        return []
    field = STARTS[segment.name]
    period = lasting(moment(segment, field, draft), duration(segment, field + 3))
    status = segment.text(_STATUSES[segment.name]).strip() or segment.text(_STATUSES[segment.name], 2).strip()
    made = []
    for actor in actors or [None]:
        one: Resource = {"type": [kind]} if kind else {}
        if actor:
            one["actor"] = actor
        one["status"] = _PARTICIPATION.get(status.upper(), "accepted")
        if period:
            one["period"] = period
        made.append(one)
    return made


def _thing(value: Value, draft: Draft) -> Resource | None:
    """AIG-3: a device, a room, a person, which the code does not tell; so its number and its name."""
    code, name = value.text(1).strip(), clean(value.text(2))
    found: Resource = {}
    if code:
        own = system(value.text(3), draft.scope) if value.text(3) else draft.own("resource")
        found["identifier"] = {"system": own, "value": code}
    if name or code:
        found["display"] = name or code
    return found or None


_ENTERER: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def contacts(sch: Segment, known: list[Resource], draft: Draft) -> list[Resource]:
    """SCH-12, SCH-16 and SCH-20: people to ask, unless they take part anyway."""
    seen = [each.get("actor") for each in known]
    made = []
    for field, kind in (
        (12, {"text": "placer contact"}),
        (16, {"text": "filler contact"}),
        (20, {"coding": [{"system": _ENTERER, "code": "enterer"}]}),
    ):
        for value in sch.all(field):
            who = practitioner(value, draft) if not _is_system(value, draft) else None
            if who and who not in seen:
                made.append({"type": [kind], "actor": who, "required": "information-only", "status": "accepted"})
    return made


def _is_system(value: Value, draft: Draft) -> bool:
    """Whether what stands where a person should is the sending application's own name."""
    return not value.text(1) and value.text(2) == draft.message.msh.text(3)
