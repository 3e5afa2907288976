"""What the record refuses of a booking, said of what the caller gave: they never saw the Bundle that it was.

FHIR R4 OperationOutcome.issue.expression: for an operation, the parameter.
"""

import re
from dataclasses import replace

from resources.errors import FhirError, Issue

_ENTRY = re.compile(r"Bundle\.entry\[\d+\](?:\.resource\.?)?(?:: )?")
_PARAMETERS = (
    (re.compile(r"(?:Appointment\.)?participant\[0\](?:\.actor)?(?:\.reference)?"), "patient"),
    (re.compile(r"(?:Appointment\.)?reasonCode\[0\](?:\.text)?"), "reason"),
    (re.compile(r"(?:Appointment\.)?comment\b"), "comment"),
    (re.compile(r"Task\.for(?:\.reference)?"), "patient"),
)


def in_terms_of_the_caller(refused: FhirError) -> FhirError:
    """The same error, naming parameters instead of places in a Bundle."""
    return refused.telling(map(_told, refused.issues))


def _told(issue: Issue) -> Issue:
    text, place = _ENTRY.sub("", issue.text), _ENTRY.sub("", issue.expression)
    for element, parameter in _PARAMETERS:
        if element.match(text) or element.match(place):
            return replace(issue, text=element.sub(parameter, text, count=1), expression=parameter)
    return replace(issue, text=text, expression=place)
