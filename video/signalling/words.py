"""What the service refuses, in words for audit and gauges.

Ours; never free text, and never anything of a patient.
"""

from enum import StrEnum


class Word(StrEnum):
    """Why something was refused."""

    TICKET_FORGED = "ticket-forged"
    TICKET_EXPIRED = "ticket-expired"
    TICKET_REPLAYED = "ticket-replayed"
    TICKET_FOREIGN = "ticket-foreign"  # the room belongs to another encounter, or is over
    SESSION_UNKNOWN = "session-unknown"
    ORIGIN = "origin"
    TOO_OFTEN = "too-often"
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    MEDIA = "media"  # a media session that is not the member's own, or that the room does not allow
    COMMAND = "command"  # a command the room refuses, such as to admit as a patient
