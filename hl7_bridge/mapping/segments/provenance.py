"""EVN, MSH and ORC to the Provenance of the message: who did what, when, and in which message it was said.

HL7 v2.5.1 section 3.4.1 (EVN); official maps EVN[Provenance], MSH[Provenance-Source], ORC[Provenance].
"""

from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.coded import coded
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import date_time, instant
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.locations import place
from hl7_bridge.mapping.mentions.organizations import facility, organization
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Policy, Resource
from hl7_bridge.mapping.rows import Row, SegmentMap, apply, ignored, listed

_TYPES: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_ACTIVITIES: Final = {"NW": "CREATE", "SC": "UPDATE", "XO": "UPDATE", "OC": "CANCEL", "CA": "CANCEL", "CR": "CANCEL"}


def _facility(value: Value, draft: Draft) -> Resource | None:
    nothing = Value("", value.delimiters, value.separators)
    return place((nothing, nothing, nothing, value, nothing, nothing), draft)


EVN = SegmentMap(
    "EVN",
    "Provenance",
    (
        ignored(1, "MSH-9 says the event."),
        Row(2, "recorded"),
        ignored(3, "The time of a planned event is said by the segments of the event itself."),
        Row(4, "reason", listed(coded("EventReason"))),
        Row(5, "agent"),
        Row(6, "occurredDateTime", date_time),
        Row(7, "location", _facility),
    ),
    official="EVN[Provenance]",
)


def provenance(evn: Segment | None, orders: list[Segment], draft: Draft) -> Entry:
    """The Provenance of the message and of all that it states."""
    stated = [each for each in draft.entries if each.policy not in (Policy.MENTION, Policy.ALWAYS)]
    targets = [each.reference for each in (draft.header, *stated) if each is not None]
    resource: Resource = {"resourceType": "Provenance", "target": targets}
    if evn is not None:
        apply(EVN, evn, resource, draft)
    msh = draft.message.msh
    recorded = (instant(evn.first(2), draft) if evn is not None and evn.has(2) else None) or instant(
        msh.first(7), draft
    )
    # A Provenance must say when; of a message without any time nobody knows, and the record's own time tells more.
    resource["recorded"] = recorded or "1970-01-01T00:00:00Z"
    resource["activity"] = _activity(orders, draft)
    resource["agent"] = [*_agents(evn, orders, draft), _author(msh, draft)]
    what = {"identifier": {"system": draft.own("message"), "value": draft.message.control_id or "none"}}
    resource["entity"] = [{"role": "source", "what": what}]
    return draft.add(resource, Policy.ALWAYS, (), *([msh] if evn is None else [msh, evn]))


def _activity(orders: list[Segment], draft: Draft) -> Resource:
    said = draft.message.msh.first(9)
    display = "^".join(text for n in (1, 2, 3) if (text := said.text(n)))
    found: Resource = {"coding": [{"display": display or "unknown"}]}
    codes = {code for orc in orders if (code := _ACTIVITIES.get(orc.text(1)))}
    if len(codes) == 1:
        found["coding"].append({"system": _OPERATION, "code": codes.pop()})
    return found


def _author(msh: Segment, draft: Draft) -> Resource:
    """Who sent the message: MSH-22, else MSH-4, else MSH-3, else the sender as we know it."""
    who = (organization(msh.first(22), draft) if msh.has(22) else None) or (
        facility(msh.first(4), draft) if msh.has(4) else None
    )
    return _agent("author", who or {"display": clean(msh.text(3)) or draft.sender.name})


def _agents(evn: Segment | None, orders: list[Segment], draft: Draft) -> list[Resource]:
    fields = [(evn, 5, "enterer")] if evn is not None else []
    fields += [(orc, n, kind) for orc in orders for n, kind in ((10, "enterer"), (11, "verifier"), (19, "performer"))]
    made: dict[tuple[str, str], Resource] = {}
    for segment, number, kind in fields:
        for value in segment.all(number):
            who = practitioner(value, draft)
            if who:
                made.setdefault((kind, who.get("reference") or who["display"]), _agent(kind, who))
    return list(made.values())


def _agent(kind: str, who: Resource) -> Resource:
    return {"type": {"coding": [{"system": _TYPES, "code": kind}]}, "who": who}
