"""What all parts of SqlRecords stand on: short transactions, and Structs of the model as rows.

Every consumption is one conditional statement with RETURNING: the database, not this code, picks the one that wins.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from resources.errors import Unavailable
from smart_auth.records.engine import reading

S = TypeVar("S", bound=msgspec.Struct)
AnyRow = sa.Row[*tuple[Any, ...]]
AnySelect = sa.Select[*tuple[Any, ...]]


class Transactions:
    """Reads outside and writes inside a transaction of one method. Raises Unavailable when the database is away or
    was busy for too long: nothing is stored then, or all of it when its very commit was not answered."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._reading = engine, reading(engine)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        with _answering(), self._engine.begin() as connection:
            yield connection

    def rows(self, statement: AnySelect) -> Sequence[AnyRow]:
        with _answering(), self._reading.connect() as connection:
            return connection.execute(statement).all()

    def first(self, statement: AnySelect) -> AnyRow | None:
        rows = self.rows(statement)
        return rows[0] if rows else None

    def change(self, statement: sa.UpdateBase) -> int:
        """Run one statement alone; how many rows it touched."""
        with self.write() as connection:
            return int(connection.execute(statement).rowcount)

    def taken(self, statement: Any) -> AnyRow | None:
        """Run one statement with RETURNING alone; the row that it touched, None for none."""
        with self.write() as connection:
            row: AnyRow | None = connection.execute(statement).first()
            return row

    def one(self, table: sa.Table, kind: type[S], condition: sa.ColumnElement[bool]) -> S | None:
        row = self.first(sa.select(table).where(condition))
        return None if row is None else as_struct(kind, row)

    def many(
        self, table: sa.Table, kind: type[S], *conditions: sa.ColumnElement[bool], order: Any, most: int | None = None
    ) -> list[S]:
        found = sa.select(table).where(*conditions).order_by(order).limit(most)
        return [as_struct(kind, row) for row in self.rows(found)]

    def insert(self, table: sa.Table) -> postgresql.Insert:
        """An INSERT that knows ON CONFLICT, which both databases write alike."""
        if self._engine.dialect.name == "sqlite":
            return sqlite.insert(table)  # type: ignore[return-value]  # the same methods, no common class
        return postgresql.insert(table)

    def upsert(self, table: sa.Table, row: dict[str, Any]) -> postgresql.Insert:
        """Insert ``row``, or replace every column of the one with its primary key."""
        keys = [column.name for column in table.primary_key]
        statement = self.insert(table).values(**row)
        replaced = {name: statement.excluded[name] for name in row if name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=replaced)


def as_row(struct: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}


def as_struct(kind: type[S], row: AnyRow) -> S:
    # Not strict: SQLite keeps flags as 0 and 1. Bytes are bytes already.
    return msgspec.convert(
        {name: row._mapping[name] for name in kind.__struct_fields__}, kind, strict=False, builtin_types=(bytes,)
    )


def digest(*parts: str) -> str:
    """SHA-256 (hex) of texts of any length, each apart from the next."""
    return hashlib.sha256(msgspec.json.encode([part.encode("utf-8", "surrogatepass") for part in parts])).hexdigest()


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise Unavailable("The records of the authorization server cannot be reached; try again shortly.") from error
