"""Any sequence of writes leaves exactly the index rows of a fresh extraction, and a complete history."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.store import Hasher, Store, Stored, Write
from fhir_server.store.order import IMPRECISE, place
from fhir_server.store.postings import LONGEST, bounded, changes, targets_of
from resources.search_param.terms import DictionaryEntry, Entries, Key, RangeEntry, StringEntry

NONE = Entries(frozenset(), frozenset(), frozenset(), frozenset(), None, False, "", ())
CODE, NOTE, VALUE = (Key("Basic", branch, "f", "") for branch in ("code", "note", "value"))
OFF_HOURS = st.sampled_from([None, 0, 1_000_000, 1_600_000_000_000_000, -(2**61), 2**61])


@st.composite
def entries(draw: st.DrawFn) -> Entries:
    words = draw(st.sets(st.sampled_from("abcdef"), max_size=4))
    clinical = draw(OFF_HOURS)
    refs = draw(st.sets(st.sampled_from(["Patient/1", "Patient/2", "#x", "urn:uuid:1"]), max_size=2))
    return Entries(
        frozenset(CODE._replace(value=w) for w in words),
        frozenset(StringEntry(NOTE, w * draw(st.sampled_from([1, 500]))) for w in words),
        frozenset(RangeEntry(VALUE, ord(w), draw(st.integers(200, 202))) for w in words),
        frozenset(DictionaryEntry(CODE._replace(value=w), "s", w, "", w) for w in words),
        clinical,
        clinical is not None and draw(st.booleans()),
        "",
        tuple(sorted(refs)),
    )


STEP = st.tuples(st.sampled_from(["a", "b", "c"]), st.one_of(st.none(), entries()), st.booleans())


def _write(store: Store, id: str, new: Entries | None, known: dict[str, Entries | None], moment: int) -> Write | None:
    before = store.session().read("Basic", id)
    if new is None and (before is None or before.deleted):
        return None
    version = before.version + 1 if before else 1
    doc = b"" if new is None else b"%d" % moment
    return Write("Basic", id, "PUT" if doc else "DELETE", version, moment, doc, new, before, known.get(id))


def _expected(store: Store, known: dict[str, Entries | None]) -> tuple[set[object], set[object], set[object]]:
    h = store.hasher
    post, rng, text = set(), set(), set()
    for id, now in known.items():
        if now is None:
            continue
        row = store.session().read("Basic", id)
        assert row is not None
        post |= {(h.h(0, k), row.o) for k in now.posts} | {(h.target(0, t), row.o) for t in targets_of(now)}
        rng |= {(h.h(0, e.key), e.lo, e.hi, row.o) for e in now.ranges}
        text |= {(h.h(0, e.key), bounded(e.norm), row.o) for e in now.strings}
        assert row.o & IMPRECISE == (0 if now.precise and now.clinical is not None else IMPRECISE)
    return post, rng, text


def _emptied(store: Store) -> Store:
    for table in ("resource", "history", "post", "rng", "str"):
        store.session().query(f"DELETE FROM {table}")
    store.session().write_all([Write("Patient", i, "PUT", 1, 1, b"{}", NONE) for i in ("1", "2")])
    return store


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(STEP, max_size=12))
def test_index_rows_are_those_of_a_fresh_extraction(
    store: Store, steps: list[tuple[str, Entries | None, bool]]
) -> None:
    session = _emptied(store).session()
    known: dict[str, Entries | None] = {}
    versions: dict[str, int] = {}
    for moment, (id, new, many) in enumerate(steps, 1_700_000_000_000):
        write = _write(store, id, new, known, moment)
        if write is None:
            continue
        session.write_all([write]) if many else session.write(write)
        known[id], versions[id] = new, write.version
    post, rng, text = _expected(store, known)
    assert set(session.query("SELECT h, o FROM post")) == post
    assert set(session.query("SELECT h, lo, hi, o FROM rng")) == rng
    assert set(session.query("SELECT h, norm, o FROM str")) == text
    for id, newest in versions.items():
        assert [v.version for v in session.history("Basic", id, count=99)] == list(range(newest, 0, -1))
    total = sum(versions.values())
    assert len(session.history("Basic", count=99)) == session.history_count("Basic") == total
    assert len(session.history(count=99)) == session.history_count() == total + 2


def test_an_unchanged_date_keeps_the_place_and_a_changed_one_moves_every_row() -> None:
    hasher = Hasher(b"x" * 16)
    old = NONE._replace(posts=frozenset({CODE}), clinical=1_000_000, precise=True)
    before = Stored("Basic", "a", 1, 5, b"{}", "PUT", 7, place(1_000_000, True, 7), 1)
    same = changes(hasher, Write("Basic", "a", "PUT", 2, 9, b"{}", old, before, old), 0)
    assert (same.o, same.less, same.more) == (before.o, [], [])
    later = changes(hasher, Write("Basic", "a", "PUT", 2, 9, b"{}", old._replace(clinical=5_000_000), before, old), 0)
    assert later.o != before.o and later.less == later.more == [hasher.h(0, CODE)]


def test_long_texts_stay_distinct() -> None:
    one, other = "a" * 5000 + "x", "a" * 5000 + "y"
    assert bounded(one) != bounded(other) and bounded(one)[:LONGEST] == one[:LONGEST]
    assert len(bounded(one)) < 2 * LONGEST
    assert bounded("short") == "short"


def test_only_local_references_are_targets() -> None:
    texts = [
        "Patient/1",
        "Patient/1/_history/3",
        "#p",
        "urn:uuid:8",
        "http://x/Patient/9",
        "Patient/",
        "",
        "Group/a.b-C",
    ]
    found = targets_of(NONE._replace(references=tuple(texts)))
    assert found == {"Patient/1", "Group/a.b-C"}
