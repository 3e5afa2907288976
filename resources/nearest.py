"""The name that was probably meant, for messages about one that is not known.

FHIR R4 OperationOutcome.issue.details (https://hl7.org/fhir/R4/operationoutcome.html): a message says what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 64
"""Characters of the wrong name that are looked at: the search takes quadratic time."""


def nearest(name: str, names: Iterable[str]) -> str:
    """That of ``names`` which is most like ``name``; '' when none is like it."""
    found = get_close_matches(name[:_LONGEST], list(names), 1, 0.5)
    return found[0] if found else ""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a sentence: ``; did you mean 'x'?``, or '' when no name is like it."""
    found = nearest(name, names)
    return f"; did you mean '{found}'?" if found else ""
