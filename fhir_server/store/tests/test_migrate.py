"""Migrations: once, by one process, never backwards; the audit trail that results is append-only."""

import multiprocessing

import pytest
import sqlalchemy as sa

from capability.rows import Migration
from fhir_server.store import SchemaTooNew, Store, open_store
from fhir_server.store.fill import begin_all, sweep, waiting
from fhir_server.store.model import DatabaseError
from fhir_server.store.parameter_sql import WHOLE
from fhir_server.store.tests.stored_parameters import patient, put, repository_on

fork = multiprocessing.get_context("fork")


OURS = [f"store {n}" for n in range(1, 7)]


def _add_table(connection: sa.Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE extra (n bigint)")


def test_migrations_apply_once_and_by_package(empty_database_url: str) -> None:
    store = open_store(empty_database_url)
    extra = [Migration(1, "extra", _add_table)]
    assert store.migrate() == OURS
    assert store.migrate({"other": extra}) == ["other 1"]
    assert store.migrate({"other": extra}) == []
    assert store.session().query("SELECT package, version FROM schema_version ORDER BY 1") == [
        ("other", 1),
        ("store", 6),
    ]
    store.close()


def test_a_failed_migration_leaves_nothing(empty_database_url: str) -> None:
    def fails(connection: sa.Connection) -> None:
        _add_table(connection)
        raise ZeroDivisionError

    store = open_store(empty_database_url)
    with pytest.raises(ZeroDivisionError):
        store.migrate({"other": [Migration(1, "fails", fails)]})
    assert store.migrate({"other": [Migration(1, "extra", _add_table)]}) == [*OURS, "other 1"]
    store.close()


@pytest.mark.parametrize("asked", [False, True])
def test_what_was_indexed_for_less_is_walked_over(store: Store, asked: bool) -> None:
    put(repository_on(store), patient(1, ""))
    if asked:
        begin_all(store)
    store.session().query("UPDATE schema_version SET version = 5 WHERE package = 'store'")
    assert store.migrate() == ["store 6"]
    assert [state.n for state in waiting(store)] == [WHOLE]
    assert [step.done for step in sweep(store)][-1] == 1
    assert not waiting(store)


def test_a_walk_that_was_under_way_before_an_upgrade_begins_anew(store: Store) -> None:
    put(repository_on(store), patient(1, ""))
    begin_all(store)
    store.session().query("INSERT INTO rebuild (type, place, examined, repaired) VALUES ('', $1, 40, 0)", (2**62,))
    store.session().query("UPDATE schema_version SET version = 5 WHERE package = 'store'")
    store.migrate()
    assert [step.done for step in sweep(store)][-1] == 1
    assert not waiting(store)


def test_a_new_database_has_nothing_to_walk_over(store: Store) -> None:
    assert not waiting(store)


def test_a_newer_schema_is_refused(database_url: str) -> None:
    store = open_store(database_url)
    store.session().query("UPDATE schema_version SET version = 99")
    with pytest.raises(SchemaTooNew, match="store 99"):
        store.migrate()
    store.close()


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    barrier = fork.Barrier(3)

    def body() -> None:
        barrier.wait(30)
        open_store(empty_database_url).migrate()

    children = [fork.Process(target=body) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0, 0]


@pytest.mark.parametrize("change", ["UPDATE audit SET who = 'x'", "DELETE FROM audit"])
def test_the_audit_trail_is_append_only(database_url: str, change: str) -> None:
    store = open_store(database_url)
    row = (1, 1, 1_790_000_000_000_000, 0, "R", "read", 0, "w", "", "", "", "", "", "", "", b"h")
    store.session().append_audit([row])
    store.session().append_audit([(1, 2, 0, *row[3:])])
    with pytest.raises(DatabaseError, match="append-only"):
        store.session().query(change)
    assert store.session().query("SELECT n FROM audit ORDER BY n") == [(1,), (2,)]
    store.close()
