"""What one audit row says: who did what to which record, when, from where, and how it ended.

FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html); words of the restful-interaction code system and of ours.
"""

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from time import time_ns
from typing import NamedTuple

import msgspec

from resources.repository import Caller


class Action(StrEnum):
    """AuditEvent.action (http://hl7.org/fhir/audit-event-action)."""

    CREATE = "C"
    READ = "R"
    UPDATE = "U"
    DELETE = "D"
    EXECUTE = "E"


class Outcome(IntEnum):
    """AuditEvent.outcome: 4 the caller's fault or a refusal, 8 ours, 12 the trail or the service was unavailable."""

    SUCCESS = 0
    MINOR = 4
    SERIOUS = 8
    MAJOR = 12


class Interaction(StrEnum):
    """What was asked for. The first group is FHIR's restful-interaction; a failed attempt keeps the word of what was
    tried and a higher outcome, REFUSED is for what never became an interaction (no such route, no such method)."""

    READ = "read"
    VREAD = "vread"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    HISTORY_INSTANCE = "history-instance"
    HISTORY_TYPE = "history-type"
    HISTORY_SYSTEM = "history-system"
    CREATE = "create"
    SEARCH_TYPE = "search-type"
    SEARCH_SYSTEM = "search-system"
    CAPABILITIES = "capabilities"
    TRANSACTION = "transaction"
    BATCH = "batch"
    OPERATION = "operation"

    REFUSED = "refused"
    LOGIN = "login"
    LOGOUT = "logout"
    TOKEN = "token"
    LAUNCH = "launch"
    CONSENT = "consent"
    BREAK_GLASS = "break-glass"
    EXPORT = "export"
    IMPORT = "import"
    HL7_MESSAGE = "hl7-message"
    VIDEO_JOIN = "video-join"
    VIDEO_LEAVE = "video-leave"
    VIDEO_ADMIT = "video-admit"
    VIDEO_SHARE = "video-share"
    VIDEO_RECORD = "video-record"
    VIDEO_FILE = "video-file"
    VIDEO_END = "video-end"
    VIDEO_TICKET = "video-ticket"
    VIDEO_INVITATION = "video-invitation"
    NOTIFY = "notify"
    ERASE = "erase"
    KEY_ROTATION = "key-rotation"
    INTROSPECTION = "introspection"
    REVOCATION = "revocation"
    CREDENTIAL_CHANGE = "credential-change"
    PERSON_CHANGE = "person-change"
    CLIENT_CHANGE = "client-change"
    SPOOL_DAMAGED = "spool-damaged"


ACTION_OF: dict[Interaction, Action] = dict.fromkeys(Interaction, Action.EXECUTE) | {
    Interaction.READ: Action.READ,
    Interaction.VREAD: Action.READ,
    Interaction.HISTORY_INSTANCE: Action.READ,
    Interaction.HISTORY_TYPE: Action.READ,
    Interaction.HISTORY_SYSTEM: Action.READ,
    Interaction.CAPABILITIES: Action.READ,
    Interaction.EXPORT: Action.READ,
    Interaction.CREATE: Action.CREATE,
    Interaction.IMPORT: Action.CREATE,
    Interaction.UPDATE: Action.UPDATE,
    Interaction.PATCH: Action.UPDATE,
    Interaction.CONSENT: Action.UPDATE,
    Interaction.KEY_ROTATION: Action.UPDATE,
    Interaction.REVOCATION: Action.UPDATE,
    Interaction.CREDENTIAL_CHANGE: Action.UPDATE,
    Interaction.PERSON_CHANGE: Action.UPDATE,
    Interaction.CLIENT_CHANGE: Action.UPDATE,
    Interaction.DELETE: Action.DELETE,
    Interaction.ERASE: Action.DELETE,
}


class AuditRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One event, before it is chained. Every text may be empty, none may be None.

    ``recorded`` is microseconds since 1970 UTC; ``who`` a reference or a name; ``patient`` ``Patient/1`` or '';
    ``entity`` ``Observation/1``, with ``/_history/2`` when a version was read or made, a type for searches;
    ``detail`` the query string of a search or the issue code of a refusal, never a value from a body.
    A search that shows several patients is several records with one ``request`` (BALP PatientQuery): `per_patient`.
    """

    recorded: int
    tenant: int
    action: Action
    interaction: Interaction
    outcome: Outcome
    who: str
    client: str = ""
    address: str = ""
    purpose: str = ""
    request: str = ""
    patient: str = ""
    entity: str = ""
    detail: str = ""


class AuditRow(NamedTuple):
    """A row of table ``audit``, columns in the table's order; ``hash`` (32 bytes) covers the 15 before it and the
    hash of row ``n - 1`` of ``chain``."""

    chain: int
    n: int
    recorded: int
    tenant: int
    action: str
    interaction: str
    outcome: int
    who: str
    client: str
    address: str
    purpose: str
    request: str
    patient: str
    entity: str
    detail: str
    hash: bytes


def event(
    caller: Caller,
    interaction: Interaction,
    *,
    patient: str = "",
    entity: str = "",
    detail: str = "",
    outcome: Outcome = Outcome.SUCCESS,
) -> AuditRecord:
    """The record of ``caller`` doing ``interaction`` now; the action follows from `ACTION_OF`."""
    return AuditRecord(
        time_ns() // 1000,
        caller.tenant,
        ACTION_OF[interaction],
        interaction,
        outcome,
        caller.who,
        caller.client,
        caller.address,
        caller.purpose,
        caller.request_id,
        patient,
        entity,
        detail,
    )


def per_patient(record: AuditRecord, patients: Iterable[str]) -> list[AuditRecord]:
    """``record`` once for every patient it showed, so that "who saw patient X" is one index walk; never empty."""
    seen = dict.fromkeys(patients)
    if not seen:
        return [record]
    return [msgspec.structs.replace(record, patient=patient) for patient in seen]
