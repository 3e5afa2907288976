"""OBX to Observation.

HL7 v2.5.1 section 7.4.2 (OBX); official map OBX[Observation]; identity and rank are ours.
"""

from typing import Any, Final

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import CodeTable, table, v2_system
from hl7_bridge.mapping.datatypes.coded import coded, concept, service
from hl7_bridge.mapping.datatypes.identifiers import entity, key, typed
from hl7_bridge.mapping.datatypes.numbers import number
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.datatypes.times import date_time, millis
from hl7_bridge.mapping.datatypes.units import unit
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import described
from hl7_bridge.mapping.mentions.practitioners import practitioner_role
from hl7_bridge.mapping.model import Entry, Key, Policy, Resource
from hl7_bridge.mapping.orders import Result
from hl7_bridge.mapping.rows import OWN, SET_ID, Row, SegmentMap, apply, extension
from hl7_bridge.mapping.segments.notes import annotations
from hl7_bridge.mapping.segments.observation_value import CODED, LINES, value

SYSTEM: Final = "https://hearth.health/v2/observation"
PARENT: Final = "https://hearth.health/v2/parent-result"
"""What OBR-26 and OBR-29 of a child can say of the observation it came of: the order, OBX-3 and OBX-4."""
_NATURE: Final = "http://hl7.org/fhir/StructureDefinition/observation-nature-of-abnormal-test"
_ANALYSED: Final = "https://hearth.health/v2/analysis-date-time"
_ALTERNATE: Final = "http://hl7.org/fhir/StructureDefinition/alternate-codes"
_ABSENT: Final = "http://terminology.hl7.org/CodeSystem/data-absent-reason"

RANKS: Final = {
    "registered": 0,
    "unknown": 0,
    "preliminary": 1,
    "final": 2,
    "cancelled": 2,
    "amended": 3,
    "corrected": 3,
    "entered-in-error": 3,
}
"""What a status is worth: a lower one never replaces a higher one."""


def _device(each: Value, draft: Draft) -> Resource | None:
    number_ = entity(each, draft, own="device")
    known = key(number_)
    if number_ is None or known is None:
        return None
    return draft.mention({"resourceType": "Device", "identifier": [number_]}, (known,))


def _category(each: Value, draft: Draft) -> Resource | None:
    code = " ".join(each.text(1).split())
    return {"coding": [{"system": v2_system("0936"), "code": code}]} if code else None


def _sub_type(each: Value, draft: Draft) -> Resource | None:
    code = " ".join(each.text(1).split())
    return {"coding": [{"system": v2_system("0937"), "code": code}]} if code else None


OBX = SegmentMap(
    "OBX",
    "Observation",
    (
        SET_ID,
        Row(2, "value[x]"),
        Row(3, "code", service),
        Row(4, "identifier", origin=OWN),
        Row(5, "value[x]"),
        Row(6, "valueQuantity.unit"),
        Row(7, "referenceRange"),
        Row(8, "interpretation[]", coded("InterpretationCodes")),
        Row(10, "extension[]", extension(_NATURE, "valueCodeableConcept", coded("NatureOfAbnormalTesting"))),
        Row(11, "status"),
        Row(14, "effectiveDateTime", date_time),
        Row(15, "performer", origin=OWN),
        Row(16, "performer"),
        Row(17, "method", concept),
        Row(18, "device", _device),
        Row(19, "extension[]", extension(_ANALYSED, "valueDateTime", date_time), OWN),
        Row(20, "bodySite", concept),
        Row(21, "identifier"),
        Row(23, "performer"),
        Row(24, "performer.address"),
        Row(25, "performer"),
        Row(29, "category[]", _category),
        Row(
            30,
            "extension[]",
            extension("https://hearth.health/v2/observation-sub-type", "valueCodeableConcept", _sub_type),
            OWN,
        ),
        Row(33, "specimen"),
    ),
    official="OBX[Observation]",
    repeats=True,
)


