"""A section of a chart: what it shows, what it folds away, and what it says of what is not there.

Ours; the template is sections.html.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fhir_server.pages.chart.observed import Key, Result
from fhir_server.pages.chart.trends import Course

Tag = tuple[str, str]
"""What it says and its level: bad, warn, good or ''."""


@dataclass(frozen=True)
class Item:
    text: str
    facts: Sequence[str] = ()
    tags: Sequence[Tag] = ()
    links: Sequence[tuple[str, str]] = ()
    """What they say, and the path below the root."""


@dataclass(frozen=True)
class Section:
    """``items`` are shown, ``others`` folded behind ``fold``; ``more`` there are that were not read; ``refused`` as of
    Found; ``table`` is how results are shown instead of items, with the ``courses`` of what was measured before."""

    id: str
    title: str
    items: Sequence[Item] = ()
    others: Sequence[Item] = ()
    fold: str = ""
    more: int = 0
    refused: str = ""
    table: Sequence[Result] = ()
    folded: Sequence[Result] = ()
    courses: Mapping[Key, Course] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.items or self.others or self.table or self.folded or self.more)
