"""ORC and OBR to ServiceRequest.

HL7 v2.5.1 sections 4.5.1 (ORC), 4.5.3 (OBR); official maps ORC[ServiceRequest], OBR[ServiceRequest]; identity is ours.
"""

from typing import Final, NamedTuple

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.addresses import address, contact_point
from hl7_bridge.mapping.datatypes.coded import coded, coding_of, concept
from hl7_bridge.mapping.datatypes.coded import service as service_code
from hl7_bridge.mapping.datatypes.identifiers import Identifier, entity, entity_pair, identifier, key, typed
from hl7_bridge.mapping.datatypes.times import date_time, millis
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import described
from hl7_bridge.mapping.mentions.practitioners import practitioner, practitioner_role
from hl7_bridge.mapping.model import AsOf, Entry, Key, Policy, Resource
from hl7_bridge.mapping.orders import Order
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, apply, extension, ignored
from hl7_bridge.mapping.segments.medication_timing import priority_code
from hl7_bridge.mapping.segments.notes import annotations
from hl7_bridge.mapping.segments.timing import instructions, old_timing, priority, quantity, timing

SYSTEM: Final = "https://hearth.health/v2/order"
_CALLBACK: Final = "http://hl7.org/fhir/StructureDefinition/servicerequest-order-callback-phone-number"
_REASON: Final = "http://hl7.org/fhir/StructureDefinition/request-statusReason"
_SUPPORTING: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ServiceRequest.supportingInfo"


def _alternate(value: Value, draft: Draft) -> Identifier | None:
    found = identifier(value, draft)
    return found and {**found, "type": typed("PLAC")}


def _filler_group(value: Value, draft: Draft) -> Identifier | None:
    return entity(value, draft, "FGN", "filler-group")


def _location(value: Value, draft: Draft) -> Resource | None:
    return coded("OrderType")(value, draft)


ORC = SegmentMap(
    "ORC",
    "ServiceRequest",
    (
        Row(1, "status"),
        Row(2, "identifier"),
        Row(3, "identifier"),
        Row(4, "requisition"),
        Row(5, "status"),
        ignored(6, "Transport: which response is wanted."),
        Row(7, "occurrenceTiming"),
        Row(8, "basedOn", origin=OWN),
        Row(9, "authoredOn"),
        Row(10, "Provenance.agent"),
        Row(11, "Provenance.agent"),
        Row(12, "requester"),
        Row(14, "extension[]", extension(_CALLBACK, "valueContactPoint", contact_point)),
        Row(16, "extension[]", extension(_REASON, "valueCodeableConcept", concept)),
        Row(19, "Provenance.agent"),
        Row(21, "requester.organization"),
        Row(22, "requester.organization.address"),
        Row(23, "requester.organization.telecom"),
        Row(24, "requester.practitioner.address"),
        Row(28, "meta.security[]", coding_of("ConfidentialityCode")),
        Row(29, "locationCode[]", _location),
        Row(33, "identifier[]", _alternate),
        Row(38, "identifier[]", _filler_group),
    ),
    official="ORC[ServiceRequest]",
)

OBR = SegmentMap(
    "OBR",
    "ServiceRequest",
    (
        SET_ID,
        Row(2, "identifier"),
        Row(3, "identifier"),
        Row(4, "code", service_code),
        Row(5, "priority"),
        Row(6, "occurrenceDateTime", date_time),
        Row(11, "intent"),
        Row(13, "extension[]", extension(_SUPPORTING, "valueCodeableConcept", concept)),
        Row(16, "requester"),
        Row(17, "extension[]", extension(_CALLBACK, "valueContactPoint", contact_point)),
        Row(27, "occurrenceTiming"),
        Row(29, "basedOn"),
        Row(31, "reasonCode[]", concept),
        Row(46, "orderDetail[]", concept),
        Row(47, "orderDetail[]", concept),
        Row(53, "identifier[]", _alternate),
    ),
    official="OBR[ServiceRequest]",
)