class Scope:
    """What the observations of one report share: its identity, when its status changed, identities given away, and the
    identity of its order."""

    __slots__ = ("defaults", "name", "order", "taken", "time")

    def __init__(self, name: str, time: int | None, defaults: Resource, order: str = "") -> None:
        self.name, self.time, self.defaults, self.order = name, time, defaults, order
        self.taken: dict[str, int] = {}


def observation(result: Result, scope: Scope, draft: Draft) -> list[Entry]:
    """The Observations of one OBX: one, or with ``repeats = "observations"`` one for each repetition of OBX-5."""
    obx = result.obx
    values = obx.all(5)
    if draft.sender.repeats == "observations" and len(values) > 1 and obx.text(2) not in LINES:
        return [_observation(result, [each], scope, draft) for each in values]
    return [_observation(result, values, scope, draft)]


def _observation(result: Result, values: list[Value], scope: Scope, draft: Draft) -> Entry:
    obx = result.obx
    resource: Resource = {"resourceType": "Observation"}
    apply(OBX, obx, resource, draft)
    resource["status"] = status(obx, draft)
    resource.setdefault("code", {"text": "unknown"})
    resource["subject"] = draft.subject
    if draft.encounter is not None:
        resource["encounter"] = draft.encounter.reference
    _values(obx, values, resource, draft)
    _range(obx, resource, draft)
    performers = _performers(obx, draft)
    if performers:
        resource["performer"] = performers
    if result.notes:
        said = annotations(result.notes, draft)
        if said:
            resource["note"] = said
    for name, default in scope.defaults.items():
        resource.setdefault(name, default)
    keys = _identity(obx, resource, scope, draft)
    time = scope.time or millis(obx.text(19), draft)
    return draft.add(resource, Policy.RESULT, keys, obx, rank=RANKS[resource["status"]], time=time)


_STATUS: Final[CodeTable] = table("ObservationResultStatusCodesInterpretation")


def status(obx: Segment, draft: Draft) -> str:
    """OBX-11; an observation that states none is of unknown status."""
    code = obx.text(11)
    if not code:
        return "unknown"
    found = _STATUS.codes.get(code)
    if found is None or draft.sender.codes:
        draft.place = "OBX-11"
        found = draft.translate(_STATUS, code)
    return found.code if found is not None and found.code in RANKS else "unknown"


def _values(obx: Segment, values: list[Value], resource: Resource, draft: Draft) -> None:
    draft.place = "OBX-5"
    kind, units = obx.text(2), obx.first(6)
    made = [each for one in values if (each := value(kind, one, units, draft))]
    if not made:
        _absent(obx, resource)
    elif len(made) == 1:
        resource["value" + made[0][0]] = made[0][1]
    elif all(each[0] == "String" for each in made) and kind in LINES:
        resource["valueString"] = "\n".join(each[1] for each in made)
    else:
        resource["component"] = [{"code": resource["code"], "value" + name: each} for name, each in made]
    if obx.text(11) == "X":
        code = {"coding": [{"system": v2_system("0085"), "code": "X"}]}
        resource["_status"] = {"extension": [{"url": _ALTERNATE, "valueCodeableConcept": code}]}


def _absent(obx: Segment, resource: Resource) -> None:
    """OBX-11 says why there is no value; otherwise that it is not known."""
    reason = {"N": "not-asked", "X": "error", "O": "temp-unknown", "I": "temp-unknown", "S": "temp-unknown"}.get(
        obx.text(11)
    )
    if reason or obx.text(2) or obx.has(5):
        resource["dataAbsentReason"] = {"coding": [{"system": _ABSENT, "code": reason or "unknown"}]}


def _range(obx: Segment, resource: Resource, draft: Draft) -> None:
    """OBX-7 as text, and as numbers when it is two numbers."""
    text = clean(obx.first(7).whole) if obx.has(7) else None
    if not text:
        return
    found: Resource = {}
    low, dash, high = text.partition("-")
    first, last = number(low), number(high)
    if dash and first is not None and last is not None and first <= last:
        said = unit(obx.first(6), draft)
        found["low"], found["high"] = {"value": first, **said}, {"value": last, **said}
    found["text"] = text
    resource["referenceRange"] = [found]


