"""Tickets: a seat in a room, sealed by the FHIR server, good for one use within ten minutes.

Ours; the sealing is AES-256-GCM (NIST SP 800-38D) by the keyring, base64url (RFC 4648 section 5) on the wire.
"""

import binascii
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Protocol

import msgspec

from video.errors import Refused
from video.ports import Role, Sealer, Ticket
from video.signalling.words import Word

LIFE = 600
"""Seconds that a ticket is good for at most."""
SKEW = 60
"""Seconds by which the clock of who mints may be ahead of ours."""
_PURPOSE = "visit ticket"
_LONGEST = 4096


class BadTicket(Refused):
    """Says the same of every ticket that is not taken; ``word`` is for audit only."""

    def __init__(self, word: Word, room: str = "", member: str = "") -> None:
        super().__init__(
            "ticket", "This link can not be used any more. Please open the visit from your link again.", 403
        )
        self.word, self.room, self.member = word, room, member


class Used(Protocol):
    """Remembers the tickets that were used until they expire, also over a restart."""

    def use(self, id: str, expires: int) -> bool:
        """False when ``id`` was used before."""
        ...


def new_ticket(
    room: str,
    member: str,
    role: Role,
    name: str,
    now: int,
    *,
    actor: str = "",
    encounter: str = "",
    appointment: str = "",
    patient: str = "",
    encrypted: bool = False,
    life: int = LIFE,
) -> Ticket:
    """A ticket with an id of its own; ``now`` in s since 1970 UTC, ``life`` in s."""
    return Ticket(
        secrets.token_urlsafe(16),
        room,
        member,
        role,
        name,
        actor,
        encounter,
        appointment,
        patient,
        now + min(life, LIFE),
        encrypted,
    )


def seal_ticket(sealer: Sealer, ticket: Ticket) -> str:
    """What the link or the operation hands out."""
    return urlsafe_b64encode(sealer.seal(_PURPOSE, msgspec.msgpack.encode(ticket))).decode().rstrip("=")


def open_ticket(sealer: Sealer, sealed: str, now: int) -> Ticket:
    """The ticket, not used yet. Raises BadTicket for one that is forged, expired or good for too long."""
    ticket = _unsealed(sealer, sealed)
    if not now < ticket.expires <= now + LIFE + SKEW:
        raise BadTicket(Word.TICKET_EXPIRED, ticket.room, ticket.member)
    return ticket


def use_ticket(used: Used, ticket: Ticket) -> None:
    """Raises BadTicket when it was used before."""
    if not used.use(ticket.id, ticket.expires):
        raise BadTicket(Word.TICKET_REPLAYED, ticket.room, ticket.member)


def _unsealed(sealer: Sealer, sealed: str) -> Ticket:
    if len(sealed) > _LONGEST or not sealed.isascii():
        raise BadTicket(Word.TICKET_FORGED)
    try:
        raw = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        return msgspec.msgpack.decode(sealer.open(_PURPOSE, raw), type=Ticket)
    except (Refused, msgspec.MsgspecError, binascii.Error, ValueError):
        raise BadTicket(Word.TICKET_FORGED) from None
