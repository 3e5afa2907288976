"""Parameters as PostgreSQL reads them: what is sent comes back."""

from enum import IntEnum, StrEnum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.store import Store
from fhir_server.store.literals import BINARY, TEXT, Bigints, Blobs, literals, texts
from resources.errors import Invalid

_WITHOUT_NUL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(values=st.lists(_WITHOUT_NUL | st.sampled_from(['"', "\\", '","', "{}", "NULL", ""]), min_size=1))
def test_texts_come_back_as_they_were(store: Store, values: list[str]) -> None:
    if store.dialect == "postgresql":
        rows = store.session().query("SELECT v FROM unnest($1::text[]) WITH ORDINALITY AS t(v, n) ORDER BY n", [values])
        assert [value for (value,) in rows] == values


class Word(StrEnum):
    READ = "read"


class Number(IntEnum):
    TWO = 2


def test_what_needs_no_escape_is_not_escaped() -> None:
    assert texts(["a", "b c"]) == b'{"a","b c"}'
    assert texts(['a"', "b\\"]) == b'{"a\\"","b\\\\"}'


def test_nul_is_refused() -> None:
    with pytest.raises(Invalid):
        literals([["a", "b\0"]])
    with pytest.raises(Invalid):
        literals(["a\0b"])


def test_the_type_of_a_value_chooses_its_form() -> None:
    values, formats = literals([1, True, "é", b"\0", None, [], [1, 2], ["a"], Word.READ, Number.TWO])
    assert values == [b"1", b"1", "é".encode(), b"\0", None, b"{}", b"{1,2}", b'{"a"}', b"read", b"2"]
    assert formats == [TEXT, TEXT, TEXT, BINARY, *[TEXT] * 6]


def test_numbers_in_binary_are_what_they_are_in_text(store: Store) -> None:
    if store.dialect != "postgresql":
        pytest.skip("only there")
    numbers = [0, -1, 2**63 - 1, -(2**63)]
    sql = "SELECT $1::bigint[] = $2::bigint[], coalesce(array_length($3::bigint[], 1), 0)"
    assert store.session().query(sql, (Bigints(numbers), numbers, Bigints())) == [(True, 0)]


def test_blobs_are_the_array_of_the_same_bytes() -> None:
    values = [b"", b"\0\xff", b"x" * 1000]
    assert literals([Blobs(3, iter(values))]) == literals([values])
    assert literals([Blobs(0, iter(()))]) == ([b"{}"], [TEXT])