_OBSERVER: Final = {
    "code": [
        {
            "coding": [
                {"system": "http://terminology.hl7.org/CodeSystem/practitioner-role", "code": "responsibleObserver"}
            ]
        }
    ]
}
_DIRECTOR: Final = {"code": [{"coding": [{"system": v2_system("0912"), "code": "MDIR"}]}]}


def _performers(obx: Segment, draft: Draft) -> list[Any]:
    raw = obx.raw
    if len(raw) < 16:
        return []
    said = "\r".join((*raw[15:17], *raw[23:26]))
    known, once = draft.seen("OBX-performer", said)
    if known and once is not None:
        return list(once["performer"])
    found = _performed(obx, draft)
    draft.remember("OBX-performer", said, {"performer": found})
    return found


def _performed(obx: Segment, draft: Draft) -> list[Any]:
    found = [who for each in obx.all(16) if (who := practitioner_role(each, draft, _OBSERVER, "observer"))]
    organization = _organization(obx, draft)
    if obx.has(25):
        more = {**_DIRECTOR, **({"organization": organization} if organization else {})}
        director = practitioner_role(obx.first(25), draft, more, "director")
        if director:
            found.append(director)
            organization = None if "reference" in director else organization
    return [*found, organization] if organization else found


def _organization(obx: Segment, draft: Draft) -> Resource | None:
    if obx.has(23):
        return described(obx.first(23), obx.first(24), None, draft)
    return _producer(obx.first(15), draft) if obx.has(15) else None


def _producer(each: Value, draft: Draft) -> Resource | None:
    """OBX-15, a coded name of the laboratory."""
    code, text = each.text(1).strip(), each.text(2).strip()
    if not (code or text):
        return None
    system = draft.authority(each.text(3)) if each.text(3) else draft.own("producer")
    resource: Resource = {"resourceType": "Organization"}
    if code:
        resource["identifier"] = [{"system": system, "value": code}]
    resource["name"] = text or code
    return draft.mention(resource, (Key(system, code) if code else Key(draft.own("organization"), text),))


def _identity(obx: Segment, resource: Resource, scope: Scope, draft: Draft) -> tuple[Key, ...]:
    """OBX-21 and OBX-3 (senders put the number of a slide or an order in OBX-21, too), else report, OBX-3, OBX-4 and
    OBX-14; the same ones again in one report are counted."""
    own = entity(obx.first(21), draft, own="observation") if obx.has(21) else None
    if own is not None:
        resource.setdefault("identifier", []).append({"type": typed("FILL"), **own})
    found = key(own) if own is not None else None
    what = obx.text(3) or obx.text(3, 2)
    sub = obx.first(4).whole if obx.has(4) else ""
    rest = (scope.name, what, sub, obx.text(14)) if found is None else (found.system, found.value, what)
    name = "|".join(rest)
    count = scope.taken[name] = scope.taken.get(name, 0) + 1
    if scope.order and sub and obx.text(2) in CODED:
        parent = "|".join((scope.order, what, obx.text(4)))
        resource.setdefault("identifier", []).append({"system": PARENT, "value": parent})
    derived = Key(SYSTEM, name if count == 1 else f"{name}#{count}")
    resource.setdefault("identifier", []).append({"system": derived.system, "value": derived.value})
    return (derived,)


def members(made: list[tuple[Segment, Entry]]) -> None:
    """OBX-4 of the form 1.2 is a member of the observation with OBX-4 1, when there is exactly one of it."""
    if not any("." in obx[4] for obx, _ in made):
        return
    by_number: dict[str, list[Entry]] = {}
    for obx, entry in made:
        by_number.setdefault(obx.text(4), []).append(entry)
    for obx, entry in made:
        above, dot, _ = obx.text(4).rpartition(".")
        parents = by_number.get(above, []) if dot else []
        if len(parents) == 1 and parents[0] is not entry:
            parents[0].resource.setdefault("hasMember", []).append(entry.reference)
