"""Stamps of resources and follow-ups on the record: written by marks of its commits, read here (ports.Stamps).

Read stamps after the resource: those of a later version than the one at hand say that it is out of date.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.tables import follow_up
from hl7_bridge.ports import FollowUp, Stamp

Query = Callable[[str, Sequence[str]], Sequence[Sequence[Any]]]
"""Rows of a statement with $1.. for its parameters."""

_EACH = {
    "sqlite": "json_each($1) AS item JOIN {table} AS t ON {where}",
    # Fenced: a plan from when the table was small would read all of it for every message.
    "postgresql": "json_each(CAST($1 AS json)) AS item CROSS JOIN LATERAL "
    "(SELECT * FROM {table} AS t WHERE {where} OFFSET 0) AS t",
}


def _texts(columns: str, table: str, where: str) -> dict[str, str]:
    """By dialect: ``columns`` of the rows ``t`` of ``table`` that belong to one of the wanted."""
    return {
        dialect: f"SELECT {columns} FROM {each.format(table=table, where=where)} ORDER BY 1, 2, 3, 4"
        for dialect, each in _EACH.items()
    }


_READ = _texts(
    "t.type, t.id, t.version, t.revision, t.stamps",
    "hl7_stamp",
    "t.type = item.value ->> 0 AND t.id = item.value ->> 1",
)
_WAITING = _texts(
    "t.kind, t.type, t.id, t.key, t.due, t.tries", "hl7_follow_up", "t.key = item.value ->> 0 AND t.key <> ''"
)


class SqlStamps:
    """ports.Stamps for all threads of a process.

    ``query`` may be set to a quicker way to the same database for what every message reads: the library takes eight
    times as long as a prepared statement.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.query: Query = self._read

    def _read(self, sql: str, params: Sequence[str]) -> Sequence[Sequence[Any]]:
        with self._database.read() as connection:
            return connection.execute(sa.text(sql.replace("$1", ":wanted")), {"wanted": params[0]}).all()

    def read(self, resources: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Stamp]:
        wanted = _object(sorted(set(resources)))
        if not wanted:
            return {}
        rows = self.query(_READ[self._database.dialect], (wanted,))
        return {(type, id): Stamp(version, revision, stamps) for type, id, version, revision, stamps in rows}

    def waiting(self, keys: Iterable[str]) -> list[FollowUp]:
        wanted = _object([(key,) for key in sorted(set(keys) - {""})])
        if not wanted:
            return []
        return [FollowUp(*row) for row in self.query(_WAITING[self._database.dialect], (wanted,))]

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


def _object(rows: Sequence[Sequence[str]]) -> str:
    """``rows`` as a JSON object that json_each takes apart on both databases; '' for none."""
    return msgspec.json.encode({str(n): row for n, row in enumerate(rows)}).decode() if rows else ""
