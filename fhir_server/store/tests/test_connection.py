"""Connections that break, statements that take too long, forks, and the other ways a session meets trouble."""

import multiprocessing
import threading
import time
from collections.abc import Iterator

import pytest

from conftest import HASH_KEY
from fhir_server.store import Store, open_store
from fhir_server.store.model import DatabaseError, MarkMissed
from fhir_server.store.tests.lossy import Lossy
from fhir_server.store.tests.test_postgresql_write import create
from resources.errors import OutcomeUnknown, TooCostly, Unavailable

fork = multiprocessing.get_context("fork")


def only_postgresql(store: Store) -> None:
    if store.dialect != "postgresql":
        pytest.skip("a file has no connection to lose")


def _kill_backend(store: Store) -> None:
    pid = store.session().query("SELECT pg_backend_pid()")[0][0]
    store.aside().query("SELECT pg_terminate_backend($1)", (pid,))  # type: ignore[attr-defined]


@pytest.fixture
def lossy(database_url: str) -> Iterator[tuple[Lossy, Store]]:
    if database_url.startswith("sqlite"):
        pytest.skip("a file has no connection to lose")
    way = Lossy(database_url)
    store = open_store(way.url, key=HASH_KEY)
    yield way, store
    way.deaf = False
    store.close()
    way.close()


def test_a_connection_that_ended_while_idle_is_replaced(store: Store) -> None:
    only_postgresql(store)
    connection = store.session().connected()  # type: ignore[attr-defined]
    _kill_backend(store)
    while connection.lives():
        time.sleep(0.01)
    assert store.session().query("SELECT 1") == [(1,)]


def test_a_write_that_is_not_answered_is_unknown_and_not_sent_again(lossy: tuple[Lossy, Store], store: Store) -> None:
    way, session = lossy[0], lossy[1].session()
    session.write(create("before"))  # what it takes from the server before its one statement is at hand
    way.deaf, connections = True, way.connections
    with pytest.raises(OutcomeUnknown, match="may have been stored or not"):
        session.write(create("x"))
    way.deaf = False
    assert way.connections == connections
    found = store.session().read("Observation", "x")
    assert found and found.version == 1
    session.write(create("y"))


def test_a_commit_that_is_not_answered_is_unknown(lossy: tuple[Lossy, Store], store: Store) -> None:
    way, session = lossy[0], lossy[1].session()
    with pytest.raises(OutcomeUnknown), session.transaction():
        session.write_all([create("a"), create("b")])
        way.deaf = True
    way.deaf = False
    assert store.session().exists_many([("Observation", "a"), ("Observation", "b")]) == {
        ("Observation", "a"),
        ("Observation", "b"),
    }


def test_what_only_reads_or_was_not_committed_is_not_unknown(lossy: tuple[Lossy, Store], store: Store) -> None:
    way, session = lossy[0], lossy[1].session()
    with pytest.raises(Unavailable) as read, session.transaction(snapshot=True):
        session.query("SELECT 1")
        way.deaf = True
    way.deaf = False
    with pytest.raises(Unavailable) as written, session.transaction():
        session.write_all([create("a")])
        way.deaf = True
        session.query("SELECT 1")
    way.deaf = False
    assert not isinstance(read.value, OutcomeUnknown) and not isinstance(written.value, OutcomeUnknown)
    assert store.session().read("Observation", "a") is None


def test_a_connection_lost_in_a_transaction_fails_that_transaction(store: Store) -> None:
    only_postgresql(store)
    session = store.session()
    with pytest.raises(Unavailable), session.transaction():
        _kill_backend(store)
        session.query("SELECT 1")
    assert not session.in_transaction
    with session.transaction():
        assert session.query("SELECT 1") == [(1,)]


def test_no_server_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        open_store("postgresql://nobody@127.0.0.1:1/none").session().query("SELECT 1")
    with pytest.raises(Unavailable):
        open_store("sqlite:////nowhere/at/all.db").session().query("SELECT 1")
    with pytest.raises(ValueError, match="not a database URL"):
        open_store("mysql://x")


def test_a_slow_statement_is_too_costly(database_url: str) -> None:
    store = open_store(database_url, timeout=0.2)
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT count(*) FROM n"
    with pytest.raises(TooCostly):
        store.session().query(slow)
    assert store.session().query("SELECT 1") == [(1,)]
    store.close()


