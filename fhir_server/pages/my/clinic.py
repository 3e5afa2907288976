"""What the patient's pages work on: the record bound to who looks, the diary, and visits where there are any.

Ours; docs/patient-pages.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from fhir_server.audit.record import AuditRecord
from fhir_server.scheduling.diary import Diary
from fhir_server.visits.desk import Desk
from resources.repository import Caller, Repository

CLIENT = "hearth my record"
"""The software that audit rows name."""


@dataclass(frozen=True)
class Clinic:
    """``visits`` and ``origin`` (of the video process) are None and '' where no visits are held; ``note`` takes audit
    records or raises Unavailable; ``zone`` is where the clinic's days begin; ``now`` is ms since 1970 UTC."""

    repository_of: Callable[[Caller], Repository]
    diary: Diary
    visits: Desk | None
    note: Callable[[Sequence[AuditRecord]], None]
    zone: tzinfo
    origin: str
    now: Callable[[], int]

    def at(self) -> datetime:
        """Now, in the clinic."""
        return datetime.fromtimestamp(self.now() / 1000, self.zone)
