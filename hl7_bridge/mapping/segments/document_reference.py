"""TXA to DocumentReference: identity, states, people, and what it adds to or replaces.

HL7 v2.5.1 sections 9.5 (MDM events), 9.7.1 (TXA), tables 0271 to 0273; official map TXA[DocumentReference].
"""

from typing import Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table, v2_system
from hl7_bridge.mapping.datatypes.coded import coded, concept
from hl7_bridge.mapping.datatypes.identifiers import Identifier, entity, key
from hl7_bridge.mapping.datatypes.texts import clean, string
from hl7_bridge.mapping.datatypes.times import date_time, instant
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Key, Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, ignored
from hl7_bridge.mapping.segments.pharmacy_order import waits_for

SYSTEM: Final = "https://hearth.health/v2/document"
_ALTERNATE: Final = "http://hl7.org/fhir/StructureDefinition/alternate-codes"


def _type(value: Value, draft: Draft) -> Resource | None:
    """Table 0270 unless another system is named."""
    found = concept(value, draft)
    for each in (found or {}).get("coding", ())[:1]:
        if "code" in each and "system" not in each:
            each["system"] = v2_system("0270")
    return found


def _file(value: Value, draft: Draft) -> Identifier | None:
    name = clean(value.whole)
    return {"system": draft.own("document-file"), "value": name} if name else None


TXA: Final = SegmentMap(
    "TXA",
    "DocumentReference",
    (
        SET_ID,
        Row(2, "type", _type),
        Row(3, "content.attachment.contentType"),
        Row(4, "context.period.start", origin=OWN),
        Row(5, "author", origin=OWN),
        Row(6, "date", instant),
        Row(9, "author"),
        Row(10, "authenticator"),
        Row(12, "masterIdentifier"),
        Row(13, "relatesTo", origin=OWN),
        Row(14, "context.related", origin=OWN),
        Row(15, "context.related", origin=OWN),
        Row(16, "identifier[]", _file),
        Row(17, "docStatus"),
        Row(18, "securityLabel[]", coded("DocumentConfidentialityStatus")),
        Row(19, "status"),
        ignored(20, "Where the sender keeps it; the content is here, or its address is."),
        Row(22, "authenticator", origin=OWN),
        Row(25, "description", string),
    ),
    official="TXA[DocumentReference]",
)

RANKS: Final = {"preliminary": 0, "final": 1, "amended": 2, "entered-in-error": 3}
_EDITS: Final = frozenset({"T07", "T08"})
_REPLACES: Final = frozenset({"T09", "T10"})
_CANCELLED: Final = "T11"


def identity(txa: Segment, draft: Draft) -> tuple[Identifier, Key]:
    """TXA-12; a document without a number is the message's own."""
    found = entity(txa.first(12), draft, own="document")
    known = key(found)
    if found is not None and known is not None:
        return found, known
    own = Key(SYSTEM, f"{draft.own('message')}|{draft.message.control_id}|{txa.index}")
    return {"system": own.system, "value": own.value}, own


def states(txa: Segment, resource: Resource, draft: Draft) -> None:
    """``status`` and ``docStatus``: by the event when it is cancelled, else as TXA-19 and TXA-17 say."""
    availability = txa.text(19).strip()
    resource["status"] = _AVAILABILITY.get(availability, "current")
    if availability in ("CA", "OB", "UN"):
        coding = {"system": v2_system("0273"), "code": availability}
        resource["_status"] = {"extension": [{"url": _ALTERNATE, "valueCodeableConcept": {"coding": [coding]}}]}
    completion = txa.text(17).strip()
    draft.place = "TXA-17"
    found = draft.translate(table("DocumentCompletionStatus"), completion) if completion else None
    if found is not None:
        is_edited = draft.message.event in _EDITS and found.code == "final"
        resource["docStatus"] = "amended" if is_edited else found.code
    if draft.message.event == _CANCELLED:
        resource["status"] = resource["docStatus"] = "entered-in-error"


_AVAILABILITY: Final = {"OB": "superseded", "CA": "entered-in-error"}


def rank(resource: Resource) -> int:
    """A document never goes back to an earlier state; one in error is the last."""
    if resource["status"] == "entered-in-error":
        return RANKS["entered-in-error"]
    return RANKS.get(resource.get("docStatus", "preliminary"), 0)


def people(txa: Segment, resource: Resource, draft: Draft) -> None:
    """TXA-9 wrote it, TXA-5 where nobody is named there; TXA-10 signs, or as TXA-22 says has signed."""
    authors = [who for value in txa.all(9) or txa.all(5) if (who := practitioner(value, draft))]
    if authors:
        resource["author"] = authors
    for field in (10, 22):
        signed = [who for value in txa.all(field) if (who := practitioner(value, draft))]
        if signed:
            resource["authenticator"] = signed[0]
            break


def parent(txa: Segment, resource: Resource, own: Key, draft: Draft) -> Key | None:
    """TXA-13: the document this one adds to, or replaces; None when it names itself."""
    known = key(entity(txa.first(13), draft, own="document")) if txa.has(13) else None
    if known is None or known == own:
        return None
    resource["relatesTo"] = [{"code": _relation(draft.message.event), "target": waits_for("DocumentReference", known)}]
    return known


def _relation(event: str) -> str:
    return "replaces" if event in _REPLACES or event in _EDITS else "appends"


def is_replacement(draft: Draft) -> bool:
    """Whether the event says that TXA-13 is not to be used any more."""
    return draft.message.event in _REPLACES


def around(txa: Segment, orders: list[Resource], resource: Resource, draft: Draft) -> None:
    """``context``: the visit, when it was done, and the orders it answers."""
    found: Resource = {}
    if draft.encounter is not None:
        found["encounter"] = [draft.encounter.reference]
    at = date_time(txa.first(4), draft) if txa.has(4) else None
    if at:
        found["period"] = {"start": at}
    related = orders or _numbered(txa, draft)
    if related:
        found["related"] = related
    if found:
        resource["context"] = found


def _numbered(txa: Segment, draft: Draft) -> list[Resource]:
    """TXA-14 and TXA-15 where no ORC came along."""
    made = []
    for field, own in ((14, "placer"), (15, "filler")):
        for value in txa.all(field):
            known = key(entity(value, draft, own=own))
            if known:
                made.append(waits_for("ServiceRequest", known))
    return made
