"""How long the statements of one interaction may take together.

FHIR R4 OperationOutcome, issue type too-costly (https://hl7.org/fhir/R4/valueset-issue-type.html). The database limits
each statement; a search of many statements is limited here.
"""

import contextlib
from collections.abc import Iterator
from math import inf
from time import monotonic

from resources.errors import TooCostly

TOO_LONG = (
    "The query takes too long: name the patient, narrow the dates or the codes, or search for the linked resources "
    "first and then by their ids."
)


class TimeLimit:
    """Part of a session: ``limited`` bounds the time from there on."""

    _until = inf

    @contextlib.contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Statements begun later than ``seconds`` from now raise TooCostly; an outer limit stays."""
        outer = self._until
        self._until = min(outer, monotonic() + seconds)
        try:
            yield
        finally:
            self._until = outer

    def look_at_time(self) -> None:
        if monotonic() > self._until:
            raise TooCostly(TOO_LONG)
