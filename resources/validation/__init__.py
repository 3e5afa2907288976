"""Validation at the door: whether a resource obeys the base definitions of FHIR R4, and what is wrong when not.

FHIR R4 validation (https://hl7.org/fhir/R4/validation.html) without profiles and terminology servers.
"""

from typing import Any

from resources.errors import Invalid, Issue
from resources.validation.walker import walk


def check(resource: dict[str, Any]) -> None:
    """Raise ``errors.Invalid`` with every issue unless ``resource`` is valid."""
    found = walk(resource)
    if found:
        raise Invalid(issues=found)


def issues(resource: dict[str, Any]) -> list[Issue]:
    """Every issue of ``resource``; empty when it is valid."""
    return walk(resource)
