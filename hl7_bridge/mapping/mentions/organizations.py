"""XON and HD to Organization, as references from where they stand.

HL7 v2.5.1 sections 2A.90 (XON), 2A.33 (HD); official maps XON[Organization], HD[Organization].
"""

from hl7_bridge.er7 import Value
from hl7_bridge.mapping.datatypes.addresses import address, contact_point
from hl7_bridge.mapping.datatypes.identifiers import Identifier, check_digit, key, typed
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.model import Key, Resource
from hl7_bridge.mapping.reading import uri

Reference = Resource


def organization(value: Value, draft: Draft) -> Reference | None:
    """XON as a reference to an Organization, known by its number or else by its name among the sender's."""
    known, found = draft.seen("XON", value.raw)
    return found if known else draft.remember("XON", value.raw, described(value, None, None, draft))


def described(value: Value, where: Value | None, telecom: list[Value] | None, draft: Draft) -> Reference | None:
    """XON with the address and telephone numbers that other fields give."""
    called, identity = clean(value.text(1)), _identified(value, draft)
    if not called and identity is None:
        return None
    resource: Resource = {"resourceType": "Organization"}
    if identity:
        resource["identifier"] = [identity]
    if called:
        resource["name"] = called
    at = address(where, draft) if where else None
    if at:
        resource["address"] = [_of_work(at)]
    points = [_of_work(point) for each in telecom or () if (point := contact_point(each, draft))]
    if points:
        resource["telecom"] = points
    return draft.mention(resource, (_key(identity, called or "", draft),))


def _of_work(found: Resource) -> Resource:
    """Organizations have no home (org-2, org-3); senders say so all the same."""
    if found.get("use") == "home":
        del found["use"]
    return found


def _key(identity: Identifier | None, called: str, draft: Draft) -> Key:
    # A name is an identity only beside its sender: two laboratories called Central are two.
    return key(identity) or Key(draft.own("organization"), called)


def _identified(value: Value, draft: Draft) -> Identifier | None:
    number = (value.text(10) or value.text(3)).strip()
    if not number:
        return None
    found: Identifier = {}
    check = check_digit(value.text(4), value.text(5))
    if check:
        found["extension"] = check
    kind = value.text(7)
    if kind:
        found["type"] = typed(kind)
    assigner = value.part(6)
    system = draft.authority(assigner.text(1), assigner.text(2), assigner.text(3))
    found["system"] = system or draft.own("organization-number")
    found["value"] = number
    return found


_UNIVERSAL = "http://terminology.hl7.org/CodeSystem/v2-0301"


def facility(value: Value, draft: Draft) -> Reference | None:
    """HD of an application or facility as a reference to an Organization."""
    known, found = draft.seen("HD", value.raw)
    return found if known else draft.remember("HD", value.raw, _facility(value, draft))


def _facility(value: Value, draft: Draft) -> Reference | None:
    called, universal, kind = (value.text(n).strip() for n in (1, 2, 3))
    identifiers = []
    if called:
        identifiers.append({"system": draft.own("facility"), "value": called})
    if universal:
        identifiers.append(_universal(universal, kind))
    if not identifiers:
        return None
    resource: Resource = {"resourceType": "Organization", "identifier": identifiers}
    if called:
        resource["name"] = called
    known = tuple(Key(each["system"], each["value"]) for each in reversed(identifiers) if each.get("system"))
    return draft.mention(resource, known)


def _universal(universal: str, kind: str) -> Identifier:
    meant = uri(universal, kind)
    is_uri = meant.startswith(("urn:oid:", "urn:uuid:", "http"))
    found: Identifier = {"type": {"coding": [{"system": _UNIVERSAL, "code": kind}]}} if kind else {}
    found["system"] = "urn:ietf:rfc:3986" if is_uri else f"urn:id:{kind or 'universal'}"
    found["value"] = meant if is_uri else universal
    return found