def test_a_statement_that_fails_names_the_fault_and_leaves_the_session_usable(store: Store) -> None:
    with pytest.raises(DatabaseError):
        store.session().query("SELECT nothing FROM nowhere")
    assert store.session().query("SELECT 1") == [(1,)]


def test_parameters_come_back_as_they_went_in(store: Store) -> None:
    number, text, data = 2**62, "naïve \\ \" {} ' \U0001f600", bytes(range(256))
    cast = {"postgresql": "$1::bigint, $2::text, $3::bytea, $4::text", "sqlite": "$1, $2, $3, $4"}[store.dialect]
    assert store.session().query(f"SELECT {cast}", (number, text, data, None)) == [(number, text, data, None)]


def test_lists_are_arrays_or_json(store: Store) -> None:
    sql = {"postgresql": "SELECT * FROM unnest($1::text[])", "sqlite": "SELECT value FROM json_each($1)"}[store.dialect]
    words = ['a"b', "c\\d", "{}", "", "ü"]
    assert [row[0] for row in store.session().query(sql, (words,))] == words
    assert store.session().query(sql, ([],)) == []


def test_merge_queries_leave_the_planner_as_it_was(store: Store) -> None:
    assert store.session().query("SELECT 7", merge=True) == [(7,)]
    if store.dialect == "postgresql":
        assert store.session().query("SELECT current_setting('enable_nestloop')") == [("on",)]


def test_each_thread_and_each_child_process_has_its_own_session(store: Store) -> None:
    mine = store.session()
    mine.query("SELECT 1")
    others: list[object] = []
    thread = threading.Thread(target=lambda: others.append(store.session()))
    thread.start()
    thread.join()
    assert others[0] is not mine
    first = mine.new_rids(1)[0]
    results = fork.SimpleQueue()
    child = fork.Process(target=lambda: results.put((store.session().query("SELECT 2"), store.session().new_rids(3))))
    child.start()
    child.join(30)
    rows, rids = results.get()
    assert rows == [(2,)] and not {first, *mine.new_rids(50)} & set(rids)
    assert mine.query("SELECT 3") == [(3,)]


def test_marks_run_in_the_transaction(store: Store) -> None:
    from resources.repository import Mark

    store.register_mark("learn", "INSERT INTO schema_version (package, version) VALUES (:name, :n)")
    session = store.session()
    with pytest.raises(ZeroDivisionError), session.transaction():
        session.write_all([], marks=[Mark("learn", {"name": "x", "n": 3})])
        raise ZeroDivisionError
    session.write_all([], marks=[Mark("learn", {"name": "y", "n": 4})])
    found = session.query("SELECT package, version FROM schema_version WHERE package IN ('x', 'y')")
    assert found == [("y", 4)]


def test_a_mark_that_misses_its_rows_undoes_the_transaction(store: Store) -> None:
    from resources.repository import Mark

    store.register_mark("rise", "UPDATE schema_version SET version = :n WHERE package = :name RETURNING 1")
    session = store.session()
    session.query("INSERT INTO schema_version (package, version) VALUES ('x', 1), ('y', 1)")
    session.write_all([], marks=[Mark("rise", {"name": "x", "n": 2}, rows=1)])
    with pytest.raises(MarkMissed):
        marks = [Mark("rise", {"name": "y", "n": 2}, rows=1), Mark("rise", {"name": "nobody", "n": 2}, rows=1)]
        session.write_all([], marks=marks)
    found = session.query("SELECT package, version FROM schema_version WHERE package IN ('x', 'y') ORDER BY 1")
    assert found == [("x", 2), ("y", 1)]


def test_a_statement_too_complex_is_too_costly(store: Store) -> None:
    deep = "SELECT " + "(" * 20_000 + "1" + ")" * 20_000
    with pytest.raises(TooCostly, match="complex"):
        store.session().query(deep)
    assert store.session().query("SELECT 1") == [(1,)]


def test_waiting_too_long_for_others_is_unavailable(store: Store, database_url: str) -> None:
    other = open_store(database_url, timeout=0.2)
    other.equip(b"hash key of the tests, 32 bytes.")
    with store.session().transaction():
        store.session().lock([7])
        with pytest.raises(Unavailable), other.session().transaction():
            other.session().lock([7])
    other.close()
