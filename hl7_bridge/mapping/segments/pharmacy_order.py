"""ORC of pharmacy messages: numbers, identities, state and who asked, shared by orders, dispenses and administrations.

HL7 v2.5.1 section 4.5.1 (ORC), tables 0038 and 0119; official map ORC[MedicationAdministration]; the rest is ours.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from hl7_bridge.er7 import Segment
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.coded import coding_of, concept
from hl7_bridge.mapping.datatypes.identifiers import Identifier, entity, entity_pair, key
from hl7_bridge.mapping.datatypes.times import millis
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import described
from hl7_bridge.mapping.mentions.practitioners import practitioner, practitioner_role
from hl7_bridge.mapping.model import Key, Resource
from hl7_bridge.mapping.prescriptions import Prescription
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap, ignored

ORIGINAL: Final = "https://hearth.health/v2/original-order"
"""Identities of original orders whose placer's number is missing, or stands for several drugs."""
ENCODED: Final = "https://hearth.health/v2/encoded-order"
"""Identities of what a pharmacy made of an order: its number says both, so the number alone would be two things."""

_CONTROL = ignored(6, "Transport: which response is wanted.")

ORC: Final = SegmentMap(
    "ORC",
    "MedicationRequest",
    (
        Row(1, "status", origin=OWN),
        Row(2, "identifier", origin=OWN),
        Row(3, "identifier", origin=OWN),
        Row(4, "groupIdentifier", origin=OWN),
        Row(5, "status", origin=OWN),
        _CONTROL,
        Row(7, "dosageInstruction.timing", origin=OWN),
        Row(8, "priorPrescription", origin=OWN),
        Row(9, "authoredOn", origin=OWN),
        Row(10, "Provenance.agent"),
        Row(11, "Provenance.agent"),
        Row(12, "requester", origin=OWN),
        Row(16, "statusReason", concept, OWN),
        Row(19, "Provenance.agent"),
        Row(21, "PractitionerRole.organization", origin=OWN),
        Row(22, "Organization.address", origin=OWN),
        Row(23, "Organization.telecom", origin=OWN),
        Row(28, "meta.security[]", coding_of("ConfidentialityCode"), OWN),
    ),
)

ORC_DISPENSE: Final = SegmentMap(
    "ORC",
    "MedicationDispense",
    (
        Row(1, "status", origin=OWN),
        Row(2, "authorizingPrescription", origin=OWN),
        Row(3, "authorizingPrescription", origin=OWN),
        Row(5, "status", origin=OWN),
        _CONTROL,
        Row(10, "Provenance.agent"),
        Row(11, "Provenance.agent"),
        Row(19, "Provenance.agent"),
        Row(28, "meta.security[]", coding_of("ConfidentialityCode"), OWN),
    ),
)

_EVENT: Final = "http://hl7.org/fhir/StructureDefinition/businessEvent"

ORC_ADMINISTRATION: Final = SegmentMap(
    "ORC",
    "MedicationAdministration",
    (
        ignored(1, "What the order's state is; RXA-20 and RXA-21 say what became of this administration."),
        Row(2, "request"),
        Row(3, "request"),
        _CONTROL,
        Row(10, "Provenance.agent"),
        Row(11, "Provenance.agent"),
        Row(12, "performer"),
        Row(19, "Provenance.agent"),
        Row(28, "meta.security[]", coding_of("ConfidentialityCode")),
    ),
    official="ORC[MedicationAdministration]",
)


class Numbers(NamedTuple):
    """The order's numbers, and the identities of the original and of the encoded order."""

    placer: Identifier | None
    filler: Identifier | None
    original: Key
    encoded: Key


def numbers(found: Prescription, shared: frozenset[Key], draft: Draft) -> Numbers:
    """``shared`` are numbers that stand for several drugs in the message."""
    placer, filler = plain(found.order.orc, draft)
    known_placer, known_filler = key(placer), key(filler)
    which = known_filler or known_placer
    drug = f"|{drug_code(found)}" if which in shared or known_placer in shared else ""
    name = "|".join(which) if which else _place(found, draft)
    original = (
        known_placer if known_placer and not drug else Key(ORIGINAL, ("|".join(known_placer or ()) or name) + drug)
    )
    return Numbers(placer, filler, original, Key(ENCODED, name + drug))


