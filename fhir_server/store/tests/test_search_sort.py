"""Statements of other orders: keyset conditions with values missing on either side."""

import re
from typing import NamedTuple

import pytest

from fhir_server.store.search_sets import Lists
from fhir_server.store.search_sort import Ranked, ranked_sql, updated_walk_sql
from fhir_server.store.search_sql import SearchSql

NEAR = Lists((1,), 10)


class At(NamedTuple):
    forward: bool
    o: int
    values: tuple[int | str | None, ...]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (At(True, 5, (7,)), "(t.k0 > $ OR t.k0 IS NULL)"),
        (At(True, 5, (None,)), "(t.k0 IS NULL AND t.o > $)"),
        (At(False, 5, (7,)), "(t.k0 < $)"),
        (At(False, 5, (None,)), "(t.k0 IS NOT NULL)"),
    ],
)
def test_where_a_page_goes_on(place: At, words: str) -> None:
    text = ranked_sql(SearchSql(0), NEAR, [Ranked("updated", (), False)], place, 10)
    where = text.rpartition(" WHERE ")[2]
    assert words in re.sub(r"\$\d+", "$", where)


def test_values_stay_out_of_the_text() -> None:
    sql = SearchSql(0)
    text = ranked_sql(sql, NEAR, [Ranked("str", (99,), True)], At(True, 5, ("smith",)), 10)
    assert "smith" not in text and "99" not in text and "smith" in sql.params


def test_walking_by_time_of_update_probes_the_rest() -> None:
    text = updated_walk_sql(SearchSql(0), "Patient", NEAR, True, None, 10)
    assert "ORDER BY q.updated DESC, q.o DESC" in text and "EXISTS" in text
