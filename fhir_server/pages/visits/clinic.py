"""What the clinicians' pages work on: the record bound to who looks, the desk of visits, and who is at the doors.

Ours; docs/video.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from fhir_server.audit.record import AuditRecord
from fhir_server.visits.desk import Desk
from fhir_server.visits.presence import Sitting
from hl7_bridge.watch import Peer
from resources.repository import Caller, Repository

if TYPE_CHECKING:
    from smart_auth.oauth.launch import Launches

CLIENT = "hearth visits"
"""The software that audit rows name."""


@dataclass(frozen=True)
class Clinic:
    """``note`` takes audit records or raises Unavailable; ``presence`` says who is in which visit just now, None when
    nobody knows; ``peers`` how the HL7 v2 bridge stands with its peers, or raises Unavailable; ``zone`` is where the
    clinic's days begin; ``now`` is ms since 1970 UTC. ``desk`` and ``origin`` (of the video process, whose page may
    frame the chart) are None and '' where no visits are held. ``launches`` opens SMART apps, None while there is no
    log-in."""

    repository_of: Callable[[Caller], Repository]
    desk: Desk | None
    note: Callable[[Sequence[AuditRecord]], None]
    presence: Callable[[], list[Sitting] | None]
    peers: Callable[[], Sequence[Peer]]
    zone: tzinfo
    origin: str
    now: Callable[[], int]
    launches: "Launches | None" = None

    def at(self) -> datetime:
        """Now, in the clinic."""
        return datetime.fromtimestamp(self.now() / 1000, self.zone)
