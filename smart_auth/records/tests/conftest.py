"""The records on SQLite and on PostgreSQL."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from conftest import drop_postgresql, fresh_postgresql
from smart_auth.conftest import make_tables
from smart_auth.records import SqlRecords, engine_for, tables


@pytest.fixture(scope="session")
def _postgresql_records() -> Iterator[str]:
    url = fresh_postgresql()
    make_tables(url)
    yield url
    drop_postgresql(url)


@pytest.fixture(params=("sqlite", "postgresql"))
def url(request: pytest.FixtureRequest) -> str:
    """A database with empty records."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("records_url"))
    url = str(request.getfixturevalue("_postgresql_records"))
    engine = engine_for(url)
    with engine.begin() as connection:
        for table in tables.metadata.sorted_tables:
            connection.execute(sa.delete(table))
        connection.execute(sa.insert(tables.counter).values(name="revocation", value=0))
    engine.dispose()
    return url


@pytest.fixture
def records(url: str) -> Iterator[SqlRecords]:
    """Overrides the package's: on both databases."""
    engine = engine_for(url)
    yield SqlRecords(engine)
    engine.dispose()
