"""PL to Location: the most precise place, part of the next, up to the facility.

HL7 v2.5.1 section 2A.53 (PL); official map PL[Location].
"""

from typing import Final

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.code_tables.tables import v2_system
from hl7_bridge.mapping.datatypes.identifiers import entity
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import facility
from hl7_bridge.mapping.model import Key, Resource
from hl7_bridge.mapping.reading import quoted

Reference = Resource

PHYSICAL: Final = "http://terminology.hl7.org/CodeSystem/location-physical-type"
STATUSES: Final = frozenset({"active", "suspended", "inactive"})
_LEVELS: Final = ((3, "si"), (4, "bu"), (5, "lvl"), (0, ""), (1, "ro"), (2, "bd"))
"""From the widest: the place in (point of care, room, bed, facility, building, floor) and the physical type.

The code system has none for a point of care, which may be a ward, a clinic or a department.
"""

Parts = tuple[Value, ...]
"""Point of care, room, bed, facility, building, floor; each an HD (or IS) whose components are sub-components here."""


def location(value: Value, draft: Draft) -> Reference | None:
    """PL as a reference to the Location of its most precise part."""
    known, found = draft.seen("PL", value.raw)
    return found if known else draft.remember("PL", value.raw, _location(value, draft))


def _location(value: Value, draft: Draft) -> Reference | None:
    parts = tuple(value.part(n) for n in (1, 2, 3, 4, 7, 8))
    more: Resource = {}
    status = value.text(5).lower()
    if status in STATUSES:
        more["status"] = status
    description = clean(value.text(9))
    if description:
        more["description"] = description
    whole = entity(value.part(10), draft, own="location") if len(value) > 9 else None
    if whole:
        assigner = facility(value.part(11), draft) if value.raw_part(11) else None
        more["identifier"] = {**whole, "assigner": assigner} if assigner else whole
    return place(parts, draft, more)


def place(parts: Parts, draft: Draft, more: Resource | None = None) -> Reference | None:
    """The Location of ``parts``; ``more`` describes the most precise of them."""
    said = [(parts[n], kind) for n, kind in _LEVELS if parts[n].text(1).strip() or parts[n].text(2).strip()]
    if not said:
        return _described(more, draft) if more else None
    above: Reference | None = None
    path = ""
    for number, (part, kind) in enumerate(said):
        text = part.text(1).strip() or part.text(2).strip()
        step = f"{kind or 'poc'}:{quoted(text)}"
        path = f"{path}/{step}" if path else step
        above = _level(path, part, kind, above, more if number == len(said) - 1 else None, draft)
    return above


def _level(
    path: str, part: Value, kind: str, above: Reference | None, more: Resource | None, draft: Draft
) -> Reference:
    key = Key(draft.own("location"), path)
    text, universal, type = (part.text(n).strip() for n in (1, 2, 3))
    resource: Resource = {
        "resourceType": "Location",
        # What people call it, and where it is: a bed 1 is in every room.
        "identifier": [{"value": text or universal}, {"system": key.system, "value": key.value}],
        "name": text or universal,
        "mode": "instance",
        "physicalType": {"coding": [{"system": PHYSICAL, "code": kind}]} if kind else {"text": "point of care"},
    }
    if universal:
        kind_of_id = {"type": {"coding": [{"system": v2_system("0301"), "code": type}]}} if type else {}
        resource["identifier"].append({**kind_of_id, "value": universal})
    if above:
        resource["partOf"] = above
    if more:
        _describe(resource, more)
    return draft.mention(resource, (key,))


def _describe(resource: Resource, more: Resource) -> None:
    for name, value in more.items():
        if name == "identifier":
            resource["identifier"].append(value)
        else:
            resource[name] = value


def _described(more: Resource, draft: Draft) -> Reference | None:
    """A place that has a description or a number of its own and no parts."""
    whole, text = more.get("identifier"), more.get("description", "")
    key = Key(whole["system"], whole["value"]) if whole and "system" in whole else Key(draft.own("location"), text)
    resource: Resource = {
        "resourceType": "Location",
        "identifier": [{"system": key.system, "value": key.value}],
        "mode": "instance",
    }
    if text:
        resource["description"] = resource["name"] = text
    return draft.mention(resource, (key,))
