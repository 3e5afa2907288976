"""Whole databases into a file and back, as of one moment and while they serve.

PostgreSQL 15 chapter 26.1 (pg_dump); SQLite Online Backup API (https://www.sqlite.org/backup.html).
"""

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import time_ns
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from capability.database_address import conninfo
from fhir_server.settings import child_environment

_SQLITE = "sqlite:///"
_MAGIC = b"SQLite format 3\x00"
_ENVIRONMENT = {
    "host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
    "target_session_attrs": "PGTARGETSESSIONATTRS", "connect_timeout": "PGCONNECT_TIMEOUT", "passfile": "PGPASSFILE",
}  # fmt: skip


class CannotCopy(Exception):
    """A database cannot be copied or restored; the text says why."""


def dump(url: str, file: Path) -> None:
    """Write the database at ``url`` to ``file``, which is for its owner only. Raises CannotCopy."""
    if url.startswith(_SQLITE):
        copy_file(Path(url.removeprefix(_SQLITE)), file)
    else:
        _program("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={file}")


def restore(file: Path, url: str) -> None:
    """The other way, into a database without tables, or a SQLite file that is not there. Raises CannotCopy."""
    if url.startswith(_SQLITE):
        target = Path(url.removeprefix(_SQLITE))
        if target.exists():
            raise CannotCopy(f"{target} is there already; a backup is restored into a new file")
        copy_file(file, target)
        return
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = current_schema() LIMIT 1").fetchone():
            raise CannotCopy("the database holds tables; a backup is restored into an empty one")
        _program("pg_restore", url, "--no-owner", "--no-privileges", "--single-transaction", "--dbname=", str(file))
        connection.execute("ANALYZE")  # else plans and list lengths come of nothing


def copy_file(source: Path, target: Path) -> None:
    """A file; of a SQLite database what is committed, though somebody writes to it."""
    with source.open("rb") as stream:
        is_database = stream.read(len(_MAGIC)) == _MAGIC
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_database:
        shutil.copy2(source, target)
        return
    with closing(sqlite3.connect(source, timeout=60)) as theirs, closing(sqlite3.connect(target)) as ours:
        theirs.backup(ours)


@contextmanager
def scratch(url: str, folder: Path) -> Iterator[str]:
    """The address of a database of the same kind that is gone afterwards: a file in ``folder``, or on the same server.
    Raises CannotCopy."""
    if url.startswith(_SQLITE):
        yield f"{_SQLITE}{folder / 'hearth.sqlite'}"
        return
    name = f"hearth_scratch_{time_ns()}"
    try:
        _administer(url, f"CREATE DATABASE {name}")
    except psycopg.Error as error:
        raise CannotCopy(f"no database can be made to restore into ({error}); give one that is empty") from error
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    finally:
        _administer(url, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(url: str, sql: str) -> None:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(sql.encode())


def _program(name: str, url: str, *arguments: str) -> None:
    """Run a program of PostgreSQL; the address goes by the environment, for others see arguments."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    program = str(found[-1]) if found else shutil.which(name)
    if program is None:
        raise CannotCopy(f"{name} is not installed (Debian: postgresql-client)")
    said = conninfo_to_dict(conninfo(url))
    environment = {_ENVIRONMENT[key]: str(value) for key, value in said.items() if key in _ENVIRONMENT}
    given = [f"--dbname={said['dbname']}" if each == "--dbname=" else each for each in arguments]
    done = subprocess.run([program, *given], env=child_environment() | environment, capture_output=True, text=True)
    if done.returncode:
        raise CannotCopy(f"{name} failed: {done.stderr.strip()[-500:]}")
