"""Brings a database's schema up to date, package by package; safe when several processes start at once.

The version of each package lies in table ``schema_version``; decisions in docs/adr.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from time import monotonic, sleep

import psycopg
import sqlalchemy as sa

from capability.database_address import conninfo
from capability.rows import Migration
from fhir_server.store.model import SchemaTooNew
from fhir_server.store.schema import MIGRATIONS, NUMBER, TEXT

_PATIENCE = 60
"""Seconds that one waits for another."""
LOCK = 0x4845415254480001
versions = sa.Table(
    "schema_version",
    sa.MetaData(),
    sa.Column("package", TEXT, primary_key=True),
    sa.Column("version", NUMBER, nullable=False),
    sqlite_strict=True,
)


def migrate(engine: sa.Engine, packages: Mapping[str, Sequence[Migration]]) -> list[str]:
    """Apply what is missing of this package and of ``packages`` in order; all of it or nothing. See Store.migrate."""
    applied: list[str] = []
    with _alone(engine) as connection:
        versions.create(connection, checkfirst=True)
        current = _current(connection)
        for name, migrations in {"store": MIGRATIONS, **packages}.items():
            applied += _package(connection, name, migrations, current.get(name, 0))
    return applied


def pending(engine: sa.Engine, packages: Mapping[str, Sequence[Migration]]) -> list[str]:
    """What ``migrate`` would apply, changing nothing. Raises SchemaTooNew."""
    waiting: list[str] = []
    with engine.connect() as connection:
        known = sa.inspect(connection).has_table(versions.name)
        current = _current(connection) if known else {}
        for name, migrations in {"store": MIGRATIONS, **packages}.items():
            waiting += [f"{name} {m.version}" for m in _missing(name, migrations, current.get(name, 0))]
    return waiting


def _current(connection: sa.Connection) -> dict[str, int]:
    """The version of each package in the database."""
    return {str(row[0]): int(row[1]) for row in connection.execute(sa.select(versions.c.package, versions.c.version))}


def _package(connection: sa.Connection, name: str, migrations: Sequence[Migration], current: int) -> list[str]:
    todo = _missing(name, migrations, current)
    for migration in todo:
        migration.apply(connection)
    if todo:
        connection.execute(sa.delete(versions).where(versions.c.package == name))
        connection.execute(sa.insert(versions).values(package=name, version=todo[-1].version))
    return [f"{name} {migration.version}" for migration in todo]


def _missing(name: str, migrations: Sequence[Migration], current: int) -> list[Migration]:
    """What version ``current`` of a package still needs, in order. Raises SchemaTooNew."""
    newest = max((m.version for m in migrations), default=0)
    if current > newest:
        raise SchemaTooNew(f"schema {name} {current} is of a later release; this one knows {newest}")
    return sorted(m for m in migrations if m.version > current)


def _alone(engine: sa.Engine) -> AbstractContextManager[sa.Connection]:
    """A transaction that no other migration runs beside: an advisory lock, or SQLite's write lock."""
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    else:
        sa.event.listen(
            engine, "begin", lambda connection: connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        )
    return engine.begin()


def engine_for(url: str) -> sa.Engine:
    """A throw-away engine for ``postgresql://...`` or ``sqlite:///path``."""
    if url.startswith("sqlite"):
        patient = {"timeout": _PATIENCE, "isolation_level": None}
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=patient)
        sa.event.listen(engine, "connect", lambda raw, _: _write_ahead(raw))
        return engine
    connect = partial(psycopg.connect, conninfo(url))
    return sa.create_engine("postgresql+psycopg://", creator=connect, poolclass=sa.pool.NullPool)


def _write_ahead(raw: sqlite3.Connection) -> None:
    """SQLite does not wait for a lock here, whatever its timeout, when two who start turn the same file over."""
    deadline = monotonic() + _PATIENCE
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if monotonic() > deadline:
                raise
            sleep(0.01)
