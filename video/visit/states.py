"""What each fact changes in the record: one row of a table for each kind, pure functions on resources.

FHIR R4 Appointment.status, Encounter.status (https://hl7.org/fhir/R4/valueset-appointmentstatus.html,
valueset-encounter-status.html); docs/adr/video-record.md says it in words. Facts may come again and in any order.
"""

from typing import Any, NamedTuple

import msgspec

from video.ports import Fact, FactKind, Role
from video.visit.attendance import attended, closed
from video.visit.communication import communication
from video.visit.documents import document
from video.visit.moments import moment
from video.visit.quality import measurement
from video.visit.timeline import (
    ARRIVED,
    AWAY,
    CANCELLED,
    EMPTY,
    FINISHED,
    GOING,
    Turn,
    ended,
    is_closed,
    ordered,
    told,
    turns,
)

Json = dict[str, Any]


class AuditWord(msgspec.Struct, frozen=True):
    """How a fact is told to the audit trail: ``word`` names the event, ``detail`` which fields of the fact say more."""

    word: str
    detail: tuple[str, ...] = ()
    refused: bool = False


class Row(NamedTuple):
    """Of one kind of fact: the Encounter's and the Appointment's status from then on ('': no change), what is told to
    the audit trail, and what resource it makes."""

    encounter: str = ""
    appointment: str = ""
    audit: AuditWord | None = None
    makes: Any = None


JOIN, ADMIT, SHARE, RECORD, LEAVE = "video-join", "video-admit", "video-share", "video-record", "video-leave"
FILE, END = "video-file", "video-end"

TABLE: dict[FactKind, Row] = {
    FactKind.WAITING: Row(ARRIVED, "arrived", AuditWord(JOIN)),
    FactKind.JOINED: Row(audit=AuditWord(JOIN, ("standing",))),
    FactKind.ADMITTED: Row(appointment="checked-in", audit=AuditWord(ADMIT, ("by",))),
    FactKind.DENIED: Row(audit=AuditWord(ADMIT, ("reason", "by"), refused=True)),
    FactKind.STARTED: Row(GOING, "checked-in"),
    FactKind.AWAY: Row(AWAY),
    FactKind.BACK: Row(GOING),
    FactKind.LEFT: Row(audit=AuditWord(LEAVE, ("reason",))),
    FactKind.SHARE_STARTED: Row(audit=AuditWord(SHARE)),
    FactKind.SHARE_ENDED: Row(audit=AuditWord(SHARE)),
    FactKind.CONSENT_GIVEN: Row(audit=AuditWord(RECORD)),
    FactKind.CONSENT_WITHDRAWN: Row(audit=AuditWord(RECORD)),
    FactKind.RECORDING_STARTED: Row(audit=AuditWord(RECORD, ("by",))),
    FactKind.RECORDING_ENDED: Row(audit=AuditWord(RECORD, ("reason",))),
    FactKind.CHAT: Row(makes=communication),
    FactKind.FILE: Row(audit=AuditWord(FILE, ("type",)), makes=document),
    FactKind.QUALITY: Row(makes=measurement),
    FactKind.ENDED: Row(FINISHED, audit=AuditWord(END, ("reason", "because"))),
}

_PATIENT_SIDE = frozenset({Role.PATIENT.value, Role.RELATED.value})
_RANK = dict.fromkeys(("proposed", "pending", "booked", "waitlist"), 0) | {
    "noshow": 1,
    "arrived": 2,
    "checked-in": 3,
    "fulfilled": 4,
}
"""A status gives way to higher ones; cancelled and entered-in-error to none. Who comes after all is no no-show."""


class Changes(msgspec.Struct, frozen=True):
    """The Encounter and Appointment after a fact (the same objects where nothing changed), and what is new."""

    encounter: Json | None
    appointment: Json | None
    new: tuple[Json, ...] = ()


def changed(fact: Fact, encounter: Json | None, appointment: Json | None) -> Changes:
    """What ``fact`` makes of the two; None where the record has none."""
    row = TABLE[fact.kind]
    after = _encounter(fact, encounter) if encounter else None
    made = row.makes(fact) if row.makes else None
    return Changes(
        encounter if after == encounter else after,
        _appointment(fact, appointment, after) if appointment else None,
        (made,) if made else (),
    )


def _encounter(fact: Fact, encounter: Json) -> Json:
    status, after = _turn(fact), encounter
    known = ordered(turns(encounter))
    if status and not is_closed(encounter):
        known = ordered([*(known or _seed(encounter, fact)), Turn(fact.at, status)])
        after = told(encounter, known)
    end = ended(known)
    after = attended(after, fact, end)
    return after if end is None else closed(after, end)


def _turn(fact: Fact) -> str:
    """A practitioner ends a visit; a room that was empty for long only ends what had begun: they may come again."""
    by_nobody = fact.kind is FactKind.ENDED and fact.detail.get("reason") != "ended"
    return EMPTY if by_nobody else TABLE[fact.kind].encounter


def _seed(encounter: Json, fact: Fact) -> list[Turn]:
    """Of an Encounter that somebody else made and brought this far: that it had its status before."""
    status = encounter.get("status", "")
    if status not in (ARRIVED, "triaged", GOING, AWAY):
        return []
    return [Turn(min(moment(encounter.get("period", {}).get("start")) or fact.at, fact.at) - 1, status)]


def _appointment(fact: Fact, appointment: Json, encounter: Json | None) -> Json:
    status = _status(fact, encounter)
    now = appointment.get("status", "")
    if status and now in _RANK and _RANK[status] > _RANK[now]:
        return {**appointment, "status": status}
    return appointment


def _status(fact: Fact, encounter: Json | None) -> str:
    """The Appointment's status by what the Encounter has come to, or by the fact alone."""
    known = turns(encounter) if encounter else []
    if ended(known) is not None:
        if known[-1].status == FINISHED:
            return "fulfilled"
        if known[-1].status == CANCELLED and not any(turn.status == ARRIVED for turn in known):
            return "noshow"
    if fact.kind is FactKind.ADMITTED and fact.role not in _PATIENT_SIDE:
        return ""
    return TABLE[fact.kind].appointment
