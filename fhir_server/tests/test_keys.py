"""Tests of the master key and the keyring."""

import multiprocessing
import os

import pytest

from fhir_server.keys import KEY_SIZE, KeyName, KeyProblem, Keyring, MasterKey, SealedKey, parse_secret
from resources.errors import Unavailable

SECRET = bytes(range(32))


class Rows:
    """Table ``key`` in memory."""

    def __init__(self):
        self.rows = {}
        self.away = False

    def all_keys(self):
        if self.away:
            raise Unavailable("the database is away")
        return list(self.rows.values())

    def add_key(self, row):
        return self.rows.setdefault((row.name, row.id), row) is row


@pytest.mark.parametrize(
    "text",
    [
        SECRET.hex(),
        SECRET.hex().upper(),
        f" {SECRET.hex()}\n",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    ],
)
def test_a_secret_is_hex_or_base64(text):
    assert parse_secret(text, "x") == SECRET


def test_both_base64_alphabets():
    assert parse_secret("_" * 42 + "8", "x") == parse_secret("/" * 42 + "8=", "x") == b"\xff" * 32


@pytest.mark.parametrize("text", ["", "abc", SECRET.hex()[:-2], "é" * 43, "=" * 44, SECRET.hex() + "00"])
def test_a_malformed_secret_is_named(text):
    with pytest.raises(KeyProblem, match="HEARTH_MASTER_KEY"):
        parse_secret(text, "HEARTH_MASTER_KEY")


def test_the_setting_comes_before_the_file(tmp_path):
    master = MasterKey.load(SECRET.hex(), tmp_path / "keys")
    assert not (tmp_path / "keys").exists()
    assert MasterKey(SECRET).open("a", 1, master.seal("a", 1, b"x" * 32)) == b"x" * 32


def test_the_file_is_made_once_and_private(tmp_path):
    first = MasterKey.load("", tmp_path / "keys")
    sealed = first.seal("a", 1, b"x" * 32)
    assert MasterKey.load("", tmp_path / "keys").open("a", 1, sealed) == b"x" * 32
    path = tmp_path / "keys" / "master.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["master.key"]
    path.chmod(0o644)
    with pytest.raises(KeyProblem, match="chmod 600"):
        MasterKey.load("", tmp_path / "keys")


def _load(folder, gate, out):
    gate.wait()
    out.put(MasterKey.load("", folder).seal("a", 1, b"x" * 32))


def test_processes_that_start_at_once_share_one_file(tmp_path):
    context = multiprocessing.get_context("fork")
    gate, out = context.Event(), context.Queue()
    workers = [context.Process(target=_load, args=(tmp_path / "keys", gate, out)) for _ in range(8)]
    [w.start() for w in workers]
    gate.set()
    sealed = [out.get(timeout=30) for _ in workers]
    [w.join() for w in workers]
    master = MasterKey.load("", tmp_path / "keys")
    assert {master.open("a", 1, one) for one in sealed} == {b"x" * 32}


def test_a_sealed_key_is_bound_to_its_name_and_number():
    master = MasterKey(SECRET)
    sealed = master.seal("page", 1, b"x" * 32)
    damaged = bytes([sealed[0] ^ 1]) + sealed[1:]
    for name, id, value in (("index", 1, sealed), ("page", 2, sealed), ("page", 1, damaged), ("page", 1, b"")):
        with pytest.raises(KeyProblem, match="master key"):
            master.open(name, id, value)


def test_a_key_is_made_on_first_use_and_kept():
    rows = Rows()
    key = Keyring(MasterKey(SECRET), rows).current(KeyName.PAGE)
    assert (key.id, len(key.secret)) == (1, KEY_SIZE)
    assert key.secret not in rows.rows["page", 1].sealed
    again = Keyring(MasterKey(SECRET), rows)
    assert again.current(KeyName.PAGE) == again.by_id(KeyName.PAGE, 1) == key
    assert again.current(KeyName.INDEX).secret != key.secret
    assert key.secret.hex() not in repr(key) and str(key.secret) not in repr(key)


def test_the_wrong_master_key_stops_the_start():
    rows = Rows()
    Keyring(MasterKey(SECRET), rows).current(KeyName.PAGE)
    with pytest.raises(KeyProblem, match="HEARTH_MASTER_KEY"):
        Keyring(MasterKey(b"y" * 32), rows)


def test_rotation_is_seen_by_others():
    rows = Rows()
    one, two = Keyring(MasterKey(SECRET), rows), Keyring(MasterKey(SECRET), rows, refresh=0)
    old = two.current(KeyName.PAGE)
    one.current(KeyName.PAGE)
    new = one.rotate(KeyName.PAGE)
    assert (new.id, one.current(KeyName.PAGE), two.current(KeyName.PAGE)) == (2, new, new)
    assert one.by_id(KeyName.PAGE, 1) == old
    assert one.all(KeyName.PAGE) == [old, new]


def test_a_key_asked_for_by_number_is_looked_up():
    rows = Rows()
    one, two = Keyring(MasterKey(SECRET), rows), Keyring(MasterKey(SECRET), rows)
    new = one.rotate(KeyName.PAGE)
    assert two.by_id(KeyName.PAGE, new.id) == new
    with pytest.raises(KeyProblem, match="page/9"):
        two.by_id(KeyName.PAGE, 9)


def test_the_index_key_is_not_rotated():
    with pytest.raises(KeyProblem, match="index"):
        Keyring(MasterKey(SECRET), Rows()).rotate(KeyName.INDEX)


def test_known_keys_go_on_without_a_database():
    rows = Rows()
    ring = Keyring(MasterKey(SECRET), rows, refresh=0)
    key = ring.current(KeyName.PAGE)
    rows.away = True
    assert ring.current(KeyName.PAGE) == key


def test_of_two_that_create_a_key_one_wins():
    rows = Rows()
    winner = Keyring(MasterKey(SECRET), rows)
    late = Keyring(MasterKey(SECRET), rows)
    key = winner.current(KeyName.PAGE)
    assert late.current(KeyName.PAGE) == key
    assert rows.rows["page", 1] == SealedKey("page", 1, rows.rows["page", 1].created, rows.rows["page", 1].sealed)


def _ring(url, gate, out):
    from fhir_server.store import open_store
    from fhir_server.store.audit_sql import SqlKeyRows

    store = open_store(url)
    gate.wait()
    ring = Keyring(MasterKey(SECRET), SqlKeyRows(store.session))
    out.put(tuple(ring.current(name).secret for name in KeyName))


def test_processes_that_start_at_once_share_the_stored_keys(store, database_url):
    context = multiprocessing.get_context("spawn")
    gate, out = context.Event(), context.Queue()
    workers = [context.Process(target=_ring, args=(database_url, gate, out)) for _ in range(4)]
    [w.start() for w in workers]
    gate.set()
    found = {out.get(timeout=60) for _ in workers}
    [w.join() for w in workers]
    assert len(found) == 1 and len(set(*found)) == len(KeyName)
