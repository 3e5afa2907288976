"""Audit rows as AuditEvent resources in the shape of IHE's Basic Audit Log Patterns.

FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html), IHE ITI BALP 1.1 (https://profiles.ihe.net/ITI/BALP).
A row that lacks what a BALP profile demands (a failure, an unknown client address) looks alike and does not claim it.
"""

import re
from base64 import b64encode
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import msgspec

from fhir_server.audit.record import Action, AuditRow, Interaction, Outcome
from resources.definitions import RESOURCE_TYPES
from resources.literal_reference import local
from resources.repository import Version

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_REST = "http://hl7.org/fhir/restful-interaction"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_CUSTODIAN = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_SOURCE = "http://terminology.hl7.org/CodeSystem/security-source-type"
_PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."
OWN_CODES = "urn:x-hearth:audit-interaction"
"""Subtype system of events that no standard has a word for."""

Json = dict[str, Any]


def _coding(system: str, code: str, display: str) -> Json:
    return {"system": system, "code": code, "display": display}


_RESTFUL = _coding(_TYPE, "rest", "Restful Operation")
_LOGGED = _coding(_DCM, "110114", "User Authentication")
_SECURITY = _coding(_DCM, "110113", "Security Alert")
_ACTIVITY = _coding(_DCM, "110100", "Application Activity")
_IMPORT = _coding(_DCM, "110107", "Import")
_EXPORT = _coding(_DCM, "110106", "Export")

TYPES: dict[str, Json] = {
    Interaction.LOGIN: _LOGGED,
    Interaction.LOGOUT: _LOGGED,
    Interaction.TOKEN: _LOGGED,
    Interaction.LAUNCH: _LOGGED,
    Interaction.CONSENT: _SECURITY,
    Interaction.BREAK_GLASS: _SECURITY,
    Interaction.REFUSED: _SECURITY,
    Interaction.KEY_ROTATION: _SECURITY,
    Interaction.INTROSPECTION: _LOGGED,
    Interaction.REVOCATION: _SECURITY,
    Interaction.CREDENTIAL_CHANGE: _SECURITY,
    Interaction.PERSON_CHANGE: _SECURITY,
    Interaction.CLIENT_CHANGE: _SECURITY,
    Interaction.SPOOL_DAMAGED: _SECURITY,
    Interaction.ERASE: _SECURITY,
    Interaction.EXPORT: _EXPORT,
    Interaction.IMPORT: _IMPORT,
    Interaction.HL7_MESSAGE: _IMPORT,
    Interaction.VIDEO_JOIN: _ACTIVITY,
    Interaction.VIDEO_LEAVE: _ACTIVITY,
    Interaction.VIDEO_ADMIT: _ACTIVITY,
    Interaction.VIDEO_SHARE: _ACTIVITY,
    Interaction.VIDEO_RECORD: _ACTIVITY,
    Interaction.VIDEO_FILE: _ACTIVITY,
    Interaction.VIDEO_END: _ACTIVITY,
    Interaction.VIDEO_TICKET: _LOGGED,
    Interaction.VIDEO_INVITATION: _SECURITY,
    Interaction.NOTIFY: _EXPORT,
}
"""AuditEvent.type of what is not a RESTful interaction."""

SUBTYPES: dict[str, Json] = {
    Interaction.LOGIN: _coding(_DCM, "110122", "Login"),
    Interaction.LOGOUT: _coding(_DCM, "110123", "Logout"),
    Interaction.BREAK_GLASS: _coding(_DCM, "110127", "Emergency Override Started"),
    Interaction.CONSENT: _coding(_DCM, "110136", "Security Roles Changed"),
    Interaction.PERSON_CHANGE: _coding(_DCM, "110137", "User security Attributes Changed"),
}

_SENDS = (_coding(_DCM, "110153", "Source Role ID"), _coding(_DCM, "110152", "Destination Role ID"))
_ROLES: dict[str, tuple[Json, Json]] = {
    Action.READ: (_SENDS[1], _SENDS[0]),
    Action.DELETE: (_coding(_DCM, "110150", "Application"), _coding(_CUSTODIAN, "custodian", "Custodian")),
}
"""What (client, server) are, by action; BALP has them the other way round for a read, and other words for a delete."""

_PROFILES: dict[str, str] = {
    Interaction.CREATE: "Create",
    Interaction.READ: "Read",
    Interaction.VREAD: "Read",
    Interaction.UPDATE: "Update",
    Interaction.DELETE: "Delete",
    Interaction.SEARCH_TYPE: "Query",
    Interaction.SEARCH_SYSTEM: "Query",
}
AGENTS = ("PractitionerRole", "Practitioner", "Organization", "Device", "Patient", "RelatedPerson")
"""What AuditEvent.agent.who may refer to."""
SEARCHES = {Interaction.SEARCH_TYPE.value, Interaction.SEARCH_SYSTEM.value}
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def event_id(chain: int, n: int) -> str:
    """The logical id of a row: the chain in 16 hex digits, a hyphen, n."""
    return f"{chain:016x}-{n}"


def place(id: str) -> tuple[int, int] | None:
    """(chain, n) of a logical id, None when it is none of ours."""
    fits = re.fullmatch(r"([0-7][0-9a-f]{15})-([1-9][0-9]{0,17})", id, re.ASCII)
    return (int(fits[1], 16), int(fits[2])) if fits else None


def type_coding(interaction: str) -> Json:
    """AuditEvent.type of an interaction."""
    return TYPES.get(interaction, _RESTFUL)


