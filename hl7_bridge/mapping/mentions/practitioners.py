"""XCN, CNN and NDL to Practitioner and PractitionerRole, as references from where they stand.

HL7 v2.5.1 sections 2A.88 (XCN), 2A.10 (CNN), 2A.48 (NDL); official maps XCN[Practitioner], NDL[PractitionerRole].
"""

from typing import Any

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.code_tables.tables import table, v2_system
from hl7_bridge.mapping.datatypes.identifiers import Identifier, check_digit, key, typed
from hl7_bridge.mapping.datatypes.names import CNN, XCN, Parts, display, name
from hl7_bridge.mapping.datatypes.times import between
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.locations import STATUSES, place
from hl7_bridge.mapping.model import Key, Resource

Reference = Resource


def practitioner(value: Value, draft: Draft) -> Reference | None:
    """XCN as a reference to a Practitioner; a person without a number is a reference by name only."""
    known, found = draft.seen("XCN", value.raw)
    return found if known else draft.remember("XCN", value.raw, _practitioner(value, draft))


def _practitioner(value: Value, draft: Draft) -> Reference | None:
    called = name(value, XCN, draft)
    return _mentioned(_identified(value, draft), called, _qualified(value), draft)


def _mentioned(identity: Identifier | None, called: Resource | None, more: Resource, draft: Draft) -> Reference | None:
    if identity is None:
        return {"type": "Practitioner", "display": display(called)} if called else None
    resource: Resource = {"resourceType": "Practitioner", "identifier": [identity]}
    if called:
        resource["name"] = [called]
    resource.update(more)
    found = key(identity)
    assert found is not None
    return draft.mention(resource, (found,))


def _identified(value: Value, draft: Draft) -> Identifier | None:
    number = value.text(1).strip()
    if not number:
        return None
    found: Identifier = {}
    check = check_digit(value.text(11), value.text(12))
    if check:
        found["extension"] = check
    kind = value.text(13)
    if kind:
        found["type"] = typed(kind)
    found["system"] = _system(value.part(9), kind, draft)
    found["value"] = number
    return found


def _system(assigner: Value, kind: str, draft: Draft) -> str:
    if kind == "NPI":
        return "http://hl7.org/fhir/sid/us-npi"
    return draft.authority(assigner.text(1), assigner.text(2), assigner.text(3)) or draft.own("practitioner")


def _qualified(value: Value) -> Resource:
    degree = value.text(7)
    if degree not in table("DegreeLicenseCertificate").codes:
        return {}
    return {"qualification": [{"code": {"coding": [{"system": v2_system("0360"), "code": degree}]}}]}


def practitioner_role(value: Value, draft: Draft, more: Resource, kind: str) -> Reference | None:
    """XCN with what the person is here (``more``: organization, code, period) as a PractitionerRole of ``kind``.

    Without a number, or with nothing more to say, it is the reference that ``practitioner`` gives.
    """
    person = practitioner(value, draft)
    if person is None or "reference" not in person or not more:
        return person
    return _role(person, more, kind, draft)


def _role(person: Reference, more: Resource, kind: str, draft: Draft) -> Reference:
    entry, organization = draft.entry(person), draft.entry(more.get("organization"))
    assert entry is not None
    who = entry.keys[0]
    where = organization.keys[0] if organization is not None and organization.keys else None
    parts = (kind, who.system, who.value, *(where or ()))
    identity = Key(draft.own("practitioner-role"), "|".join(parts))
    resource: Resource = {
        "resourceType": "PractitionerRole",
        "identifier": [{"system": identity.system, "value": identity.value}],
        "practitioner": person,
        **more,
    }
    return draft.mention(resource, (identity,))


def named_with_role(value: Value, draft: Draft, kind: str) -> Reference | None:
    """NDL: a CNN in NDL-1, when and where it was done in the rest, as a PractitionerRole."""
    known, found = draft.seen(kind, value.raw)
    return found if known else draft.remember(kind, value.raw, _named(value, draft, kind))


def _named(value: Value, draft: Draft, kind: str) -> Reference | None:
    person = value.part(1)
    identity = _numbered(person, draft)
    who = _mentioned(identity, name(person, CNN, draft), _degree(person, CNN), draft)
    if who is None or identity is None:
        return who
    more: Resource = {}
    lasting = between(value.text(2), value.text(3), draft)
    if lasting:
        more["period"] = lasting
    status = value.text(8).lower()
    at = tuple(value.part(n) for n in (4, 5, 6, 7, 10, 11))
    where = place(at, draft, {"status": status} if status in STATUSES else None)
    if where:
        more["location"] = [where]
    return _role(who, more, kind, draft) if more else who


def _numbered(person: Value, draft: Draft) -> Identifier | None:
    number = person.text(1).strip()
    if not number:
        return None
    kind = person.text(8)
    system = draft.authority(person.text(9), person.text(10), person.text(11)) or draft.own("practitioner")
    return {"system": system, "value": number} | ({"type": typed(kind)} if kind and len(kind) <= 5 else {})


def _degree(person: Value, parts: Parts) -> dict[str, Any]:
    degree = person.text(parts.degree)
    if degree not in table("DegreeLicenseCertificate").codes:
        return {}
    return {"qualification": [{"code": {"coding": [{"system": v2_system("0360"), "code": degree}]}}]}
