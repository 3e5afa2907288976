"""What is taken: one row for each actor and five minutes, so that the database itself refuses a second booking.

Ours; docs/adr/scheduling.md. Rows are put down in the commit that books, and tell nothing of a patient.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from capability.rows import Migration
from fhir_server.scheduling.rules import GRAIN
from fhir_server.scheduling.spans import Span, union
from resources.repository import Mark

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

metadata = sa.MetaData()

taken = sa.Table(
    "scheduling_taken",
    metadata,
    sa.Column("actor", TEXT, nullable=False),
    sa.Column("grain", NUMBER, nullable=False),
    *(sa.Column(name, TEXT, nullable=False) for name in ("slot", "holder")),
    sa.Column("until", NUMBER, nullable=False),
    sa.PrimaryKeyConstraint("actor", "grain"),
    sa.Index("scheduling_taken_slot", "slot"),
    sa.Index("scheduling_taken_holder", "holder", "until", sqlite_where=sa.text("until > 0"),
             postgresql_where=sa.text("until > 0")),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)  # fmt: skip
"""``grain`` counts GRAIN minutes since 1970 UTC; ``slot`` is the number of the booking (papers.BOOKINGS); ``holder`` a
keyed hash of who holds it; ``until`` when the hold lapses (ms since 1970 UTC), 0 for what is booked."""

MIGRATIONS: tuple[Migration, ...] = (Migration(1, "what is taken", metadata.create_all),)

TAKE, CLEAR, LAPSE, RELEASE = "scheduling-take", "scheduling-clear", "scheduling-lapse", "scheduling-release"

# json_each takes an object apart alike on SQLite and PostgreSQL. Sorted rows: two who want the same wait for each other
# in one order. Who comes second gets fewer rows than it must, and its whole commit fails.
_ROWS = """SELECT item.value ->> 0 AS actor, CAST(item.value ->> 1 AS bigint) AS grain
    FROM json_each(:rows) AS item"""
MARKS: dict[str, str] = {
    TAKE: f"""INSERT INTO scheduling_taken (actor, grain, slot, holder, until)
SELECT actor, grain, :slot, :holder, CAST(:until AS bigint) FROM ({_ROWS} ORDER BY 1, 2) AS wanted WHERE true
ON CONFLICT (actor, grain) DO NOTHING
RETURNING 1""",
    CLEAR: f"DELETE FROM scheduling_taken WHERE until BETWEEN 1 AND :now AND (actor, grain) IN ({_ROWS})",
    LAPSE: "DELETE FROM scheduling_taken WHERE until BETWEEN 1 AND :now AND slot = :slot",
    RELEASE: "DELETE FROM scheduling_taken WHERE slot = :slot",
}

_OF = """SELECT grain, slot FROM scheduling_taken
WHERE actor = $1 AND grain >= $2 AND grain < $3 AND (until = 0 OR until > $4)"""
_SEATS = "holds of "
"""An actor of its own for each holder: the holds that they may have are numbered, and each number is taken once."""
_HOLDER = "SELECT min(holder), max(until) FROM scheduling_taken WHERE slot = $1"

Ask = Callable[[str, Sequence[Any]], Any]


class Taken:
    """The table as ``ask`` reads it and marks change it; ``now`` in ms since 1970 UTC."""

    def __init__(self, ask: Ask, now: Callable[[], int]) -> None:
        self._ask, self._now = ask, now

    def spans(self, actors: Iterable[str], window: Span, but: Collection[str] = ()) -> list[Span]:
        """When any of ``actors`` is taken in ``window``, for other Slots than those of ``but``."""
        low, high = _grains(window)
        now = self._now()
        rows = [row for actor in actors for row in self._ask(_OF, (actor, low, high, now))]
        return union((grain * GRAIN, (grain + 1) * GRAIN) for grain, slot in rows if slot not in but)

    def holder(self, slot: str) -> str:
        """Who holds ``slot``, '' when nobody does any more or it is booked."""
        [(holder, until)] = self._ask(_HOLDER, (slot,))
        return holder if until and until > self._now() else ""

    def is_live(self, slot: str) -> bool:
        """Whether ``slot`` is held now, or booked."""
        [(_, until)] = self._ask(_HOLDER, (slot,))
        return until is not None and (until == 0 or until > self._now())

    def seats(self, holder: str, most: int) -> list[int]:
        """Which of their ``most`` holds ``holder`` has left now."""
        used = {grain for grain, _ in self._ask(_OF, (_SEATS + holder, 0, most, self._now()))}
        return [seat for seat in range(most) if seat not in used]

    def take(
        self, actors: Iterable[str], span: Span, slot: str, holder: str, until: int = 0, seat: int | None = None
    ) -> list[Mark]:
        """Marks by which a commit takes ``span`` for ``slot``, and for a hold a ``seat`` of its holder, or fails with
        Conflict."""
        low, high = _grains(span)
        sat = [] if seat is None else [[_SEATS + holder, seat]]
        rows = [*([actor, grain] for actor in sorted(set(actors)) for grain in range(low, high)), *sat]
        wanted = msgspec.json.encode({f"{n:05}": row for n, row in enumerate(rows)}).decode()
        return [
            Mark(CLEAR, {"rows": wanted, "now": self._now()}),
            Mark(TAKE, {"rows": wanted, "slot": slot, "holder": holder, "until": until}, rows=len(rows)),
        ]

    def lapse(self, slot: str) -> Mark:
        """By which a commit gives back what ``slot`` held, unless it was booked meanwhile."""
        return Mark(LAPSE, {"slot": slot, "now": self._now()})

    @staticmethod
    def release(slot: str) -> Mark:
        """By which a commit gives back what ``slot`` took."""
        return Mark(RELEASE, {"slot": slot})


def _grains(span: Span) -> Span:
    return span[0] // GRAIN, -(-span[1] // GRAIN)
