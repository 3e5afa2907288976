"""What statements may take together, on both databases."""

import pytest

from fhir_server.store import Store
from resources.errors import TooCostly


def test_statements_after_the_time_are_refused_with_advice(store: Store) -> None:
    session = store.session()
    with session.limited(60):
        assert session.query("SELECT 1")
        with pytest.raises(TooCostly, match="narrow the dates"), session.limited(-1):
            session.query("SELECT 1")
        with pytest.raises(TooCostly), session.limited(-1), session.limited(60):  # the outer limit stays
            session.read_many([("Patient", "x")])
        assert session.query("SELECT 1")
    assert session.query("SELECT 1")
