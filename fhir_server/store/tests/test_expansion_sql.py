"""The rows of expansions on both databases: kept together, read together, gone together."""

import pytest

from fhir_server.store import Integrity, Store, Write, expansion_sql
from fhir_server.store.expansion_sql import BLOCK, VIEWS, Kept, codes, forget, keep, kept, lists, used
from resources.search_param import extract

NAME = "in http://example.org/vs"
CODES = {("urn:a", "1"), ("urn:a", "2"), ("urn:b", "1")}


def store_one(store: Store, id: int, pairs: set[tuple[str, str]], whole: bool = False) -> None:
    session = store.session()
    with session.transaction():
        keep(session, Kept(id, f"view {id}", "[]", len(pairs), whole), 0, NAME, pairs)


def test_what_is_kept_is_read(store: Store) -> None:
    store_one(store, 7, CODES)
    store_one(store, 7, CODES)  # as another process would, at the same time
    session = store.session()
    assert kept(session, 0, NAME) == [Kept(7, "view 7", "[]", 3, False)]
    assert kept(session, 1, NAME) == []
    assert set(codes(session, 7) or ()) == CODES
    assert codes(session, 7, ["urn:b", "urn:c"]) == [("urn:b", "1")]
    assert codes(session, 7, ["urn:c"]) == [] and codes(session, 8) is None


def test_many_codes(store: Store) -> None:
    store_one(store, 1, {("urn:a", f"c {n}") for n in range(BLOCK + 5)})
    assert len(codes(store.session(), 1) or ()) == BLOCK + 5


def test_the_latest_stay(store: Store) -> None:
    session = store.session()
    for id in range(VIEWS + 3):
        store_one(store, id, {("urn:a", "1")})
        with session.transaction():
            forget(session, 0)
    assert [each.id for each in kept(session, 0, NAME)] == list(range(VIEWS + 2, 2, -1))
    assert codes(session, 0) is None


def test_all_together_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    session = store.session()

    def left() -> list[int]:
        with session.transaction():
            forget(session, 0)
        return sorted(id for (id,) in session.query("SELECT id FROM expansion"))

    for id in range(6):
        with session.transaction():
            keep(session, Kept(id, "v", "[]", 10, False), 0, f"in {id}", {("urn:a", "1")})
    monkeypatch.setattr(expansion_sql, "MOST", 5)
    assert left() == [1, 2, 3, 4, 5]
    monkeypatch.setattr(expansion_sql, "MOST_CODES", 25)
    assert left() == [4, 5]
    monkeypatch.setattr(expansion_sql, "MOST_CODES", 1)
    assert left() == [5] and session.query("SELECT count(*) FROM expansion_code") == [(1,)]


def test_lists_of_codes_in_use(store: Store) -> None:
    session = store.session()
    for n in range(4):
        coding = {"system": "urn:a" if n < 3 else "urn:b", "code": str(n)}
        body = {"resourceType": "Basic", "id": f"b{n}", "code": {"coding": [coding]}}
        write = Write("Basic", f"b{n}", "PUT", 1, 1_700_000_000_000, b"{}", extract(body))
        session.write(write, integrity=Integrity(False, False))
    store_one(store, 1, {("urn:a", "1"), ("urn:a", "9"), ("urn:b", "")}, whole=True)
    found = lists(session, 1, 0, "Basic", "Basic.code", "s|c")
    assert found is not None and len(found) == 2 and sorted(used(session, [*found, 12345])) == sorted(found)
    assert lists(session, 1, 0, "Basic", "Basic.subject", "s|c") == []
    assert lists(session, 2, 0, "Basic", "Basic.code", "s|c") is None
