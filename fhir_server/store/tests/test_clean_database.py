"""Tests use PostgreSQL databases again: a cleaned one is like a new one, or is not used again."""

from collections.abc import Iterator

import psycopg
import pytest

from conftest import HASH_KEY, drop_postgresql, fresh_postgresql
from deploy.clean_database import CleanDatabase
from fhir_server.store import open_store


@pytest.fixture
def migrated() -> Iterator[str]:
    url = fresh_postgresql()
    store = open_store(url)
    store.migrate()
    store.close()
    yield url
    drop_postgresql(url)


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def test_rows_numbers_and_sessions_are_gone(migrated: str) -> None:
    run(
        migrated,
        "CREATE TABLE mine (id bigserial PRIMARY KEY, text text)",
        "CREATE TABLE theirs (id bigint REFERENCES mine)",
        "CREATE TABLE kept AS SELECT 1 AS one",
    )
    clean = CleanDatabase(migrated)
    for text in ("'a'", "repeat('a', 100)"):
        rows = f"INSERT INTO mine (text) SELECT {text} FROM generate_series(1, 20000)"
        run(migrated, rows, "INSERT INTO theirs SELECT id FROM mine")
        left = psycopg.connect(migrated)
        left.execute("SELECT FROM mine")
        assert clean.reset()
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT")
        with psycopg.connect(migrated) as connection:
            assert connection.execute("SELECT FROM mine, theirs").fetchall() == []
            assert connection.execute("SELECT one FROM kept").fetchall() == [(1,)]
            assert connection.execute("INSERT INTO mine DEFAULT VALUES RETURNING id").fetchone() == (1,)
            connection.rollback()
            connection.execute("SELECT setval('mine_id_seq', 1, false)")


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id int)",
        "ALTER TABLE kept ADD COLUMN more int",
        "ALTER TABLE kept ALTER COLUMN one SET NOT NULL",
        "ALTER TABLE kept ADD CHECK (one > 0)",
        "CREATE INDEX ON kept (one)",
        "DROP TABLE kept",
        "UPDATE kept SET one = 2",
        "INSERT INTO kept VALUES (2)",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE STATISTICS more ON one, (one + 1) FROM kept",
    ],
)
def test_what_became_different_is_not_used_again(migrated: str, change: str) -> None:
    run(migrated, "CREATE TABLE kept AS SELECT 1 AS one")
    clean = CleanDatabase(migrated)
    assert clean.reset()
    run(migrated, change)
    assert not clean.reset()


def test_a_store_works_on_a_cleaned_database(migrated: str) -> None:
    clean = CleanDatabase(migrated)
    for _ in range(2):
        store = open_store(migrated, key=HASH_KEY)
        assert store.pending() == []
        store.close()
        assert clean.reset()
