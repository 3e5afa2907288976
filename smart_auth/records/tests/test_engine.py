"""Engines: readers do not wait for the writer, an absent database is told as such."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from resources.errors import Unavailable
from smart_auth.records import SqlRecords, engine_for


def test_readers_do_not_wait_for_a_writer(records: SqlRecords) -> None:
    with records.write() as connection:
        connection.execute(sa.text("UPDATE auth_counter SET value = 5"))
        assert records.client("c") is None
        assert records.revocations(0) == []


def test_a_transaction_that_fails_stores_nothing(records: SqlRecords) -> None:
    with pytest.raises(RuntimeError), records.write() as connection:
        connection.execute(sa.text("UPDATE auth_counter SET value = 5"))
        raise RuntimeError
    records.revoke_jti("j", 1, 2)
    assert [row.seq for row in records.revocations(0)] == [1]


@pytest.mark.parametrize("scheme", ["sqlite", "postgresql"])
def test_an_absent_database_is_unavailable(scheme: str, tmp_path: Path) -> None:
    absent = {"sqlite": f"sqlite:///{tmp_path}/no/such.db", "postgresql": "postgresql://nobody@127.0.0.1:1/none"}
    records = SqlRecords(engine_for(absent[scheme]))
    with pytest.raises(Unavailable):
        records.client("c")
    with pytest.raises(Unavailable):
        records.revoke_jti("j", 1, 2)
