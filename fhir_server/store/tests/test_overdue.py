"""A question that the database never answers ends, and of a change nobody claims to know what became of it."""

import pytest

from conftest import HASH_KEY
from fhir_server.store import open_store, overdue
from fhir_server.store.tests.lossy import Lossy
from fhir_server.store.tests.test_postgresql_write import create
from resources.errors import OutcomeUnknown


def test_what_is_not_answered_is_cut_off(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("a file answers or fails")
    monkeypatch.setattr(overdue, "GRACE", 0.1)
    monkeypatch.setattr(overdue, "_LOOK", 0.05)
    way = Lossy(database_url)
    store = open_store(way.url, key=HASH_KEY, timeout=0.5)
    session = store.session()
    session.write(create("before"))
    way.mute = True
    with pytest.raises(OutcomeUnknown):
        session.write(create("x"))
    way.mute = False
    found = session.read("Observation", "x")
    assert found and found.version == 1
    store.close()
    way.close()
