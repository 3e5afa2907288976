"""The index made anew: what post, rng and str hold is compared with what the documents say, and put right.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). A walk in the order of ``o``, a slice at a time: documents and
rows are read as of one moment, compared, and only differences are written, under the locks of their resources. A write
that comes between keeps right what it touches, but not what was wrong before: such resources are examined again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from fhir_server.store import parameter_sql, postgresql_write, sqlite_write
from fhir_server.store.model import OldRegistry, Row
from fhir_server.store.order import LOW
from fhir_server.store.postings import dictionary_rows, rows_of
from fhir_server.store.reading import COLUMNS
from fhir_server.store.session import Session, Store
from resources import json_codec
from resources.errors import Gone
from resources.search_param import extract
from resources.search_param.registry import current
from resources.search_param.terms import DictionaryEntry

SLICE = 20_000
"""Resources of one comparison. Each reads the tables of the index once from end to end: they have no index by ``o``."""
BATCH = 500
"""Resources put right in one transaction."""
_LAST = 2**63 - 1
_O = COLUMNS.split(", ").index("o")
_COLUMNS = {"post": "h", "rng": "h, lo, hi", "str": "h, norm"}
_AMONG = {
    "postgresql": "{} = ANY($1::bigint[])",
    "sqlite": "{} IN (SELECT value FROM json_each($1))",
}
_JOINS = "SELECT " + ", ".join(f"set_config('enable_{name}', 'off', true)" for name in ("hashjoin", "mergejoin"))
T = TypeVar("T")
Held = tuple[set[tuple[Any, ...]], set[tuple[Any, ...]], set[tuple[Any, ...]]]
"""Rows of post, rng and str at one place, without the place."""


class Step(NamedTuple):
    """How far a walk is: resources examined and put right since it began, and whether this was the last of it."""

    examined: int
    repaired: int
    done: bool


class Difference(NamedTuple):
    """What is wrong at place ``o``. ``rid`` and ``version`` are of the resource there; version 0: there is none."""

    rid: int
    version: int
    o: int
    less: Held
    more: Held


def rebuild(store: Store, type: str = "", *, anew: bool = False, size: int = SLICE) -> Iterator[Step]:
    """Put the index of all resources, or those of ``type``, right; goes on where a walk that was cut off stopped.

    ``anew`` begins at the start. Nothing is locked longer than ``BATCH`` resources are written.
    """
    session = store.session()
    if anew:
        session.query("DELETE FROM rebuild WHERE type = $1", (type,))
    kept = session.query("SELECT place, examined, repaired FROM rebuild WHERE type = $1", (type,))
    place, examined, repaired = kept[0] if kept else (-1, 0, 0)
    done = False
    while not done:
        found, put_right, end = with_those_in_force(store, partial(_walk_slice, store, type, place, size))
        repaired += put_right
        place, examined, done = end, examined + found, end == _LAST
        _remember(session, type, place, examined, repaired, done)
        yield Step(examined, repaired, done)


def with_those_in_force(store: Store, step: Callable[[], T]) -> T:
    """What ``step`` gives, done again when other search parameters came into force while it was done."""
    while True:
        with store.parameters.pinned():
            try:
                return step()
            except OldRegistry:
                store.parameters.forget()


def _walk_slice(store: Store, type: str, place: int, size: int) -> tuple[int, int, int]:
    """How many resources the slice behind ``place`` has, how many were put right, and its last place."""
    found, wrong, end = _slice(store, type, place, size)
    return found, put_right(store, wrong), end


def _remember(session: Session, type: str, place: int, examined: int, repaired: int, done: bool) -> None:
    with session.transaction():
        session.query("DELETE FROM rebuild WHERE type = $1", (type,))
        if not done:
            sql = "INSERT INTO rebuild (type, place, examined, repaired) VALUES ($1, $2, $3, $4)"
            session.query(sql, (type, place, examined, repaired))


def _slice(store: Store, type: str, after: int, size: int) -> tuple[int, list[Difference], int]:
    """How many resources the slice behind place ``after`` has, what is wrong there, and its last place."""
    session = store.session()
    alone = "AND type = $3" if type else ""
    sql = f"SELECT {COLUMNS} FROM resource WHERE o > $1 {alone} ORDER BY o LIMIT $2"
    with session.transaction(snapshot=True):
        found = session.query(sql, (after, size, *([type] if type else [])))
        end = found[-1][_O] if len(found) == size else _LAST
        held = _held(session, "o > $1 AND o <= $2", (after, end))
    places = {row[_O] for row in found} if type else None
    return len(found), _differences(store, found, held, places), end


def _again(store: Store, rids: Sequence[int], places: Iterable[int]) -> list[Difference]:
    """What is wrong with resources that others wrote meanwhile, where they stood and where they stand."""
    session = store.session()
    among = _AMONG[session.dialect].format
    rows = f"SELECT {COLUMNS} FROM resource WHERE "
    with session.transaction(snapshot=True):
        moved = session.query(rows + among("rid"), (list(rids),))
        wanted = sorted({*places, *(row[_O] for row in moved)})
        found = session.query(rows + among("o"), (wanted,))
        held = _held(session, among("o"), (wanted,))
    return _differences(store, found, held, None)


def _held(session: Session, where: str, params: tuple[Any, ...]) -> dict[int, Held]:
    """The rows of the index by their place."""
    held: dict[int, Held] = defaultdict(lambda: (set(), set(), set()))
    for n, (table, columns) in enumerate(_COLUMNS.items()):
        for o, *row in session.query(f"SELECT o, {columns} FROM {table} WHERE {where}", params):
            held[o][n].add(tuple(row))
    return held


def _differences(
    store: Store, found: Sequence[Row], held: dict[int, Held], places: set[int] | None
) -> list[Difference]:
    """What differs at the places of ``found``, and at those where nothing stands (only ``places``, when given)."""
    wrong = []
    dictionary: set[DictionaryEntry] = set()
    for _, _, version, _, doc, _, rid, o, _ in found:
        had = held.pop(o, None) or (set(), set(), set())
        try:
            wanted = _wanted(store, doc, dictionary)
        except Gone:  # its key was destroyed: nobody knows what it said
            continue
        if had != wanted:
            wrong.append(Difference(rid, version, o, _minus(had, wanted), _minus(wanted, had)))
    learn(store, dictionary)
    nothing: Held = (set(), set(), set())
    wrong += [Difference(o & LOW, 0, o, rows, nothing) for o, rows in held.items() if places is None or o in places]
    return wrong


def _wanted(store: Any, sealed: bytes, dictionary: set[DictionaryEntry]) -> Held:
    """What the index must hold of a document as it is stored; nothing for a deletion."""
    if not sealed:
        return set(), set(), set()
    doc = store.sealer.open(sealed)
    entries = extract(json_codec.decode_stored(doc), doc)
    dictionary.update(entries.dictionary)
    rows = rows_of(store.hasher, 0, entries)
    return {(h,) for h in rows.post}, set(rows.rng), set(rows.text)


def _minus(rows: Held, others: Held) -> Held:
    return rows[0] - others[0], rows[1] - others[1], rows[2] - others[2]


def put_right(store: Store, wrong: list[Difference]) -> int:
    """Write ``wrong`` down; how many resources and empty places were put right."""
    repaired = 0
    while wrong:
        moved: list[Difference] = []
        for start in range(0, len(wrong), BATCH):
            moved += _amend(store.session(), wrong[start : start + BATCH])
        repaired += len(wrong) - len(moved)
        wrong = _again(store, [d.rid for d in moved], [d.o for d in moved]) if moved else []
    return repaired


def _amend(session: Session, wrong: Sequence[Difference]) -> list[Difference]:
    """Write differences of resources that are as they were; those that are not are given back."""
    among = _AMONG[session.dialect].format
    lock = " FOR NO KEY UPDATE" if session.dialect == "postgresql" else ""
    with session.transaction():
        sql = f"SELECT rid, version, o FROM resource WHERE {among('rid')} ORDER BY rid{lock}"
        rows = session.query(sql, (sorted({d.rid for d in wrong}),))
        standing = {rid: (version, o) for rid, version, o in rows}
        taken = {row[0] for row in session.query(f"SELECT o FROM resource WHERE {among('o')}", ([d.o for d in wrong],))}
        same = [d for d in wrong if (standing.get(d.rid) == (d.version, d.o) if d.version else d.o not in taken)]
        if same:
            _refuse_old(session)
        _write(session, same)
    kept = {(d.rid, d.o) for d in same}
    return [d for d in wrong if (d.rid, d.o) not in kept]


def _refuse_old(session: Any) -> None:
    """Raise OldRegistry when what is to be written was worked out with other search parameters than those in force. On
    PostgreSQL the rows are locked, so that this transaction has its id when it looks."""
    now = parameter_sql.generation(session)[0]
    if now != current().generation:
        raise OldRegistry([])


def _write(session: Any, wrong: Sequence[Difference]) -> None:
    """Rows go in the order of their keys, as those of every writer."""
    if session.dialect == "postgresql":
        session.query(_JOINS)
    for n in range(3):
        for half in (0, 1):
            rows = sorted((*row, d.o) for d in wrong for row in (d.less, d.more)[half][n])
            if rows and session.dialect == "postgresql":
                columns = [list(column) for column in zip(*rows, strict=True)]
                session.query(postgresql_write.POSTINGS[2 * n + half], columns)
            elif rows:
                session.run_many(sqlite_write.POSTINGS[2 * n + half], rows)


def learn(store: Store, entries: set[DictionaryEntry]) -> None:
    """Rows of the dictionary that are not there; each is offered once by this process."""
    new = store.unseen(0, entries)  # type: ignore[attr-defined]
    rows = dictionary_rows(store.hasher, 0, new)
    session: Any = store.session()
    if rows and session.dialect == "postgresql":
        session.query(postgresql_write.DICTIONARY, [list(column) for column in zip(*rows, strict=True)])
    elif rows:
        with session.transaction():
            session.run_many(sqlite_write.DICTIONARY, rows)
    store.saw(0, new)  # type: ignore[attr-defined]
