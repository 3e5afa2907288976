"""The texts of searches: values stay out of them, so that they can be prepared once."""

import re

import pytest

from fhir_server.store.search_sets import Both, Chosen, Either, Except, Instance, Interval, Lists, Set, Span, Text
from fhir_server.store.search_sql import MOST_ARMS, SearchSql, SqliteSearchSql, shortest

DIALECTS = [SearchSql, SqliteSearchSql]


def text_of(made: SearchSql, part: Set) -> str:
    return made.stream(part, Span(), 20)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_same_shape_is_the_same_text(dialect: type[SearchSql]) -> None:
    def shape(n: int) -> Set:
        return Both(
            (
                Lists((n,), n),
                Text((n + 1,), f"t{n}", "prefix"),
                Except(Interval((n,), n, n, n, n)),
                Instance("A", (str(n),)),
            )
        )

    one, other = dialect(0), dialect(1)
    assert text_of(one, shape(111111)) == text_of(other, shape(222222))
    assert one.params != other.params


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_parameter_is_used_once_and_numbered(dialect: type[SearchSql]) -> None:
    sql = dialect(0)
    text = text_of(sql, Both((Lists((1, 2), 9), Either((Lists((3,), 1), Text((4,), "x", "contains"))))))
    numbers = [int(n) for n in re.findall(r"\$(\d+)", text)]
    assert sorted(numbers) == list(range(1, len(sql.params) + 1))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_lists_left_out_are_asked_once_whether_they_are_empty(dialect: type[SearchSql]) -> None:
    sql = dialect(0)
    text = text_of(sql, Both((Lists((1,), 9), Except(Lists((2, 3), 9)))))
    assert "e.h IN ($4, $5)" in text and sql.params[3:5] == [2, 3]
    assert text.count("q.o = a.o") == 2
    assert " e WHERE" not in text_of(dialect(0), Both((Lists((1,), 9), Except(Lists(tuple(range(9)), 9)))))


def test_the_shortest_list_is_walked() -> None:
    long, short = Lists((1,), 100), Lists((2,), 10)
    assert shortest((long, short, Except(short))) is short


def test_what_cannot_be_listed_is_refused() -> None:
    with pytest.raises(TypeError):
        SearchSql(0).stream(Except(Lists((1,), 1)), Span(), 1)


def test_wide_unions_are_nested() -> None:
    arms = tuple(Chosen((n,)) for n in range(MOST_ARMS + 1))
    assert text_of(SearchSql(0), Either(arms)).count("UNION ALL") == MOST_ARMS
