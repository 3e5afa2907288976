"""The whole server in process, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import drop_postgresql, fresh_postgresql
from fhir_server.conftest import BASE
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.wiring import Process


@contextmanager
def running_on(dialect: str, folder: Path, **settings: object) -> Iterator[Process]:
    """A process open to this machine, on a database of ``dialect`` that is gone afterwards; its data are in ``folder``,
    ``settings`` by name."""
    with database_of(dialect, folder) as url:
        made = load({"DATA_DIR": str(folder), "DATABASE": url, "OPEN": True, "PUBLIC_URL": BASE, **settings}, {})
        prepare(made)
        with Process(made) as process:
            yield process


@contextmanager
def database_of(dialect: str, folder: Path) -> Iterator[str]:
    """URL of an empty database of ``dialect``, dropped afterwards."""
    if dialect == "sqlite":
        yield f"sqlite:///{folder / 'hearth.db'}"
        return
    url = fresh_postgresql()
    try:
        yield url
    finally:
        drop_postgresql(url)
