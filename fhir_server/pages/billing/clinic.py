"""What the biller's pages work on: the record bound to who looks, and charging by the site's tariff.

Ours; docs/billing.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from fhir_server.billing.charging import Charging
from resources.repository import Caller, Repository

CLIENT = "hearth billing"
"""The software that audit rows name."""


@dataclass(frozen=True)
class Clinic:
    """``zone`` is where the clinic's days begin."""

    repository_of: Callable[[Caller], Repository]
    charging: Charging
    zone: tzinfo

    def at(self) -> datetime:
        """Now, in the clinic."""
        return datetime.fromtimestamp(self.charging.now() / 1000, self.zone)
