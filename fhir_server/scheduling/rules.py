"""How a Schedule is booked: length of an appointment, what stays free around it, where it may begin.

FHIR R4 Schedule (https://hl7.org/fhir/R4/schedule.html) has no element for it: an extension of ours, and HL7's
timezone.
"""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from fhir_server.scheduling.spans import Span, widened
from resources.errors import BusinessRule

Json = dict[str, Any]

RULES = "urn:x-hearth:schedule-rules"
TIMEZONE = "http://hl7.org/fhir/StructureDefinition/timezone"
GRAIN = 5
"""Minutes that are taken together: what begins on none of these blocks those that it touches."""
_LIMITS = {
    "length": (GRAIN, 1440),
    "before": (0, 240),
    "after": (0, 240),
    "every": (GRAIN, 1440),
    "notice": (0, 43_200),
}


class Rules(msgspec.Struct, frozen=True):
    """All in minutes: ``length`` of an appointment, ``before`` and ``after`` it nothing else, a beginning ``every`` so
    many of the day (0: every ``length``), and not sooner than ``notice`` from now."""

    length: int = 30
    before: int = 0
    after: int = 0
    every: int = 0
    notice: int = 0

    def blocked(self, span: Span) -> Span:
        """What an appointment at ``span`` keeps others from."""
        return widened(span, self.before, self.after)


def rules_of(schedule: Json) -> Rules:
    """Those that ``schedule`` states. Raises BusinessRule for what cannot be one."""
    found = dict(_stated(schedule))
    for name, value in found.items():
        least, most = _LIMITS.get(name, (0, -1))
        if not least <= value <= most:
            known = ", ".join(_LIMITS)
            raise BusinessRule(
                f"The schedule states {name[:20]!r} of {value} minutes; "
                + (f"it is from {least} to {most}." if name in _LIMITS else f"its rules are {known}."),
                expression="Schedule.extension",
            )
    return Rules(**found)


def zone_of(schedule: Json, usual: tzinfo) -> tzinfo:
    """The time zone of ``schedule``. Raises BusinessRule for a name nobody knows."""
    named = [row.get("valueCode", "") for row in schedule.get("extension", ()) if row.get("url") == TIMEZONE]
    if not named:
        return usual
    try:
        return ZoneInfo(named[0])
    except (ZoneInfoNotFoundError, ValueError):
        raise BusinessRule(f"{named[0][:40]!r} is no time zone.", expression="Schedule.extension") from None


def _stated(schedule: Json) -> Iterator[tuple[str, int]]:
    for row in schedule.get("extension", ()):
        if row.get("url") != RULES:
            continue
        for part in row.get("extension", ()):
            value = part.get("valueUnsignedInt", part.get("valuePositiveInt"))
            yield str(part.get("url", "")), value if isinstance(value, int) else -1
