"""Events of the authorization server as rows of the audit trail: in the local spool before the answer leaves.

FHIR R4 AuditEvent (https://hl7.org/fhir/R4/auditevent.html); no event ever holds a token, code or password.
"""

from collections.abc import Callable, Sequence
from time import time_ns
from typing import NamedTuple

from fhir_server.audit.record import ACTION_OF, AuditRecord, Interaction, Outcome
from fhir_server.audit.refusals import PRESENTED, Refusals
from smart_auth.model import Event, Told


class Row(NamedTuple):
    """How an event is told: as which interaction, under which word before its detail."""

    interaction: Interaction
    word: str = ""
    purpose: str = ""
    outcome: Outcome = Outcome.SUCCESS


ROWS: dict[Event, Row] = {
    Event.LOGIN: Row(Interaction.LOGIN),
    Event.LOGIN_REFUSED: Row(Interaction.LOGIN),
    Event.LOCKED: Row(Interaction.LOGIN, "locked for"),
    Event.LOGOUT: Row(Interaction.LOGOUT),
    Event.CONSENT: Row(Interaction.CONSENT),
    Event.CONSENT_REFUSED: Row(Interaction.CONSENT),
    Event.LAUNCH: Row(Interaction.LAUNCH),
    Event.TOKEN: Row(Interaction.TOKEN),
    Event.TOKEN_REFUSED: Row(Interaction.TOKEN),
    Event.INTROSPECTION: Row(Interaction.INTROSPECTION),
    Event.REVOKED: Row(Interaction.REVOCATION),
    Event.REUSE: Row(Interaction.REVOCATION, "used again:", outcome=Outcome.SERIOUS),
    Event.BREAK_GLASS: Row(Interaction.BREAK_GLASS, purpose="BTG"),
    Event.CREDENTIAL_CHANGED: Row(Interaction.CREDENTIAL_CHANGE),
    Event.PERSON_CHANGED: Row(Interaction.PERSON_CHANGE),
    Event.CLIENT_CHANGED: Row(Interaction.CLIENT_CHANGE),
    Event.KEY_ROTATED: Row(Interaction.KEY_ROTATION),
}


_REPEATABLE = frozenset({Event.REUSE})
"""What anybody can do again and again with what is worth nothing any more."""


class Notes:
    """Meets smart_auth.ports.Note. ``append`` takes records into the spool, or raises Unavailable; ``refusals`` those
    of what was refused, of which there may be any number; ``listeners`` are told afterwards (metrics)."""

    def __init__(self, append: Callable[[Sequence[AuditRecord]], None], refusals: Refusals | None = None) -> None:
        self._append, self._refusals = append, refusals or Refusals(append)
        self.listeners: list[Callable[[Told], None]] = []

    def __call__(self, told: Told, /) -> None:
        if told.ok and told.event not in _REPEATABLE:
            self._append([record(told)])
        else:
            self._refusals(record(told), PRESENTED)
        for listen in self.listeners:
            listen(told)


def record(told: Told) -> AuditRecord:
    """The audit record of ``told``, now."""
    row = ROWS[told.event]
    return AuditRecord(
        recorded=time_ns() // 1000,
        tenant=0,
        action=ACTION_OF[row.interaction],
        interaction=row.interaction,
        outcome=row.outcome if told.ok else Outcome.MINOR,
        who=told.who,
        client=told.client,
        address=told.address,
        purpose=row.purpose,
        patient=told.patient,
        entity=told.patient,
        detail=f"{row.word} {told.detail}".strip(),
    )
