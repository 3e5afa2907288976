"""SPM, and the specimen fields of OBR, to Specimen.

HL7 v2.5.1 sections 7.4.3 (SPM), 7.4.1 (OBR-15); official maps SPM[Specimen], OBR[Specimen], SPS[Specimen-Source].
"""

from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.datatypes.coded import coded, concept
from hl7_bridge.mapping.datatypes.identifiers import entity, entity_pair, identifier, keys
from hl7_bridge.mapping.datatypes.numbers import simple_quantity
from hl7_bridge.mapping.datatypes.texts import clean, string
from hl7_bridge.mapping.datatypes.times import between, date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.practitioners import practitioner
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, apply
from hl7_bridge.mapping.segments.notes import annotations

SYSTEM: Final = "https://hearth.health/v2/specimen"


def _note(value: Value, draft: Draft) -> Resource | None:
    text = string(value, draft)
    return {"text": text} if text else None


def _comment(value: Value, draft: Draft) -> Resource | None:
    """A coded comment in words: the original text, else any text, else any code."""
    found = next((text for n in (9, 2, 5, 11, 1, 4, 10, 7, 8, 12, 13, 3, 6) if (text := clean(value.text(n)))), None)
    return {"text": found} if found else None


def _additive(value: Value, draft: Draft) -> Resource | None:
    found = coded("AdditivePreservative")(value, draft)
    return {"additiveCodeableConcept": found} if found else None


def _other(value: Value, draft: Draft) -> Resource | None:
    found = identifier(value, draft)
    if found:
        found.setdefault("system", draft.own("specimen"))
    return found


def _shipment(value: Value, draft: Draft) -> Resource | None:
    return entity(value, draft, "SHIP", "shipment")


def _status(value: Value, draft: Draft) -> str | None:
    found = table("YesNoIndicator[AvailabilityStatus]").codes.get(value.text())
    return found.code if found else None


SPM = SegmentMap(
    "SPM",
    "Specimen",
    (
        SET_ID,
        Row(2, "identifier"),
        Row(3, "parent"),
        Row(4, "type", coded("SpecimenType")),
        Row(6, "container[]", _additive),
        Row(7, "collection.method", coded("SpecimenCollectionMethod")),
        Row(8, "collection.bodySite", concept),
        Row(12, "collection.quantity", simple_quantity),
        Row(14, "note[]", _note),
        Row(17, "collection.collectedDateTime"),
        Row(18, "receivedTime", date_time),
        Row(20, "status", _status),
        Row(21, "condition[]", coded("SpecimenRejectReason"), OWN),
        Row(24, "condition[]", coded("SpecimenCondition")),
        Row(27, "container.type"),
        Row(30, "accessionIdentifier", identifier),
        Row(31, "identifier[]", _other),
        Row(32, "identifier[]", _shipment),
    ),
    official="SPM[Specimen]",
)

OBR = SegmentMap(
    "OBR",
    "Specimen",
    (
        Row(7, "collection.collectedDateTime"),
        Row(8, "collection.collectedPeriod.end"),
        Row(9, "collection.quantity", simple_quantity),
        Row(10, "collection.collector", practitioner),
        Row(14, "receivedTime", date_time),
        Row(15, "type"),
        Row(39, "note[]", _comment),
    ),
    official="OBR[Specimen]",
)


def specimen(spm: Segment, notes: list[Segment], scope: str, draft: Draft) -> Entry:
    """The Specimen of ``spm``; ``scope`` names the report or order it belongs to, when it has no number of its own."""
    resource: Resource = {"resourceType": "Specimen"}
    numbers = _numbers(spm.first(2), draft)
    if numbers:
        resource["identifier"] = numbers
    apply(SPM, spm, resource, draft)
    _collected(resource, spm.text(17), spm.text(17, 2), draft)
    _container(spm, resource, draft)
    said = annotations(notes, draft)
    if said:
        resource.setdefault("note", []).extend(said)
    resource["subject"] = draft.subject
    parents = _parents(spm, draft)
    if parents:
        resource["parent"] = parents
    known = keys(numbers) or keys([each for each in (resource.get("accessionIdentifier"),) if each])
    if not known:
        known = (Key(SYSTEM, "|".join((scope, spm.text(1), spm.text(4), spm.text(17)))),)
        resource.setdefault("identifier", []).append({"system": known[0].system, "value": known[0].value})
    return draft.known("Specimen", known) or draft.add(resource, Policy.RESULT, known, spm)


