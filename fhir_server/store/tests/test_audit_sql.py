"""Tests of the trail's and the keys' SQL, on both databases, with the parts that call it."""

import os
import threading

import pytest

from fhir_server.at_rest import Envelope
from fhir_server.audit.chain import Chain
from fhir_server.audit.checkpoint import Checkpoints, link
from fhir_server.audit.record import Interaction, event
from fhir_server.audit.verify import verify
from fhir_server.keys import KeyName, Keyring, MasterKey
from fhir_server.store.audit_sql import SqlKeyRows, SqlPatientKeys, SqlTrail
from resources.errors import Gone
from resources.repository import Caller

DROP_GUARD = {
    "sqlite": ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"],
    "postgresql": ["ALTER TABLE audit DISABLE TRIGGER ALL", "ALTER TABLE audit_default DISABLE TRIGGER ALL"],
}


@pytest.fixture
def keyring(store):
    return Keyring(MasterKey(b"m" * 32), SqlKeyRows(store.session))


@pytest.fixture
def trail(store):
    return SqlTrail(store.session())


@pytest.fixture
def chains(keyring, trail):
    """Three chains of 40 rows in a signed trail."""
    made = [Chain(keyring.current(KeyName.AUDIT_CHAIN).secret) for _ in range(3)]
    for chain in made:
        records = [event(Caller("ärztin", tenant=0), Interaction.READ, entity=f"Patient/{n}") for n in range(40)]
        trail.insert(chain.extend(records))
        chain.accept()
    Checkpoints(keyring, lambda: trail).make(trail)
    return made


def unguarded(store):
    for statement in DROP_GUARD[store.dialect]:
        store.session().query(statement)
    return store.session()


def test_rows_come_back_as_they_were_hashed(trail, keyring, chains):
    report = verify(trail, keyring)
    assert report.ok and (report.rows, report.chains, report.checkpoints) == (120, 3, 1)


def test_heads_and_pages(trail, chains):
    assert {(h.chain, h.n) for h in trail.heads(0)} == {(c.id, 40) for c in chains}
    assert trail.heads(max(c.id for c in chains) + 1) == []
    assert trail.head(chains[0].id).n == 40 and trail.head(1) is None
    low = min(c.id for c in chains)
    assert [(r.chain, r.n) for r in trail.rows_after(low, 38, 2)] == [(low, 39), (low, 40)]


def test_a_batch_is_stored_whole_or_not_at_all(trail, chains, keyring):
    chain = Chain(keyring.current(KeyName.AUDIT_CHAIN).secret)
    rows = chain.extend([event(Caller("a"), Interaction.READ)] * 3)
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
        trail.insert([*rows, rows[0]])
    assert trail.head(chain.id) is None


def test_the_table_is_append_only(store, chains):
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="append-only"):
            store.session().query(statement)


CHANGES = [
    ("recorded", "recorded + 1"),
    ("tenant", "1"),
    ("action", "'C'"),
    ("outcome", "4"),
    ("who", "'arztin'"),
    ("client", "' '"),
    ("patient", "'Patient/9'"),
    ("entity", "entity || '0'"),
    ("detail", "'x'"),
]
CUTS = [("n = 40", 40), ("n > 30", 31), ("n = 17", 17), ("n > 0", 1)]


def test_one_changed_column_is_found(store, trail, keyring, chains):
    session, chain = unguarded(store), chains[1].id
    for place, (column, value) in enumerate(reversed(CHANGES)):
        n = 17 - place  # a worse place each time, which must be named before the others
        session.query(f"UPDATE audit SET {column} = {value} WHERE chain = {chain} AND n = {n}")
        assert [(p.chain, p.n) for p in verify(trail, keyring).problems] == [(chain, n)], column


def test_removed_rows_are_found(store, trail, keyring, chains):
    session, chain = unguarded(store), chains[2].id
    for where, n in CUTS:
        session.query(f"DELETE FROM audit WHERE chain = {chain} AND {where}")
        assert [(p.chain, p.n) for p in verify(trail, keyring).problems] == [(chain, n)], where


def test_checkpoints_have_no_gap_and_no_double(trail, keyring, chains):
    row = trail.last_checkpoint()
    assert (row.number, row.key) == (1, 1)
    assert not trail.add_checkpoint(row._replace(body=b""))
    assert trail.checkpoints_after(0, 10) == [row] and trail.checkpoints_after(1, 10) == []
    trail.insert(chains[0].extend([event(Caller("a"), Interaction.READ)]))
    assert Checkpoints(keyring, lambda: trail).make(trail).number == 2
    assert len(link(row)) == 32


def test_the_wrong_database_is_noticed_at_start(store, keyring):
    keyring.current(KeyName.PAGE)
    with pytest.raises(Exception, match="HEARTH_MASTER_KEY"):
        Keyring(MasterKey(os.urandom(32)), SqlKeyRows(store.session))


def test_patient_keys_are_made_once_used_and_destroyed(store, keyring):
    rows = SqlPatientKeys(store.session)
    envelope = Envelope(keyring, rows)
    stored = envelope.seal(b"doc", "Patient/1")
    assert Envelope(keyring, rows).open(stored) == b"doc"
    with store.session().transaction():
        inside = envelope.seal(b"doc 2", "Patient/2")
        assert envelope.seal(b"doc 3", "Patient/2")[:9] == inside[:9]
    assert Envelope(keyring, rows).open(inside) == b"doc 2"
    envelope.destroy(0, "Patient/1")
    envelope.destroy(0, "Patient/7")
    for act in (lambda: envelope.open(stored), lambda: envelope.seal(b"", "Patient/7")):
        with pytest.raises(Gone):
            act()


def test_a_rolled_back_patient_key_seals_nothing(store, keyring):
    rows = SqlPatientKeys(store.session)
    envelope = Envelope(keyring, rows)
    with pytest.raises(ZeroDivisionError), store.session().transaction():
        envelope.seal(b"doc", "Patient/1")
        raise ZeroDivisionError
    stored = envelope.seal(b"doc", "Patient/1")
    assert Envelope(keyring, rows).open(stored) == b"doc"


def test_threads_agree_on_one_patient_key(store, keyring):
    rows, gate, found = SqlPatientKeys(store.session), threading.Barrier(4), []

    def seal():
        gate.wait()
        found.append(Envelope(keyring, rows).seal(b"x", "Patient/1")[:9])

    threads = [threading.Thread(target=seal) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len(found) == 4 and len(set(found)) == 1
