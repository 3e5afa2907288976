"""Drugs: a code where that is all, else a Medication with form, strength, ingredients (RXC) or batch.

HL7 v2.5.1 sections 4.14.1 (RXO), 4.14.3 (RXC), 4.14.5 (RXD); official map RXO[MedicationRequest]; RXC is ours.
"""

from dataclasses import dataclass
from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.datatypes.coded import concept
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import date_time
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.prescriptions import Part
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap
from hl7_bridge.mapping.segments.dosage import amount

SYSTEM: Final = "https://hearth.health/v2/medication"

RXC: Final = SegmentMap(
    "RXC",
    "Medication",
    (
        Row(1, "ingredient.isActive", origin=OWN),
        Row(2, "ingredient.itemCodeableConcept", origin=OWN),
        Row(3, "ingredient.strength.numerator.value", origin=OWN),
        Row(4, "ingredient.strength.numerator.code", origin=OWN),
        Row(5, "ingredient.strength.numerator.value", origin=OWN),
        Row(6, "ingredient.strength.numerator.code", origin=OWN),
        Row(8, "ingredient.strength.denominator.value", origin=OWN),
        Row(9, "ingredient.strength.denominator.code", origin=OWN),
    ),
)


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a segment describe the drug; 0 where it has none."""

    code: int
    form: int = 0
    strength: int = 0
    strength_units: int = 0
    volume: int = 0
    volume_units: int = 0
    lot: int = 0
    expires: int = 0
    manufacturer: int = 0


def medication(part: Part, fields: Fields, owner: Key, policy: Policy, draft: Draft) -> tuple[Resource, Entry | None]:
    """``medication[x]`` of the resource whose identity is ``owner``, and the Medication when one is made."""
    segment = part.segment
    draft.place = f"{segment.name}-{fields.code}"
    code = concept(segment.first(fields.code), draft) if segment.has(fields.code) else None
    resource: Resource = {"resourceType": "Medication"}
    _described(segment, fields, code, resource, draft)
    components = [made for rxc in part.components if (made := _component(rxc, draft))]
    if components:
        # The strength of the whole would be an ingredient of its own name: with components it says nothing they do not.
        resource["ingredient"] = components
    if len(resource) == 1:
        return {"medicationCodeableConcept": code or {"text": "unknown"}}, None
    key = Key(SYSTEM, f"{owner.system}|{owner.value}")
    resource["identifier"] = [{"system": key.system, "value": key.value}]
    resource["code"] = code or {"text": "unknown"}
    entry = draft.add(resource, policy, (key,), *part.segments)
    return {"medicationReference": entry.reference}, entry


def _described(segment: Segment, fields: Fields, code: Resource | None, resource: Resource, draft: Draft) -> None:
    form = concept(segment.first(fields.form), draft) if fields.form and segment.has(fields.form) else None
    if form:
        resource["form"] = form
    strong = _ratio(
        segment,
        (fields.strength, fields.strength_units, fields.volume, fields.volume_units),
        draft,
    )
    if strong:
        resource["ingredient"] = [{"itemCodeableConcept": code or {"text": "unknown"}, "strength": strong}]
    batch: dict[str, Any] = {}
    if fields.lot and segment.text(fields.lot):
        batch["lotNumber"] = segment.first(fields.lot).whole
    expires = (
        date_time(segment.first(fields.expires), draft) if fields.expires and segment.has(fields.expires) else None
    )
    if expires:
        batch["expirationDate"] = expires
    if batch:
        resource["batch"] = batch
    if fields.manufacturer and segment.has(fields.manufacturer):
        made_by = maker(segment.first(fields.manufacturer), draft)
        if made_by:
            resource["manufacturer"] = made_by


def maker(value: Value, draft: Draft) -> Resource | None:
    """A manufacturer (CE) as a reference to an Organization, known by its name."""
    name = clean(value.text(2) or value.text(1))
    if name is None:
        return None
    return draft.mention({"resourceType": "Organization", "name": name}, (Key(draft.own("organization"), name),))


def _ratio(segment: Segment, fields: tuple[int, int, int, int], draft: Draft) -> Resource | None:
    """Strength: an amount per volume, or per one of what is given."""
    value, units, volume, volume_units = fields
    numerator = amount(segment.text(value), segment.first(units), draft) if value and segment.has(value) else None
    if numerator is None:
        return None
    per = amount(segment.text(volume), segment.first(volume_units), draft) if volume and segment.has(volume) else None
    return {"numerator": numerator, "denominator": per or {"value": 1}}


_ACTIVE: Final = {"A": True, "B": False}
"""Table 0166: an additive is what works, the base what carries it."""


def _component(rxc: Segment, draft: Draft) -> Resource | None:
    if draft.trace is not None:
        draft.trace.uses(RXC, rxc)
    item = concept(rxc.first(2), draft) if rxc.has(2) else None
    if item is None:
        return None
    made: Resource = {"itemCodeableConcept": item}
    if rxc.text(1) in _ACTIVE:
        made["isActive"] = _ACTIVE[rxc.text(1)]
    strong = _ratio(rxc, (3, 4, 8, 9), draft) or _ratio(rxc, (5, 6, 8, 9), draft)
    if strong:
        made["strength"] = strong
    return made