def _numbers(value: Value, draft: Draft) -> list[Resource]:
    return entity_pair(value, draft, ("PGN", "FGN"), ("specimen-placer", "specimen")) if value else []


def _parents(spm: Segment, draft: Draft) -> list[Resource]:
    found = []
    for value in spm.all(3):
        numbers = _numbers(value, draft)
        known = keys(numbers)
        if known:
            parent: Resource = {"resourceType": "Specimen", "identifier": numbers, "subject": draft.subject}
            found.append(draft.mention(parent, known))
    return found


def _collected(resource: Resource, start: str, end: str, draft: Draft) -> None:
    if not start and not end:
        return
    if end:
        lasting = between(start, end, draft)
        if lasting:
            resource.setdefault("collection", {})["collectedPeriod"] = lasting
        return
    lasting = between(start, "", draft)
    if lasting:
        resource.setdefault("collection", {})["collectedDateTime"] = lasting["start"]


def _container(spm: Segment, resource: Resource, draft: Draft) -> None:
    kind = concept(spm.first(27), draft) if spm.has(27) else None
    if kind:
        resource.setdefault("container", [{}])[0]["type"] = kind


_OWN_FIELDS: Final = (9, 10, 14, 15, 39)
"""Fields of OBR that speak of a specimen and of nothing else."""


def add_order(obr: Segment, entry: Entry, draft: Draft) -> None:
    """What an OBR says of its only specimen, where SPM does not."""
    if not any(obr.first(n) for n in _OWN_FIELDS):
        return
    told = _told(obr, draft)
    resource = entry.resource
    for name, value in told.items():
        if name == "collection":
            resource[name] = {**value, **resource.get(name, {})}
            both = {"collectedDateTime", "collectedPeriod"}
            if both <= resource[name].keys():
                del resource[name][next(iter(both & value.keys()))]
        elif name == "note":
            resource.setdefault(name, []).extend(value)
        else:
            resource.setdefault(name, value)
    entry.sources = (*entry.sources, obr.index)


def _told(obr: Segment, draft: Draft) -> Resource:
    resource: Resource = {"resourceType": "Specimen"}
    apply(OBR, obr, resource, draft)
    _collected(resource, obr.text(7), obr.text(8), draft)
    _source(obr.first(15), resource, draft)
    return resource


def specimen_of_order(obr: Segment, scope: str, draft: Draft) -> Entry | None:
    """The Specimen that an OBR without SPM tells of; None when it tells of none."""
    if not any(obr.first(n) for n in _OWN_FIELDS):
        return None
    resource = _told(obr, draft)
    resource["subject"] = draft.subject
    known = Key(SYSTEM, f"{scope}|OBR")
    resource.setdefault("identifier", []).append({"system": known.system, "value": known.value})
    return draft.add(resource, Policy.RESULT, (known,), obr)


def _source(value: Value, resource: Resource, draft: Draft) -> None:
    """SPS: kind, additives, words, body site, and how it was collected."""
    if not value:
        return
    parts = {n: concept(value.part(n), draft) for n in (1, 2, 4, 6) if value.raw_part(n)}
    kind: Any = parts.get(1)
    if kind:
        resource["type"] = kind
    if parts.get(2):
        resource["container"] = [{"additiveCodeableConcept": parts[2]}]
    if parts.get(4):
        resource.setdefault("collection", {})["bodySite"] = parts[4]
    if parts.get(6):
        resource.setdefault("condition", []).append(parts[6])
    text = clean(value.text(3))
    if text:
        resource.setdefault("note", []).append({"text": text})
