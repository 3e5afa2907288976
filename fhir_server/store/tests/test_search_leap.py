"""Leaps over lists that are dense in different places, and what their budget leaves open."""

import pytest

from fhir_server.store import Store
from fhir_server.store.search_leap import leap_postgresql, leap_sqlite
from fhir_server.store.search_sets import Both, Lists, Span
from fhir_server.store.search_sql import SearchSql, SqliteSearchSql

OLD, NEW, MIXED = 1, 2, 3


@pytest.fixture
def lists(store: Store) -> Both:
    """OLD holds 0..499, NEW 500..999, MIXED every tenth of all: lists 1 and 2 never meet."""
    session = store.session()
    with session.transaction():
        for o in range(1000):
            members = [OLD if o < 500 else NEW] + [MIXED] * (o % 10 == 0)
            for h in members:
                session.query("INSERT INTO post VALUES ($1, $2)", [h, o])
    return Both((Lists((OLD,), 500), Lists((MIXED,), 100)))


def leap(store: Store, near: Both, descending: bool, limit: int) -> tuple[list[int], int | None]:
    query = store.session().query
    if store.dialect == "postgresql":
        return leap_postgresql(SearchSql(0, descending), query, near, Span(), limit)
    return leap_sqlite(SqliteSearchSql(0, descending), query, near, Span(), limit)


def test_members_in_either_direction(store: Store, lists: Both) -> None:
    newest, _ = leap(store, lists, True, 3)
    oldest, _ = leap(store, lists, False, 3)
    assert newest[:3] == [490, 480, 470] and oldest[:3] == [0, 10, 20]


def test_lists_that_never_meet_end_at_once(store: Store, lists: Both) -> None:
    near = Both((Lists((OLD,), 500), Lists((NEW,), 500)))
    assert leap(store, near, True, 20) == ([], None)
    assert leap(store, near, False, 20) == ([], None)