def plain(orc: Segment | None, draft: Draft) -> tuple[Identifier | None, Identifier | None]:
    """ORC-2 and ORC-3."""
    if orc is None:
        return None, None
    return entity(orc.first(2), draft, "PLAC", "placer"), entity(orc.first(3), draft, "FILL", "filler")


def _place(found: Prescription, draft: Draft) -> str:
    """An order without any number is the message's own."""
    first = found.order.orc or found.parts[0].segment
    return f"{draft.own('message')}|{draft.message.control_id}|{first.index}"


_DRUGS: Final = {"RXO": 1, "RXE": 2, "RXD": 2, "RXG": 4, "RXA": 5}


def drug_code(found: Prescription) -> str:
    """The drug in a word, to tell orders under one number apart."""
    part = found.parts[0]
    field = _DRUGS[part.name]
    return part.segment.text(field) or part.segment.text(field, 2) or part.segment.text(field, 9)


def shared_numbers(orders: Iterable[Prescription], draft: Draft) -> frozenset[Key]:
    """Numbers under which the message has different drugs. RXA of one order often give several components."""
    seen: dict[Key, set[str]] = {}
    for found in orders:
        for each in plain(found.order.orc, draft):
            known = key(each)
            if known:
                seen.setdefault(known, set()).add(drug_code(found))
    return frozenset(each for each, drugs in seen.items() if len(drugs) > 1)


def waits_for(kind: str, identity: Key, of_type: Resource | None = None) -> Resource:
    """A reference by identity to what another message brings, or has brought."""
    identifier = {"system": identity.system, "value": identity.value}
    return {"type": kind, "identifier": {**({"type": of_type} if of_type else {}), **identifier}}


_CANCELS: Final = frozenset({"cancelled", "stopped"})


def status(orc: Segment | None, draft: Draft) -> str:
    """MedicationRequest.status of ORC-5, else of ORC-1: what a control code ends, no order status brings back."""
    if orc is None:
        return "unknown"
    controlled = _translated(orc, 1, "OrderControlCode[MedicationRequest.status]", draft)
    stated = _translated(orc, 5, "OrderStatus[MedicationRequest.status]", draft)
    if controlled in _CANCELS and stated in ("active", "unknown", None):
        return controlled
    return stated or controlled or "unknown"


def _translated(orc: Segment, field: int, name: str, draft: Draft) -> str | None:
    code = orc.text(field)
    if not code:
        return None
    draft.place = f"ORC-{field}"
    found = draft.translate(table(name), code)
    return found.code if found is not None else None


def asked(orc: Segment | None, draft: Draft) -> Resource | None:
    """Who ordered: ORC-12 at ORC-21, or only one of them."""
    if orc is None:
        return None
    at = described(orc.first(21), orc.first(22), orc.all(23), draft) if orc.has(21) else None
    if orc.first(12):
        return practitioner_role(orc.first(12), draft, {"organization": at} if at else {}, "requester")
    return at


def group(orc: Segment | None, draft: Draft) -> Identifier | None:
    """ORC-4."""
    if orc is None or not orc.first(4):
        return None
    value = orc.first(4)
    if "&" in value.raw:
        pair = entity_pair(value, draft, ("PGN", "FGN"), ("placer-group", "filler-group"))
        return pair[0] if pair else None
    return entity(value, draft, "PGN", "placer-group")


def parent(orc: Segment | None, draft: Draft) -> Resource | None:
    """ORC-8: the order that this one replaces or came of."""
    if orc is None or not orc.has(8):
        return None
    pair = entity_pair(orc.first(8), draft, ("PLAC", "FILL"), ("placer", "filler"))
    known = key(pair[0]) if pair else None
    return waits_for("MedicationRequest", known) if known else None


def said_at(orc: Segment | None, draft: Draft) -> int | None:
    """ORC-9 in ms."""
    return millis(orc.text(9), draft) if orc is not None and orc.has(9) else None


def verifier(segment: Segment, field: int, draft: Draft) -> Resource | None:
    """A person in ``field`` (XCN)."""
    return practitioner(segment.first(field), draft) if segment.has(field) else None
