"""Fixtures of this package's tests: real records, without the rest of the server."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from smart_auth.records import MIGRATIONS, SqlRecords, engine_for


def make_tables(url: str) -> None:
    """Run the migrations on an empty database."""
    engine = engine_for(url)
    with engine.begin() as connection:
        for migration in MIGRATIONS:
            migration.apply(connection)
    engine.dispose()


@pytest.fixture(scope="session")
def _empty_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "auth.db"
    make_tables(f"sqlite:///{path}")
    return path


@pytest.fixture
def records_url(_empty_records: Path, tmp_path: Path) -> str:
    """URL of a SQLite database with empty records; processes may share it."""
    shutil.copy(_empty_records, tmp_path / "auth.db")
    return f"sqlite:///{tmp_path / 'auth.db'}"


@pytest.fixture
def records(records_url: str) -> Iterator[SqlRecords]:
    """Empty records on SQLite."""
    engine = engine_for(records_url)
    yield SqlRecords(engine)
    engine.dispose()
