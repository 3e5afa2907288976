"""Several processes on one store: references against deletions, mixed transactions, readers by seq, killed writers."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest

from fhir_server.store import Integrity, LostRace, MissingTargets, StillReferenced, Store, Write, open_store
from fhir_server.store.hashing import Hasher
from fhir_server.store.locks import GATE, SHARDS, criteria_locks, reference_locks
from resources.search_param.terms import Entries

KEY = b"hash key of the tests, 32 bytes."
NONE = Entries(frozenset(), frozenset(), frozenset(), frozenset(), None, False, "", ())
fork = multiprocessing.get_context("fork")


def entries(*refs: str) -> Entries:
    return NONE._replace(references=refs)


def create(id: str, type: str = "Basic", doc: bytes = b"0", new: Entries = NONE) -> Write:
    return Write(type, id, "PUT", 1, int(time.time() * 1000), doc, new)


def following(store: Store, type: str, id: str, doc: bytes, op: str = "PUT") -> Write:
    now = store.session().read(type, id)
    assert now
    new, old = (NONE if doc else None), (None if now.deleted else NONE)
    return Write(type, id, op, now.version + 1, int(time.time() * 1000), doc, new, now, old)


def together(url: str, work: Callable[..., None], *args: Any, count: int = 2) -> None:
    """Run ``work(store, n, barrier, *args)`` in ``count`` processes; all must end well."""
    barrier = fork.Barrier(count)

    def body(n: int) -> None:
        work(open_store(url, key=KEY), n, barrier, *args)

    children = [fork.Process(target=body, args=(n,)) for n in range(count)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0] * count


def _refer_or_delete(store: Store, n: int, barrier: Barrier, rounds: int, many: bool) -> None:
    session = store.session()
    for i in range(rounds):
        gone = following(store, "Patient", str(i), b"", "DELETE")
        refers = create(str(i), "Observation", b"o", entries(f"Patient/{i}"))
        barrier.wait(30)
        try:
            write = gone if n else refers
            session.write_all([write]) if many else session.write(write)
        except (MissingTargets, StillReferenced):
            pass


@pytest.mark.parametrize("many", [False, True])
def test_a_reference_and_the_deletion_of_its_target_never_both_succeed(
    store: Store, database_url: str, many: bool
) -> None:
    rounds = 40
    store.session().write_all([create(str(i), "Patient") for i in range(rounds)])
    together(database_url, _refer_or_delete, rounds, many)
    for i in range(rounds):
        patient, referrer = store.session().read("Patient", str(i)), store.session().read("Observation", str(i))
        assert patient is not None and patient.deleted == (referrer is None)


def _same_id(store: Store, n: int, barrier: Barrier, rounds: int) -> None:
    for i in range(rounds):
        barrier.wait(30)
        try:
            store.session().write(create(f"same{i}", doc=b"%d" % n))
            store.session().write(create(f"won{i}-{n}"))
        except LostRace:
            pass


def test_of_many_creates_of_one_id_one_wins(store: Store, database_url: str) -> None:
    together(database_url, _same_id, 15, count=4)
    counts = store.session().query("SELECT type, count(*) FROM resource GROUP BY type")
    assert counts == [("Basic", 30)]


def _plus_one(store: Store, account: int) -> Write:
    now = store.session().read("Basic", str(account))
    assert now
    doc = b"%d" % (int(now.doc) + 1)
    return Write("Basic", str(account), "PUT", now.version + 1, now.updated + 1, doc, NONE, now, NONE)


def test_mixed_transactions_lose_nothing_and_never_deadlock(store: Store, database_url: str) -> None:
    store.session().write_all([create(str(c)) for c in range(6)])
    together(database_url, _locked_mix, 12, count=8)
    total = sum(int(store.session().read("Basic", str(c)).doc) for c in range(6))  # type: ignore[union-attr]
    assert total == 8 * 12 * 3
    assert store.session().query("SELECT count(*) FROM resource") == [(6 + 8 * 12,)]


def _locked_mix(store: Store, n: int, barrier: Barrier, rounds: int) -> None:
    session, dice = store.session(), random.Random(n)
    barrier.wait(30)
    for i in range(rounds):
        chosen = dice.sample(range(6), 3)
        done = False
        while not done:
            try:
                with session.transaction():
                    if dice.random() < 0.7:  # the others rely on versions alone
                        session.lock([store.hasher.lock(0, "Basic", str(c)) for c in chosen])
                    session.write_all([_plus_one(store, c) for c in chosen] + [create(f"log{n}-{i}")])
                done = True
            except LostRace:
                continue


def _slow_writer(store: Store, n: int, barrier: Barrier, rounds: int) -> None:
    session, dice = store.session(), random.Random(n)
    barrier.wait(30)
    for i in range(rounds):
        if dice.random() < 0.5:
            session.write(create(f"{n}-{i}"))
            continue
        with session.transaction():
            session.query("SELECT 1")
            time.sleep(dice.random() / 100)
            session.write_all([create(f"{n}-{i}")])
            time.sleep(dice.random() / 50)


def test_a_reader_by_seq_skips_nothing(store: Store, database_url: str) -> None:
    barrier = fork.Barrier(4)

    def body(n: int) -> None:
        _slow_writer(open_store(database_url, key=KEY), n, barrier, 40)

    children = [fork.Process(target=body, args=(n,)) for n in range(4)]
    for child in children:
        child.start()
    seen: list[str] = []
    last = 0
    alive = True
    while alive:
        alive = any(child.is_alive() for child in children)
        top = store.session().horizon()
        sql = "SELECT id FROM resource WHERE tenant = 0 AND type = 'Basic' AND seq > $1 AND seq <= $2 ORDER BY seq"
        seen += [row[0] for row in store.session().query(sql, (last, top))]
        last = max(last, top)
    assert sorted(seen) == sorted(f"{n}-{i}" for n in range(4) for i in range(40))


def test_an_open_transaction_holds_back_the_history_behind_it(store: Store) -> None:
    if store.dialect == "sqlite":
        pytest.skip("one writer at a time")
    aside = store.aside()  # type: ignore[attr-defined]
    session = store.session()
    session.write(create("before"))
    with aside.transaction():
        aside.write_all([create("slow")])
        session.write(create("fast"))
        assert [v.id for v in session.history("Basic", count=9)] == ["before"]
        assert [v.id for v in session.history("Basic", "fast", count=9)] == ["fast"]
    assert [v.id for v in session.history(count=9)] == ["fast", "slow", "before"]


def _bundles(store: Store, n: int) -> None:
    for i in range(10_000):
        store.session().write_all([create(f"{n}-{i}-{part}") for part in range(5)])


def test_a_killed_writer_leaves_whole_transactions(store: Store, database_url: str) -> None:
    children = [fork.Process(target=lambda n=n: _bundles(open_store(database_url, key=KEY), n)) for n in range(2)]
    for child in children:
        child.start()
    while store.session().query("SELECT count(*) FROM resource") < [(100,)]:
        time.sleep(0.01)
    for child in children:
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    ids = [row[0].rpartition("-")[0] for row in store.session().query("SELECT id FROM resource")]
    assert all(ids.count(group) == 5 for group in set(ids))
    store.session().write(create("alive"))


def test_many_targets_and_deletions_take_few_locks() -> None:
    lists = [Hasher(KEY).target(0, f"Patient/{i}") for i in range(5000)]
    few, none = reference_locks(lists[:1], [])
    assert few[0] == GATE and len(few) == 2 and none == []
    many, _ = reference_locks(lists, [])
    assert len(many) == SHARDS + 1
    shared, alone = reference_locks([], lists[:1])
    assert shared == [GATE] and few[1] in alone and set(many) & set(alone)
    assert reference_locks(lists[:1], lists[:500]) == ([], [GATE])
    assert reference_locks([], []) == ([], [])


def test_criteria_locks_are_ordered_and_bounded() -> None:
    keys, alone = criteria_locks([9, 3], [5, 9])
    assert (keys, alone) == ([-1, 3, 5, 9], [False, True, False, True])
    assert criteria_locks(range(1000), []) == ([-1], [True])


def test_integrity_off_takes_any_reference(store: Store) -> None:
    store.session().write(create("o", "Observation", b"x", entries("Patient/none")), integrity=Integrity(False, False))
    assert store.session().referrers("Patient", "none") == ["Observation/o"]
