"""Validation at the door: whether a resource obeys the base definitions of FHIR R4, and what is wrong when not.

FHIR R4 validation (https://hl7.org/fhir/R4/validation.html) without profiles and terminology servers.
"""

from typing import Any

from resources.errors import BadDefinition, Invalid, Issue
from resources.validation.quick import prepare, surely_valid
from resources.validation.walker import walk

_PARAMETER = "SearchParameter"

__all__ = ["check", "issues", "prepare"]


def check(resource: dict[str, Any]) -> None:
    """Raise ``errors.Invalid`` with every issue unless ``resource`` is valid."""
    found = [] if surely_valid(resource) else walk(resource)
    if found:
        raise Invalid(issues=found)
    if resource["resourceType"] == _PARAMETER and (found := _unsearchable(resource)):
        raise BadDefinition(issues=found)


def issues(resource: dict[str, Any]) -> list[Issue]:
    """Every issue of ``resource``; empty when it is valid."""
    return walk(resource) or (_unsearchable(resource) if resource["resourceType"] == _PARAMETER else [])


def _unsearchable(resource: dict[str, Any]) -> list[Issue]:
    """Why a search parameter would not work."""
    from resources.search_param.custom import problems  # FHIRPath and all kinds of parameters, for one resource type

    return problems(resource)
