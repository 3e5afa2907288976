"""Moments as FHIR instants.

FHIR R4 instant (https://hl7.org/fhir/R4/datatypes.html#instant).
"""

import time
from functools import lru_cache


def instant(milliseconds: int) -> str:
    """``milliseconds`` since 1970 UTC as an instant in UTC, such as 2026-11-22T10:15:30.125Z."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03}Z"


@lru_cache(maxsize=1024)  # formatting a second once is measurably cheaper than once a write
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
