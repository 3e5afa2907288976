"""Writes on both databases: create, update, delete, races and references."""

import pytest

from fhir_server.store import Integrity, LostRace, MissingTargets, OutboxRow, StillReferenced, Store, Stored, Write
from resources.search_param.terms import DictionaryEntry, Entries, Key, RangeEntry, StringEntry

BOTH = Integrity()
NONE = Entries(frozenset(), frozenset(), frozenset(), frozenset(), None, False, "", ())


def entries(*values: str, refs: tuple[str, ...] = (), clinical: int | None = None) -> Entries:
    """Index entries with one posting, string, range and dictionary row for each value."""
    keys = [Key("Observation", "Observation.code", "s|c", v) for v in values]
    return Entries(
        frozenset(keys) | {Key("Observation", "Observation.subject", "ref", r) for r in refs},
        frozenset(StringEntry(Key("Observation", "Observation.note", "str", ""), v) for v in values),
        frozenset(RangeEntry(Key("Observation", "Observation.value", "n", ""), len(v), len(v) + 1) for v in values),
        frozenset(DictionaryEntry(k, "s", k.value, "", "d") for k in keys),
        clinical,
        clinical is not None,
        refs[0] if refs else "",
        refs,
    )


def create(id: str, new: Entries = NONE, type: str = "Observation", doc: bytes = b"{}") -> Write:
    return Write(type, id, "POST", 1, 1_700_000_000_000, doc, new)


def after(store: Store, write: Write, new: Entries | None, doc: bytes = b'{"v":2}', op: str = "PUT") -> Write:
    """A write that follows ``write`` on the current row."""
    now = store.session().read(write.type, write.id)
    assert now
    old = None if now.deleted else write.entries
    return Write(write.type, write.id, op, now.version + 1, now.updated + 1000, doc, new, now, old)


def audit_row(n: int) -> tuple[object, ...]:
    texts = ('who "x"', "", "", "", "", "Patient/1", "", "a\\b,{}")
    return (1, n, 1_700_000_000_000_000, 0, "C", "create", 0, *texts, b"\0\1")


def rows(store: Store, table: str) -> list[tuple[object, ...]]:
    return sorted(store.session().query(f"SELECT * FROM {table}"))


def test_a_create_stores_row_postings_audit_and_outbox(store: Store) -> None:
    session = store.session()
    write = create("a", entries("x", "yy", clinical=1_600_000_000_000_000), doc=b'{"id":"a"}')
    seq = session.write(write, [audit_row(1)], [OutboxRow("topic", b"\0\xff")])
    got = session.read("Observation", "a")
    assert got is not None
    assert (got.doc, got.version, got.seq, got.op) == (b'{"id":"a"}', 1, seq, "POST")
    h = store.hasher.h(0, Key("Observation", "Observation.code", "s|c", "x"))
    assert session.query("SELECT o FROM post WHERE h = $1", (h,)) == [(got.o,)]
    assert [len(rows(store, t)) for t in ("post", "rng", "str", "dic", "outbox")] == [2, 2, 2, 2, 1]
    assert rows(store, "audit") == [audit_row(1)]
    assert rows(store, "outbox") == [(seq, 1, 0, "topic", b"\0\xff")]


def test_an_update_keeps_the_old_version_and_moves_the_difference(store: Store) -> None:
    session = store.session()
    write = create("a", entries("x", "yy", clinical=1_600_000_000_000_000))
    session.write(write)
    session.write(after(store, write, entries("yy", "zzz", clinical=1_600_000_001_000_000)))
    got = session.read("Observation", "a")
    assert got is not None
    assert (got.version, got.doc) == (2, b'{"v":2}')
    assert {o for _, o in rows(store, "post")} == {got.o}
    assert {norm for _, norm, _ in rows(store, "str")} == {"yy", "zzz"}
    old = session.vread("Observation", "a", 1)
    assert old is not None and old.doc == b"{}"
    assert session.vread("Observation", "a", 3) is None
    assert [v.version for v in session.history("Observation", "a", count=9)] == [2, 1]


def test_a_deletion_leaves_history_and_no_postings_and_can_be_undone(store: Store) -> None:
    session = store.session()
    write = create("a", entries("x"))
    session.write(write)
    session.write(after(store, write, None, b"", "DELETE"))
    got = session.read("Observation", "a")
    assert got is not None and got.deleted
    assert [rows(store, t) for t in ("post", "rng", "str")] == [[], [], []]
    session.write(after(store, write, entries("y")))
    versions = [(v.version, v.deleted) for v in session.history("Observation", "a", count=9)]
    assert versions == [(3, False), (2, True), (1, False)]
    assert len(rows(store, "post")) == 1


def test_who_comes_second_loses(store: Store) -> None:
    session = store.session()
    write = create("a", entries("x"))
    session.write(write)
    with pytest.raises(LostRace):
        session.write(create("a", entries("other")))
    second = after(store, write, entries("second"))
    session.write(after(store, write, entries("first")))
    before = rows(store, "post")
    for attempt in (lambda: session.write(second), lambda: session.write_all([create("b"), second])):
        with pytest.raises(LostRace):
            attempt()
    assert rows(store, "post") == before
    assert session.read("Observation", "b") is None


@pytest.mark.parametrize("many", [False, True])
def test_references_must_point_to_something_and_hold_it(store: Store, many: bool) -> None:
    session = store.session()

    def put(write: Write, integrity: Integrity = BOTH) -> None:
        if many:
            session.write_all([write], integrity=integrity)
        else:
            session.write(write, integrity=integrity)

    refers = create("o", entries("x", refs=("Patient/p", "http://elsewhere/Patient/9", "#c")))
    with pytest.raises(MissingTargets) as missing:
        put(refers)
    assert missing.value.missing == ["Patient/p"]
    patient = create("p", type="Patient")
    put(patient)
    put(refers)
    with pytest.raises(StillReferenced) as kept:
        put(after(store, patient, None, b"", "DELETE"))
    assert (kept.value.target, kept.value.referrers) == ("Patient/p", ["Observation/o"])
    assert session.referrers("Patient", "p") == ["Observation/o"]
    put(after(store, patient, None, b"", "DELETE"), Integrity(False, False))
    gone = session.read("Patient", "p")
    assert gone is not None and gone.deleted
    with pytest.raises(MissingTargets):
        put(create("o2", entries("x", refs=("Patient/p",))))


def test_a_bundle_may_refer_within_itself_and_delete_both_ends(store: Store) -> None:
    session = store.session()
    patient, refers = create("p", type="Patient"), create("o", entries("x", refs=("Patient/p",)))
    assert len(session.write_all([refers, patient])) == 2
    ends = [after(store, w, None, b"", "DELETE") for w in (patient, refers)]
    session.write_all(ends)
    assert rows(store, "post") == []


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    session = store.session()
    with pytest.raises(ZeroDivisionError), session.transaction():
        session.lock([5, 3], [4])
        session.write_all([create("a", entries("x")), create("b")], [audit_row(1)])
        assert isinstance(session.read("Observation", "a"), Stored)
        raise ZeroDivisionError
    assert session.read("Observation", "a") is None
    assert rows(store, "audit") == []
    session.write(create("a", entries("x")))
    assert len(rows(store, "dic")) == 1