def subtype_coding(interaction: str) -> Json:
    """AuditEvent.subtype of an interaction."""
    system = OWN_CODES if interaction in TYPES else _REST
    return SUBTYPES.get(interaction) or _coding(system, interaction, interaction)


def version(row: AuditRow, base: str) -> Version:
    """The row as the only version of its AuditEvent; ``base`` is the server's public address."""
    doc = msgspec.json.encode(audit_event(row, base))
    return Version("AuditEvent", event_id(row.chain, row.n), 1, row.recorded // 1000, doc, "POST")


def audit_event(row: AuditRow, base: str) -> Json:
    """The AuditEvent of ``row``, valid R4."""
    recorded = (_EPOCH + timedelta(microseconds=row.recorded)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    event: Json = {
        "resourceType": "AuditEvent",
        "id": event_id(row.chain, row.n),
        "meta": _meta(row, recorded),
        "type": type_coding(row.interaction),
        "subtype": [subtype_coding(row.interaction)],
        "action": row.action,
        "recorded": recorded,
        "outcome": str(row.outcome),
    }
    if row.detail and _tells_detail(row):
        event["outcomeDesc"] = _text(row.detail)
    if row.purpose:
        event["purposeOfEvent"] = [_purpose(row.purpose)]
    site = urlsplit(base).netloc or base
    event["agent"] = _agents(row, base, site)
    event["source"] = {
        "site": site,
        "observer": {"display": site},
        "type": [_coding(_SOURCE, "4", "Application Server")],
    }
    if entities := _entities(row):
        event["entity"] = entities
    return event


def _tells_detail(row: AuditRow) -> bool:
    """Why something failed; and of what is no RESTful interaction, what it was about: scopes, a reason, an account."""
    return row.interaction in TYPES or (row.outcome != Outcome.SUCCESS and row.interaction not in SEARCHES)


def _meta(row: AuditRow, recorded: str) -> Json:
    meta: Json = {"versionId": "1", "lastUpdated": recorded}
    profile = _PROFILES.get(row.interaction)
    seen = row.detail or row.entity if profile == "Query" else row.entity
    if profile and seen and row.address and row.outcome == Outcome.SUCCESS:
        meta["profile"] = [f"{_BALP}{'Patient' if _is_patient(row.patient) else ''}{profile}"]
    return meta


def _is_patient(reference: str) -> bool:
    return _refers(reference, {"Patient"})


def _refers(text: str, types: Container[str]) -> bool:
    """Whether ``text`` is a local reference to one of ``types``."""
    found = local(text)
    return found is not None and found.type in types and "#" not in text


def _agents(row: AuditRow, base: str, site: str) -> list[Json]:
    client_role, server_role = _ROLES.get(row.action, _SENDS)
    client: Json = {"type": {"coding": [client_role]}, "who": _who(row.client or "unknown"), "requestor": False}
    if row.address:
        client["network"] = _network(row.address)
    server: Json = {"type": {"coding": [server_role]}, "who": {"display": site}, "requestor": False}
    server["network"] = {"address": base, "type": "5"}
    return [client, server, *([_user(row)] if row.who else [])]


def _user(row: AuditRow) -> Json:
    reads = row.action in (Action.READ, Action.EXECUTE)
    role = ("IRCP", "information recipient") if reads else ("AUT", "author (originator)")
    user: Json = {"type": {"coding": [_coding(_PARTICIPATION, *role)]}, "who": _who(row.who), "requestor": True}
    if not _refers(row.who, AGENTS):
        user["name"] = _text(row.who)
    if row.purpose:
        user["purposeOfUse"] = [_purpose(row.purpose)]
    return user


def _purpose(text: str) -> Json:
    return {"coding": [{"system": _PURPOSE, "code": text}]} if _CODE.fullmatch(text) else {"text": _text(text)}


def _who(text: str) -> Json:
    if _refers(text, AGENTS):
        return {"reference": text}
    return {"identifier": {"value": _text(text)}, "display": _text(text)}


def _network(address: str) -> Json:
    try:
        ip_address(address)
        return {"address": address, "type": "2"}
    except ValueError:
        return {"address": _text(address), "type": "1"}


def _entities(row: AuditRow) -> list[Json]:
    found = []
    if row.request:
        code = {"system": _BALP_ENTITY, "code": "XrequestId"}
        found.append({"what": {"identifier": {"value": _text(row.request)}}, "type": code})
    if _is_patient(row.patient):
        person, role = _coding(_ENTITY, "1", "Person"), _coding(_ROLE, "1", "Patient")
        found.append({"what": {"reference": row.patient}, "type": person, "role": role})
    if row.interaction in SEARCHES:
        found.append(_query(row))
    elif row.entity:
        found.append(_data(row))
    return found


def _query(row: AuditRow) -> Json:
    asked = f"{row.entity}?{row.detail}" if row.detail else row.entity or "?"
    query = b64encode(asked.encode("utf-8", "replace")).decode()
    return {"type": _coding(_ENTITY, "2", "System Object"), "role": _coding(_ROLE, "24", "Query"), "query": query}


def _data(row: AuditRow) -> Json:
    what: Json = {"reference": row.entity} if _refers(row.entity, RESOURCE_TYPES) else {"display": _text(row.entity)}
    kind, role = _coding(_ENTITY, "2", "System Object"), _coding(_ROLE, "4", "Domain Resource")
    return {"what": what, "type": kind, "role": role}


def _text(text: str) -> str:
    """``text`` as a FHIR string: no control characters, not blank."""
    return _BAD.sub("\ufffd", text).strip() or "-"
