"""Stamps of resources and follow-ups on the record: written by marks of its commits, read here (ports.Stamps).

Read stamps after the resource: those of a later version than the one at hand say that it is out of date.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.tables import follow_up, stamp
from hl7_bridge.ports import FollowUp, Stamp


class SqlStamps:
    """ports.Stamps for all threads of a process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, resources: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Stamp]:
        wanted = sorted(set(resources))
        if not wanted:
            return {}
        query = sa.select(stamp).where(sa.tuple_(stamp.c.type, stamp.c.id).in_(wanted))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {(str(r.type), str(r.id)): Stamp(int(r.version), int(r.revision), str(r.stamps)) for r in rows}

    def waiting(self, keys: Iterable[str]) -> list[FollowUp]:
        wanted = sorted(set(keys) - {""})
        if not wanted:
            return []
        query = sa.select(follow_up).where(follow_up.c.key.in_(wanted), follow_up.c.key != "")
        with self._database.read() as connection:
            return [FollowUp(*row) for row in connection.execute(query.order_by(*follow_up.primary_key)).all()]

    def claim(self, now: int, lease_ms: int, count: int) -> list[FollowUp]:
        query = sa.select(follow_up).where(follow_up.c.due <= now).order_by(follow_up.c.due).limit(count)
        with self._database.read() as connection:  # most of the time there is nothing, and no writer is needed
            if not connection.execute(query.limit(1)).all():
                return []
        with self._database.write(durable=False) as connection:
            found = [FollowUp(*row) for row in connection.execute(query.with_for_update(skip_locked=True)).all()]
            claimed = [each._replace(due=now + lease_ms, tries=each.tries + 1) for each in found]
            for before, after in zip(found, claimed, strict=True):
                connection.execute(_same(before).values(due=after.due, tries=after.tries))
        return claimed

    def put_off(self, follow_up: FollowUp, due: int) -> None:
        with self._database.write(durable=False) as connection:
            connection.execute(_same(follow_up).values(due=due))


def _same(one: FollowUp) -> sa.Update:
    columns = follow_up.c
    return sa.update(follow_up).where(
        columns.kind == one.kind,
        columns.type == one.type,
        columns.id == one.id,
        columns.key == one.key,
        columns.due == one.due,
    )
