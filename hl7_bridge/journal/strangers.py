"""What was refused at the door from strangers: counted by address and reason, never kept.

Ours. Anybody may knock under any address: only the newest rows stay.
"""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.tables import stranger

KEPT = 200
"""Rows, those that came last."""
_s = stranger.c


class Stranger(NamedTuple):
    """``times`` from ``address`` for ``reason``, the last time at ``last`` (ms since 1970 UTC)."""

    address: str
    reason: str
    times: int
    last: int


def note(database: Database, counted: Sequence[Stranger]) -> None:
    """Add to what was counted."""
    insert_of = sqlite.insert if database.dialect == "sqlite" else postgresql.insert
    insert = insert_of(stranger)
    more = {"times": _s.times + insert.excluded.times, "last": insert.excluded.last}
    again = insert.on_conflict_do_update(index_elements=["address", "reason"], set_=more)
    with database.write(durable=False) as connection:
        for each in sorted(counted):
            connection.execute(again, each._asdict())
        newest = sa.select(_s.last).order_by(_s.last.desc()).offset(KEPT - 1).limit(1)
        oldest = connection.execute(newest).scalar()
        if oldest is not None:
            connection.execute(sa.delete(stranger).where(_s.last < oldest))


def seen(database: Database) -> list[Stranger]:
    """The newest first."""
    with database.read() as connection:
        found = connection.execute(sa.select(stranger).order_by(_s.last.desc(), _s.address).limit(KEPT))
        return [Stranger(**row._mapping) for row in found]
