"""Transactions are whole, durable unless told otherwise, and end in Unavailable when the database is away."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import sqlalchemy as sa

from hl7_bridge.journal.database import Database
from resources.errors import Unavailable

COUNT = "SELECT count(*) FROM hl7_position"
PUT = "INSERT INTO hl7_position (follower, position) VALUES ('x', 1)"


@pytest.fixture
def database(journal_url: str) -> Iterator[Database]:
    made = Database(journal_url)
    yield made
    made.close()


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql(COUNT).scalar() or 0)


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as connection:
        connection.exec_driver_sql(PUT)
        raise ZeroDivisionError
    assert count(database) == 0
    with database.write() as connection:
        connection.exec_driver_sql(PUT)
    assert count(database) == 1


@pytest.mark.parametrize("durable", [True, False])
def test_only_what_need_not_outlive_a_power_failure_does_not_wait_for_the_disk(
    database: Database, durable: bool
) -> None:
    with database.write(durable=durable) as connection:
        if database.dialect == "postgresql":
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == ("on" if durable else "off")
        else:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    with database.write() as connection:
        if database.dialect == "postgresql":
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_writer_holds_what_it_is_given_and_a_reader_does_not(journal_url: str) -> None:
    held: list[str] = []

    @contextmanager
    def alone() -> Iterator[None]:
        held.append("in")
        yield
        held.append("out")

    database = Database(journal_url, alone)
    with database.write() as connection:
        connection.exec_driver_sql(PUT)
        assert held == ["in"]
    assert held == ["in", "out"] and count(database) == 1 and len(held) == 2
    database.close()


@pytest.mark.parametrize("url", ["sqlite:////nowhere/at/all.db", "postgresql://nobody@127.0.0.1:1/none"])
@pytest.mark.parametrize("use", [Database.read, Database.write])
def test_an_absent_database_is_unavailable(
    url: str, use: Callable[[Database], AbstractContextManager[sa.Connection]]
) -> None:
    database = Database(url)
    with pytest.raises(Unavailable), use(database) as connection:
        connection.exec_driver_sql(COUNT)
    database.close()
