"""What the clinicians' pages work on: the record bound to who looks, the desk of visits, and who is at the doors.

Ours; docs/video.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from fhir_server.audit.record import AuditRecord
from fhir_server.visits.desk import Desk
from fhir_server.visits.presence import Sitting
from resources.repository import Caller, Repository

CLIENT = "hearth visits"
"""The software that audit rows name."""


@dataclass(frozen=True)
class Clinic:
    """``note`` takes audit records or raises Unavailable; ``presence`` says who is in which visit just now, None when
    nobody knows; ``zone`` is where the clinic's days begin; ``origin`` is that of the video process, whose page may
    frame the chart; ``now`` is ms since 1970 UTC."""

    repository_of: Callable[[Caller], Repository]
    desk: Desk
    note: Callable[[Sequence[AuditRecord]], None]
    presence: Callable[[], list[Sitting] | None]
    zone: tzinfo
    origin: str
    now: Callable[[], int]

    def at(self) -> datetime:
        """Now, in the clinic."""
        return datetime.fromtimestamp(self.now() / 1000, self.zone)
