"""What the patch formats share: a private copy of the resource, and errors that name the operation.

FHIR R4 patch (https://hl7.org/fhir/R4/http.html#patch); status codes as of RFC 5789 section 2.2.
"""

from time import monotonic
from typing import Any

from resources.errors import BadSyntax, BusinessRule, TooCostly

MAX_OPERATIONS = 10_000
"""Most operations in one patch."""
MAX_COPIED = 2_000_000
"""Most JSON values one patch may copy; stops documents that double with each operation."""


MAX_SECONDS = 8.0
"""How long one patch may take."""


class Stopwatch:
    """Ends a patch that takes too long between two of its operations."""

    def __init__(self) -> None:
        self.deadline = monotonic() + MAX_SECONDS

    def check(self) -> None:
        """Raises TooCostly."""
        if monotonic() > self.deadline:
            raise TooCostly(f"The patch takes longer than {MAX_SECONDS:.0f} seconds on this resource")


def copied(value: Any) -> Any:
    """A copy of decoded JSON down to its scalars."""
    if type(value) is dict:
        return {name: copied(part) for name, part in value.items()}
    if type(value) is list:
        return [copied(part) for part in value]
    return value


def size(value: Any) -> int:
    """How many JSON values ``value`` holds, itself included."""
    if type(value) is dict:
        return 1 + sum(map(size, value.values()))
    return 1 + sum(map(size, value)) if type(value) is list else 1


class Place:
    """One operation of a patch, for its errors: ``number`` counts from 1, ``path`` is as written."""

    __slots__ = ("expression", "kind", "number", "path")

    def __init__(self, number: int, kind: str, path: str, expression: str = "") -> None:
        self.number = number
        self.kind = kind
        self.path = path
        self.expression = expression

    def malformed(self, why: str) -> BadSyntax:
        """The patch itself is wrong."""
        return BadSyntax(self._text(why), expression=self.expression)

    def refused(self, why: str) -> BusinessRule:
        """The patch does not fit the resource."""
        return BusinessRule(self._text(why), expression=self.expression)

    def _text(self, why: str) -> str:
        kind = f" ({self.kind})" if self.kind else ""
        path = f" at {self.path[:200]!r}" if self.path else ""
        return f"Operation {self.number}{kind}{path}: {why}"


def same_type(before: dict[str, Any], after: Any) -> dict[str, Any]:
    """``after``, when it is still a resource of the type it was. Raises BusinessRule."""
    if not isinstance(after, dict) or after.get("resourceType") != before.get("resourceType"):
        raise BusinessRule("A patch cannot change resourceType or replace the resource by something else")
    return after
