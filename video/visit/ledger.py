"""Which facts the record has: the marks that a commit carries, and the questions asked of them.

Ours; resources.repository.Mark. The Mark's row is the proof that a fact was written, and that it is not written again.
"""

from collections.abc import Callable, Sequence
from typing import Any

from resources.repository import Mark
from video.ports import Fact, FactKind

WRITTEN = "video-fact"
Ask = Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]]
"""Runs a query with $1.. placeholders on the session of the calling thread."""

MARKS: dict[str, str] = {
    WRITTEN: "INSERT INTO video_fact (room, number, kind, at) VALUES (:room, :number, :kind, :at) "
    "ON CONFLICT (room, number) DO NOTHING RETURNING 1",
}
"""Name to SQL. A row that is there already returns nothing, and with it the commit fails."""

_KNOWN = "SELECT number FROM video_fact WHERE room = $1 AND number BETWEEN $2 AND $3"
_OVER = "SELECT 1 FROM video_fact WHERE room = $1 AND kind = $2 LIMIT 1"


def mark(fact: Fact) -> Mark:
    """The proof of ``fact``, for the commit that writes it."""
    params = {"room": fact.room, "number": fact.number, "kind": fact.kind.value, "at": fact.at}
    return Mark(WRITTEN, params, rows=1)


def written(ask: Ask, facts: Sequence[Fact]) -> frozenset[int]:
    """The numbers of those of ``facts``, all of one room, that the record has."""
    numbers = [fact.number for fact in facts]
    return frozenset(int(row[0]) for row in ask(_KNOWN, (facts[0].room, min(numbers), max(numbers))))


def is_over(ask: Ask, room: str) -> bool:
    """Whether the record knows that ``room`` has ended."""
    return bool(ask(_OVER, (room, FactKind.ENDED.value)))
