"""Parameters as PostgreSQL reads them: what is sent comes back."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.store import Store
from fhir_server.store.literals import literal, texts
from resources.errors import Invalid

_WITHOUT_NUL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(_WITHOUT_NUL | st.sampled_from(['"', "\\", '","', "{}", "NULL", ""]), min_size=1))
def test_texts_come_back_as_they_were(store: Store, values: list[str]) -> None:
    if store.dialect == "postgresql":
        rows = store.session().query("SELECT v FROM unnest($1::text[]) WITH ORDINALITY AS t(v, n) ORDER BY n", [values])
        assert [value for (value,) in rows] == values


def test_what_needs_no_escape_is_not_escaped() -> None:
    assert texts(["a", "b c"]) == b'{"a","b c"}'
    assert texts(['a"', "b\\"]) == b'{"a\\"","b\\\\"}'


def test_nul_is_refused() -> None:
    with pytest.raises(Invalid):
        literal(["a", "b\0"])
