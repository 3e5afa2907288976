"""What goes out: messages queued, what receivers were told, and the place reached in the changes, in one commit."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.receiving import keep
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.journal.tables import position, told
from hl7_bridge.outbound.events import Sent
from hl7_bridge.outbound.follower import Told
from hl7_bridge.ports import Incoming

MOST = 300
"""Rows asked for in one statement."""


class SqlOutbox:
    """outbound.follower.Outbox over the journal's database."""

    def __init__(self, database: Database, sealing: Sealing) -> None:
        self._database, self._sealing = database, sealing

    def position(self, follower: str) -> int:
        with self._database.read() as connection:
            found = connection.execute(sa.select(position.c.position).where(position.c.follower == follower)).scalar()
        return int(found or 0)

    def told(self, wanted: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], Sent]:
        keys = sorted(set(wanted))
        found: dict[tuple[str, str, str], Sent] = {}
        key = sa.tuple_(told.c.receiver, told.c.type, told.c.id)
        with self._database.read() as connection:
            for start in range(0, len(keys), MOST):
                rows = connection.execute(sa.select(told).where(key.in_(keys[start : start + MOST]))).all()
                found |= {(row.receiver, row.type, row.id): _sent(row) for row in rows}
        return found

    def about(self, receiver: str, control_id: str) -> tuple[str, str] | None:
        """(type, id) of the resource that the message ``control_id`` to ``receiver`` told of, None when it is gone."""
        wanted = sa.and_(told.c.receiver == receiver, told.c.control_id == control_id)
        with self._database.read() as connection:
            row = connection.execute(sa.select(told.c.type, told.c.id).where(wanted)).first()
        return (str(row[0]), str(row[1])) if row else None

    def queue(self, follower: str, before: int, after: int, messages: Sequence[Incoming], told: Sequence[Told]) -> bool:
        with self._database.write() as connection:
            if not _move(connection, follower, before, after):
                return False
            if messages:
                keep(connection, self._sealing, messages)
            for each in told:
                _tell(connection, each)
        return True


def _sent(row: Any) -> Sent:
    return Sent(int(row.version), str(row.status), str(row.start), str(row.content), bool(row.theirs))


def _move(connection: sa.Connection, follower: str, before: int, after: int) -> bool:
    """Whether ``follower`` stood at ``before``; then it stands at ``after``."""
    if before == 0:
        first = sa.text("INSERT INTO hl7_position (follower, position) VALUES (:f, 0) ON CONFLICT DO NOTHING")
        connection.execute(first, {"f": follower})
    there = sa.and_(position.c.follower == follower, position.c.position == before)
    return bool(connection.execute(sa.update(position).where(there).values(position=after)).rowcount)


def _tell(connection: sa.Connection, each: Told) -> None:
    key = sa.and_(told.c.receiver == each.receiver, told.c.type == each.type, told.c.id == each.id)
    connection.execute(sa.delete(told).where(key))
    row = {"receiver": each.receiver, "type": each.type, "id": each.id, "control_id": each.control_id}
    connection.execute(sa.insert(told).values(**row, **each.sent._asdict() | {"theirs": int(each.sent.theirs)}))