class Numbers(NamedTuple):
    """The order's numbers as Identifiers, and ``name``, its identity in identifiers derived from it."""

    placer: Identifier | None
    filler: Identifier | None
    name: str

    @property
    def identifiers(self) -> list[Identifier]:
        return [each for each in (self.placer, self.filler) if each]


def numbers(order: Order, draft: Draft) -> Numbers:
    """Placer and filler number of ORC, else of OBR; the filler's is the better identity."""
    found = []
    for number, kind, own in ((2, "PLAC", "placer"), (3, "FILL", "filler")):
        holders = [each for each in (order.orc, order.obr) if each is not None and each.first(number)]
        found.append(entity(holders[0].first(number), draft, kind, own) if holders else None)
    placer, filler = found
    known = key(filler) or key(placer)
    name = "|".join(known) if known else f"{draft.own('message')}|{draft.message.control_id}|{_position(order)}"
    return Numbers(placer, filler, name)


def _position(order: Order) -> str:
    first = order.orc or order.obr
    return str(first.index) if first is not None else "0"


def service(order: Order) -> str:
    """OBR-4 in a word: which service of an order number this is."""
    return (order.obr.text(4) or order.obr.text(4, 2)) if order.obr is not None else ""


_ENDS: Final = frozenset({"completed", "revoked", "entered-in-error"})
"""Statuses after which an order does not come back by an older message."""


def service_request(
    order: Order, number: Numbers, policy: Policy, draft: Draft, shared: frozenset[Key] = frozenset()
) -> Entry:
    """The ServiceRequest of one order; ``shared`` are numbers that several services of the message have in common."""
    resource, orc = _resource(order, number, draft), order.orc
    keys = _keys(order, number, resource, shared)
    time = millis(orc.text(9), draft) if orc is not None and orc.has(9) else None
    segments = [each for each in (orc, order.obr, *order.timings) if each is not None]
    entry = draft.add(resource, policy, keys, *segments, rank=int(resource["status"] in _ENDS), time=time)
    if orc is None or (not orc.has(5) and not orc.has(1)):
        entry.defaults = frozenset({"status"})
    if policy is Policy.MENTION and orc is not None and orc.has(5) and resource["status"] in _ENDS:
        # A result that says of its order that it is over says it now, whenever that was ordered (ORC-9).
        entry.certain, entry.as_of = frozenset({"status"}), AsOf(1, draft.time, draft.tie)
    return entry


def _resource(order: Order, number: Numbers, draft: Draft) -> Resource:
    orc, obr = order.orc, order.obr
    resource: Resource = {"resourceType": "ServiceRequest"}
    if number.identifiers:
        resource["identifier"] = number.identifiers
    if orc is not None:
        apply(ORC, orc, resource, draft)
    if obr is not None:
        apply(OBR, obr, resource, draft)
    resource["status"] = status(orc, draft)
    resource["intent"] = _INTENTS.get(obr.text(11), "order") if obr is not None else "order"
    resource["subject"] = draft.subject
    if draft.encounter is not None:
        resource["encounter"] = draft.encounter.reference
    _numbered(orc, resource, draft)
    _requested(orc, obr, resource, draft)
    _timed(order, resource, draft)
    said = annotations(order.notes, draft)
    if said:
        resource.setdefault("note", []).extend(said)
    return resource


_INTENTS: Final = {"A": "instance-order", "G": "reflex-order"}


def status(orc: Segment | None, draft: Draft) -> str:
    """ORC-5, else what ORC-1 makes of the order."""
    if orc is None:
        return "unknown"
    for number, name in ((5, "OrderStatus"), (1, "OrderControlCode[ServiceRequest.status]")):
        code = orc.text(number)
        if code:
            draft.place = f"ORC-{number}"
            found = draft.translate(table(name), code)
            return found.code if found is not None else "unknown"
    return "unknown"


