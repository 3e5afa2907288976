"""MSH and SFT to MessageHeader.

HL7 v2.5.1 sections 2.15.9 (MSH), 2.15.12 (SFT); official map MSH[MessageHeader] - R4.
"""

import re

from hl7_bridge.er7 import Segment, Value
from hl7_bridge.mapping.code_tables.tables import v2_system
from hl7_bridge.mapping.datatypes.coded import coding
from hl7_bridge.mapping.datatypes.texts import clean
from hl7_bridge.mapping.draft import Draft
from hl7_bridge.mapping.mentions.organizations import facility, organization
from hl7_bridge.mapping.model import Entry, Policy, Resource
from hl7_bridge.mapping.reading import LOCAL, quoted, uri
from hl7_bridge.mapping.rows import OWN, Row, SegmentMap, apply, ignored


def event(value: Value, draft: Draft) -> Resource | None:
    """MSG as the Coding of the event."""
    parts = [value.text(n) for n in (1, 2, 3)]
    code = parts[1] or parts[0]
    if not code:
        return None
    return {"system": v2_system("0003" if parts[1] else "0076"), "code": code, "display": "^".join(parts).rstrip("^")}


def _source_name(value: Value, draft: Draft) -> str | None:
    return clean(value.text(1))


def _security(value: Value, draft: Draft) -> Resource | None:
    text = clean(value.whole)
    return {"code" if text.isalnum() else "display": text} if text else None


def _language(value: Value, draft: Draft) -> str | None:
    code = value.text(1)
    return code if re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]+)*", code) else None


MSH = SegmentMap(
    "MSH",
    "MessageHeader",
    (
        Row(3, "source.name", _source_name),
        Row(4, "sender", facility),
        Row(5, "destination"),
        Row(6, "destination.receiver"),
        Row(7, "Provenance.recorded", origin=OWN),
        Row(8, "meta.security[]", _security),
        Row(9, "eventCoding", event),
        Row(10, "Provenance.entity.what.identifier", origin=OWN),
        Row(11, "meta.tag"),
        ignored(12, "The version of the message says how to read it, not what it means."),
        ignored(13, "Transport: sequence numbers."),
        ignored(14, "Transport: continuation."),
        ignored(15, "Transport: which acknowledgement is wanted."),
        ignored(16, "Transport: which acknowledgement is wanted."),
        Row(17, "sender.address.country"),
        ignored(18, "Transport: the character set was used to read the message."),
        Row(19, "language", _language),
        ignored(20, "Transport: how other character sets are used."),
        ignored(21, "The conformance profile says how the message was made."),
        Row(22, "responsible", organization),
        Row(23, "destination.receiver"),
        Row(24, "source.endpoint"),
        Row(25, "destination.endpoint"),
        Row(26, "meta.security[]", coding),
        Row(27, "meta.security[]", coding),
    ),
    official="MSH[MessageHeader] - R4",
)

SFT = SegmentMap(
    "SFT",
    "MessageHeader",
    (
        Row(1, "source.software"),
        Row(2, "source.version", lambda value, draft: clean(value.text(1))),
        Row(3, "source.software", lambda value, draft: clean(value.text(1))),
        Row(4, "source.version"),
    ),
    official="SFT[MessageHeader]",
)


def message_header(msh: Segment, software: Segment | None, draft: Draft) -> Entry:
    """The MessageHeader of the message."""
    resource: Resource = {"resourceType": "MessageHeader"}
    apply(MSH, msh, resource, draft)
    if "eventCoding" not in resource:
        resource["eventCoding"] = {"system": v2_system("0003"), "code": "unknown"}
    source = resource.setdefault("source", {})
    if software is not None:
        apply(SFT, software, resource, draft)
    source["endpoint"] = _source_endpoint(msh, draft)
    tags = [
        _tag(number, code)
        for number, code in zip(("0103", "0207"), (msh.text(11).strip(), msh.text(11, 2).strip()), strict=True)
        if code
    ]
    if tags:
        resource.setdefault("meta", {})["tag"] = tags
    destinations = _destinations(msh, draft)
    if destinations:
        resource["destination"] = destinations
    _country(msh, draft)
    draft.header = draft.add(resource, Policy.ALWAYS, (), *([msh] if software is None else [msh, software]))
    return draft.header


def _tag(number: str, code: str) -> Resource:
    return {"system": v2_system(number), "code": " ".join(code.split())}


def _endpoint(value: Value) -> str:
    """HD as the address of a system: a URI, or a name that is unmistakably one of ours."""
    name, universal, kind = value.text(1).strip(), value.text(2).strip(), value.text(3).strip()
    if universal:
        return uri(universal, kind)
    return LOCAL + quoted(name) if name else ""


def _source_endpoint(msh: Segment, draft: Draft) -> str:
    """The network address of MSH-24, else the application of MSH-3; a URI of either before a mere name."""
    said = [each for n in (24, 3) if (each := _endpoint(msh.first(n)))]
    proper = [each for each in said if not each.startswith(LOCAL)]
    return next(iter(proper or said), LOCAL + (draft.scope or "unknown"))


def _destinations(msh: Segment, draft: Draft) -> list[Resource]:
    """The application and facility of MSH-5 and 6, and the network address and organization of MSH-25 and 23."""
    found = []
    for system, receiver, read in ((5, 6, facility), (25, 23, organization)):
        who = read(msh.first(receiver), draft) if msh.has(receiver) else None
        name, endpoint = clean(msh.text(system)), _endpoint(msh.first(system))
        if who or name or endpoint:
            made: Resource = {"name": name} if name else {}
            made["endpoint"] = endpoint or LOCAL + "unknown"
            found.append({**made, "receiver": who} if who else made)
    return found


def _country(msh: Segment, draft: Draft) -> None:
    """MSH-17 is where the sender is."""
    country = clean(msh.text(17))
    sender = draft.entry(facility(msh.first(4), draft)) if msh.has(4) else None
    if country and sender is not None:
        sender.resource.setdefault("address", [{"country": country}])
