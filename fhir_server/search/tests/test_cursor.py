"""Page links: what is sealed comes back, and only to the same caller with the same query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.cursor import Cursors, Position
from resources.errors import BadSearch, Forbidden
from resources.repository import Caller

CURSORS = Cursors(b"one key for all nodes")
ANN, BOB = Caller("Practitioner/ann"), Caller("Practitioner/bob")
values = st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62), st.text()), max_size=3).map(tuple)
positions = st.builds(Position, st.booleans(), st.integers(0, 2**63 - 1), values)


@given(positions, st.text())
def test_what_is_sealed_comes_back(position: Position, query: str) -> None:
    token = CURSORS.seal(ANN, query, position)
    assert CURSORS.open(ANN, query, token) == position
    assert Cursors(b"one key for all nodes").open(ANN, query, token) == position


def test_a_position_shows_nothing() -> None:
    token = CURSORS.seal(ANN, "Patient?", Position(True, 1, ("smith",)))
    assert "smith" not in token and token != CURSORS.seal(ANN, "Patient?", Position(True, 1, ("smith",)))


def test_other_callers_and_queries_are_refused() -> None:
    token = CURSORS.seal(ANN, "Patient?", Position(True, 1))
    with pytest.raises(Forbidden):
        CURSORS.open(BOB, "Patient?", token)
    with pytest.raises(Forbidden):
        CURSORS.open(Caller("Practitioner/ann", tenant=1), "Patient?", token)
    with pytest.raises(BadSearch, match="changed"):
        CURSORS.open(ANN, "Patient?name=x", token)


@given(st.text(max_size=200))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(BadSearch):
        CURSORS.open(ANN, "", token)
    with pytest.raises(BadSearch):
        Cursors(b"another key, 16 or more").open(ANN, "", CURSORS.seal(ANN, "", Position(True, 1)))