def _numbered(orc: Segment | None, resource: Resource, draft: Draft) -> None:
    """ORC-4 groups orders; ORC-8 and OBR-29 name the order this one came of."""
    if orc is None:
        return
    group = orc.first(4)
    if group:
        pair = entity_pair(group, draft, ("PGN", "FGN"), ("placer-group", "filler-group")) if "&" in group.raw else []
        first = pair[0] if pair else entity(group, draft, "PGN", "placer-group")
        if first:
            resource["requisition"] = first
    parent = entity_pair(orc.first(8), draft, ("PLAC", "FILL"), ("placer", "filler")) if orc.has(8) else []
    if parent:
        resource["basedOn"] = [{"type": "ServiceRequest", "identifier": each} for each in parent]


def _requested(orc: Segment | None, obr: Segment | None, resource: Resource, draft: Draft) -> None:
    field = next(((each, n) for each, n in ((orc, 12), (obr, 16)) if each is not None and each.first(n)), None)
    facility = None
    if orc is not None and orc.has(21):
        facility = described(orc.first(21), orc.first(22), orc.all(23), draft)
    if field is not None:
        more = {"organization": facility} if facility else {}
        who = practitioner_role(field[0].first(field[1]), draft, more, "requester")
        if who:
            resource["requester"] = who
            _office(orc, field[0].first(field[1]), draft)
            return
    if facility:
        resource["requester"] = facility


def _office(orc: Segment | None, provider: Value, draft: Draft) -> None:
    """ORC-24 is where the ordering provider is."""
    where = address(orc.first(24), draft) if orc is not None and orc.has(24) else None
    who = practitioner(provider, draft) if where else None
    entry = draft.entry(who)
    if entry is not None and where:
        entry.resource.setdefault("address", [where])


def _timed(order: Order, resource: Resource, draft: Draft) -> None:
    orc, obr = order.orc, order.obr
    if orc is not None and orc.text(1) == "NW":
        at = date_time(orc.first(9), draft)
        if at:
            resource["authoredOn"] = at
    codes = [obr.text(5)] if obr is not None else []
    for tq1 in order.timings:
        _from_tq1(tq1, resource, draft)
        codes.append(priority_code(tq1))
    if not order.timings:
        for segment, n in ((orc, 7), (obr, 27)):
            if segment is not None and segment.first(n) and "occurrenceTiming" not in resource:
                made, urgency = old_timing(segment.first(n), draft)
                if made and "occurrenceDateTime" not in resource:
                    resource["occurrenceTiming"] = made
                if urgency:
                    resource["priority"] = urgency
    urgencies = [found for code in codes if (found := priority(code, draft))]
    if urgencies:
        resource["priority"] = urgencies[0]


def _from_tq1(tq1: Segment, resource: Resource, draft: Draft) -> None:
    made = timing(tq1, draft)
    if made and "occurrenceTiming" not in resource:
        resource.pop("occurrenceDateTime", None)
        resource["occurrenceTiming"] = made
    amount = quantity(tq1, draft)
    if amount:
        resource["quantityQuantity"] = amount
    said = instructions(tq1)
    if said:
        resource.setdefault("note", []).extend(said)


def _keys(order: Order, number: Numbers, resource: Resource, shared: frozenset[Key]) -> tuple[Key, ...]:
    """Either number; one that several services share only together with the service; none at all: the message's own."""
    found = []
    for each in (key(number.filler), key(number.placer)):
        if each is not None and each in shared:
            each = Key(SYSTEM, f"{each.system}|{each.value}|{service(order)}")
            resource["identifier"].append({"system": each.system, "value": each.value})
        if each is not None:
            found.append(each)
    if not found:
        derived = Key(SYSTEM, f"{number.name}|{service(order)}")
        resource.setdefault("identifier", []).append({"system": derived.system, "value": derived.value})
        found.append(derived)
    return tuple(dict.fromkeys(found))


def shared_numbers(orders: list[tuple[Order, Numbers]]) -> frozenset[Key]:
    """Numbers that stand in several orders of one message although these are different services."""
    seen: dict[Key, set[tuple[str, str]]] = {}
    for order, number in orders:
        for each in (key(number.placer), key(number.filler)):
            if each is not None:
                seen.setdefault(each, set()).add((number.name, service(order)))
    return frozenset(each for each, services in seen.items() if len(services) > 1)
