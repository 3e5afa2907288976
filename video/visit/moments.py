"""Moments and spans of FHIR elements in milliseconds.

FHIR R4 dateTime, Period (https://hl7.org/fhir/R4/datatypes.html#dateTime).
"""

from datetime import datetime
from typing import Any

from resources.instant import instant


def moment(text: object) -> int | None:
    """ms since 1970 UTC of a dateTime with a time; None for what is less precise, or none."""
    if not isinstance(text, str) or "T" not in text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return round(found.timestamp() * 1000) if found.tzinfo else None


def period(start: int | None, end: int | None = None) -> dict[str, Any]:
    """A Period of what is known of it."""
    ends = (("start", start), ("end", end))
    return {name: instant(at) for name, at in ends if at is not None}
