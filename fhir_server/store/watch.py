"""What statements a session runs while it is watched: for ``_explain``, the plan tests and the benchmarks.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html) leaves to the server how it finds what is asked for.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import NamedTuple

from fhir_server.store.model import Parameter, Row


class Asked(NamedTuple):
    """One statement: its text, its values, how many rows came, how long that took, whether only merges were allowed."""

    sql: str
    params: tuple[Parameter, ...]
    rows: int
    seconds: float
    merge: bool


class Watched:
    """Part of a session: ``watched`` collects its statements."""

    watching: list[Asked] | None = None

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[Asked]]:
        """The queries of this session from here on, in a list that grows."""
        outer, self.watching = self.watching, []
        try:
            yield self.watching
        finally:
            self.watching = outer

    def timed(
        self,
        run: Callable[[str, Sequence[Parameter], bool], list[Row]],
        sql: str,
        params: Sequence[Parameter],
        merge: bool,
    ) -> list[Row]:
        started = perf_counter()
        rows = run(sql, params, merge)
        if self.watching is not None:
            self.watching.append(Asked(sql, tuple(params), len(rows), perf_counter() - started, merge))
        return rows
