"""ROL and PRT: who takes part, as participants of the visit or the patient's general practitioners.

HL7 v2.5.1 section 15.4.7 (ROL), v2.7 section 7.4.4 (PRT); official maps ROL[Encounter-PractitionerRole],
ROL[Patient-GeneralPractitioner], PRT[Patient-GeneralPractitioner-Practitioner].
"""

from typing import Final

from hl7_bridge.er7 import Segment
from hl7_bridge.mapping.datatypes.coded import coded, concept
from hl7_bridge.mapping.datatypes.times import between
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Resource
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap, ignored

ROL = SegmentMap(
    "ROL",
    "Encounter",
    (
        ignored(2, "The record follows what the message states, not what it asks to do."),
        Row(3, "participant.type"),
        Row(4, "participant.individual"),
        Row(5, "participant.period.start"),
        Row(6, "participant.period.end"),
    ),
    official="ROL[Encounter-PractitionerRole]",
)

PRT = SegmentMap(
    "PRT",
    "Encounter",
    (
        ignored(2, "The record follows what the message states, not what it asks to do."),
        Row(4, "participant.type", origin=OWN),
        Row(5, "participant.individual", origin=OWN),
        Row(11, "participant.period.start", origin=OWN),
        Row(12, "participant.period.end", origin=OWN),
    ),
    official="PRT[Patient-GeneralPractitioner-Practitioner]",
)

_PRIMARY_CARE: Final = frozenset({"PP", "FHCP", "PCP"})
"""Roles of table 0443 that a patient has outside any visit."""


def participations(segments: list[Segment], draft: Draft) -> None:
    """Each person of a ROL or PRT: the patient's general practitioner, or a participant of the visit."""
    for segment in segments:
        is_role = segment.name == "ROL"
        role, person = (3, 4) if is_role else (4, 5)
        for value in segment.all(person):
            who = practitioner(value, draft)
            if who:
                _placed(segment, who, role, draft)


def _placed(segment: Segment, who: Resource, role: int, draft: Draft) -> None:
    if segment.text(role) in _PRIMARY_CARE and draft.patient is not None:
        draft.patient.resource.setdefault("generalPractitioner", []).append(who)
        draft.patient.sources = (*draft.patient.sources, segment.index)
        return
    if draft.encounter is None:
        return
    if draft.trace is not None:
        draft.trace.uses(ROL if segment.name == "ROL" else PRT, segment)
    found: Resource = {"individual": who}
    kind = (coded("ProviderRole") if role == 3 else concept)(segment.first(role), draft)
    if kind:
        found["type"] = [kind]
    start, end = (5, 6) if role == 3 else (11, 12)
    lasting = between(segment.text(start), segment.text(end), draft)
    if lasting:
        found["period"] = lasting
    draft.encounter.resource.setdefault("participant", []).append(found)
    draft.encounter.sources = (*draft.encounter.sources, segment.index)
