"""PR1 to Procedure.

HL7 v2.5.1 section 6.5.4 (PR1); official map PR1[Procedure].
"""

from datetime import datetime, timedelta
from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.coded import concept
from hl7_bridge.mapping.datatypes.identifiers import entity, keys
from hl7_bridge.mapping.datatypes.numbers import positive
from hl7_bridge.mapping.datatypes.texts import string
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.locations import location
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Read, Row, SegmentMap, apply, ignored
from hl7_bridge.mapping.systems import SNOMED

_ANESTHETIST: Final = {"coding": [{"system": SNOMED, "code": "88189002", "display": "Anesthesiologist"}]}
_SURGEON: Final = {"coding": [{"system": SNOMED, "code": "304292004", "display": "Surgeon"}]}


def _performer(function: Resource | None) -> Read:
    def found(value: Value, draft: Draft) -> Resource | None:
        who = practitioner(value, draft)
        if who is None:
            return None
        return {"function": function, "actor": who} if function else {"actor": who}

    return found


def _identifier(value: Value, draft: Draft) -> Resource | None:
    return entity(value, draft, own="procedure")


PR1 = SegmentMap(
    "PR1",
    "Procedure",
    (
        SET_ID,
        ignored(2, "The coding method is a withdrawn field; PR1-3 names its coding system."),
        Row(3, "code", concept),
        Row(4, "code.text"),
        Row(5, "performedDateTime"),
        Row(6, "category", concept),
        Row(7, "performedPeriod.end"),
        Row(8, "performer[]", _performer(_ANESTHETIST)),
        Row(11, "performer[]", _performer(_SURGEON)),
        Row(12, "performer[]", _performer(None)),
        Row(15, "reasonCode[]", concept),
        Row(19, "identifier[]", _identifier),
        Row(20, "status", origin=OWN),
        Row(23, "location", location),
    ),
    official="PR1[Procedure]",
)


def procedure(pr1: Segment, policy: Policy, draft: Draft) -> Entry | None:
    """The Procedure of ``pr1``, done when the message says so; None when it names none."""
    resource: Resource = {
        "resourceType": "Procedure",
        "status": "entered-in-error" if pr1.text(20) == "D" else "completed",
    }
    apply(PR1, pr1, resource, draft)
    text = string(pr1.first(4), draft) if pr1.has(4) else None
    if text:
        resource.setdefault("code", {}).setdefault("text", text)
    if "code" not in resource:
        return None
    _performed(pr1, resource, draft)
    resource["subject"] = draft.subject
    if draft.encounter is not None:
        resource["encounter"] = draft.encounter.reference
    return draft.add(resource, policy, _keys(pr1, resource, draft), pr1)


def _performed(pr1: Segment, resource: Resource, draft: Draft) -> None:
    start = date_time(pr1.first(5), draft) if pr1.has(5) else None
    minutes = positive(pr1.first(7), draft) if pr1.has(7) else None
    if not start:
        return
    if minutes is None or len(start) <= 10 or minutes > _MINUTES_MAX:
        resource["performedDateTime"] = start
        return
    end = datetime.fromisoformat(start) + timedelta(minutes=minutes)
    shown = end.isoformat()
    resource["performedPeriod"] = {
        "start": start,
        "end": shown.replace("+00:00", "Z") if start.endswith("Z") else shown,
    }


_MINUTES_MAX: Final = 60 * 24 * 7


def _keys(pr1: Segment, resource: Resource, draft: Draft) -> tuple[Key, ...]:
    known = keys(resource.get("identifier", []))
    if known:
        return known
    said = pr1.text(3) or pr1.text(3, 2) or pr1.text(4)
    visit = draft.encounter.keys[0] if draft.encounter is not None and draft.encounter.keys else ()
    return draft.derived("https://hearth.health/v2/procedure", resource, *visit, said, pr1.text(5))
