"""Reads: many at once, history bounds and pages, list lengths."""

import re

from fhir_server.preparation import packages
from fhir_server.store import Store, Write, open_store
from fhir_server.store.reading import READ
from resources.search_param.terms import Entries, Key

NONE = Entries(frozenset(), frozenset(), frozenset(), frozenset(), None, False, "", ())


def put(store: Store, type: str, id: str, moment: int, doc: bytes = b"{}") -> None:
    before = store.session().read(type, id)
    version = before.version + 1 if before else 1
    op = "PUT" if doc else "DELETE"
    old = NONE if before and not before.deleted else None
    store.session().write(Write(type, id, op, version, moment, doc, NONE if doc else None, before, old))


def test_many_reads_at_once(store: Store) -> None:
    put(store, "Patient", "1", 1)
    put(store, "Basic", "2", 2)
    put(store, "Basic", "2", 3, b"")
    session = store.session()
    refs = [("Patient", "1"), ("Basic", "2"), ("Basic", "3")]
    assert set(session.read_many(refs)) == set(refs[:2])
    assert session.exists_many(refs) == {("Patient", "1")}
    assert session.read_many([]) == {} and session.exists_many([]) == set()
    places = [v.o for v in session.read_many(refs).values()]
    assert [v.id for v in session.read_places([*places, 17])] == ["1"]
    assert session.read("Basic", "3") is None and session.vread("Basic", "3", 1) is None
    assert session.vread("Patient", "1", 2**40) is None


def test_history_has_bounds_and_pages(store: Store) -> None:
    for moment in range(1, 121):
        put(store, "Basic", str(moment % 3), moment * 1000)
    put(store, "Patient", "p", 500_000)
    session = store.session()
    walked: list[int] = []
    before = None
    while page := session.history("Basic", count=25, before=before):
        walked += [v.updated for v in page]
        before = page[-1].seq
    assert walked == [m * 1000 for m in range(120, 0, -1)]
    assert [v.updated for v in session.history("Basic", count=9, since=118_500)] == [120_000, 119_000]
    assert [v.updated for v in session.history("Basic", "1", count=2)] == [118_000, 115_000]
    assert sorted(v.updated for v in session.history("Basic", count=99, at=(50_500, 51_500))) == [
        48000,
        49000,
        50000,
        51000,
    ]
    assert [v.type for v in session.history(count=2)] == ["Patient", "Basic"]
    assert (session.history_count(), session.history_count("Basic"), session.history_count("Basic", "0")) == (
        121,
        120,
        40,
    )
    assert session.history("Group", count=5) == [] and session.history_count("Basic", "x") == 0


def test_who_polls_from_the_newest_instant_misses_nothing(store: Store) -> None:
    """A version that was stamped early and stored late is behind a newer one: it belongs to what came since then."""
    put(store, "Basic", "old", 1_000)
    put(store, "Basic", "newest", 9_000)
    session = store.session()
    seen = [v.id for v in session.history("Basic", count=9, since=1_000)]
    put(store, "Basic", "late", 8_000)
    assert seen == ["newest", "old"]
    assert [v.id for v in session.history("Basic", count=9, since=9_000)] == ["late", "newest"]
    first = session.history("Basic", count=1, since=9_000)
    assert [v.id for v in session.history("Basic", count=1, since=9_000, before=first[0].seq)] == ["newest"]
    assert session.history("Basic", count=9, since=9_001) == []


def test_lengths_of_common_lists(store: Store) -> None:
    h = store.hasher.h(0, Key("Basic", "", "type", ""))
    one = NONE._replace(posts=frozenset({Key("Basic", "", "type", "")}))
    store.session().write_all([Write("Basic", str(i), "PUT", 1, 1, b"{}", one) for i in range(300)])
    if store.dialect == "postgresql":
        store.session().query("ANALYZE post")
        store.refresh_statistics()
        assert store.most_common(h) == 300
    else:
        assert store.most_common(h) is None
    assert store.most_common(12345) is None


def test_one_resource_is_found_by_its_own_index_while_there_are_no_statistics(empty_database_url: str) -> None:
    store = open_store(empty_database_url)  # a new one: of what other tests left, the database may have statistics
    store.migrate(packages())
    query = re.sub(r"\$(\d)", lambda found: ("0", "'Basic'", "'1'")[int(found[1]) - 1], READ)
    explain = "EXPLAIN" if store.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
    plan = " ".join(str(row[-1]) for row in store.session().query(f"{explain} {query}", ()))
    assert "resource_id" in plan or "sqlite_autoindex_resource" in plan
    store.close()
