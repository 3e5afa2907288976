"""The index of a stored search parameter made for what was there before it: a walk that can be cut off at any time.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html). It walks the resources of the parameter's types
in the order of ``o`` and puts in what they have more with the parameter than without, under the locks of a few hundred
of them at a time. What is written meanwhile is right already, as all who write know the parameter by then.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from time import sleep
from typing import Any, NamedTuple

from fhir_server.store import parameter_sql as sql
from fhir_server.store.model import Row
from fhir_server.store.parameter_sql import INDEXING, READY, State
from fhir_server.store.postings import rows_of
from fhir_server.store.reading import COLUMNS
from fhir_server.store.rebuild import BATCH, Difference, learn, put_right, rebuild, with_those_in_force
from fhir_server.store.session import Store
from resources import json_codec
from resources.errors import Gone
from resources.search_param.extract import extract_one
from resources.search_param.registry import Custom, current, meant
from resources.search_param.terms import DictionaryEntry, Entries

_LAST = 2**63 - 1
_O = COLUMNS.split(", ").index("o")
_PAUSE = 0.1
"""Seconds between two looks whether writers of the time before have ended."""


class Progress(NamedTuple):
    """How far the walk of parameter ``n`` is: resources that were looked at, and how many there are."""

    n: int
    done: int
    total: int


def waiting(store: Store) -> list[State]:
    """What is to be walked: the parameters first, the oldest first, then the whole index."""
    found = [state for state in store.parameters.states() if state.status == INDEXING]
    return sorted(found, key=lambda state: (state.n == sql.WHOLE, state.n))


def fill(store: Store, n: int, size: int = BATCH) -> Iterator[Progress]:
    """Complete the index of parameter ``n``, from where a walk that was cut off stopped; ends when it is complete, or
    in force no more. Several processes may do it at once: who comes second goes on from where the first is. ``size``
    resources are written at a time."""
    yield from _settled(store, n)
    while True:
        state = _state(store, n)
        if state is None:
            return
        place = with_those_in_force(store, partial(_slice, store, state, size))
        if place is None:
            return
        end, found = place
        sql.advance(store.session(), n, state.place, end, found, last=end == _LAST)
        yield Progress(n, state.done + found, max(state.total, state.done + found))


def begin(store: Store, n: int) -> None:
    """Complete the index of parameter ``n`` from the start, as somebody asked; nothing changes while it is on its
    way. Searches by it are answered with a warning until it is done."""
    for state in store.parameters.states():
        if state.n == n and state.status == READY:
            sql.begin(store.session(), n, sql.count(store.session(), types_of(state.custom)))


def begin_all(store: Store) -> None:
    """Have the whole index walked over; nothing changes while that is on its way."""
    session = store.session()
    with session.transaction():
        sql.ask_for_all(session)


def sweep(store: Store) -> Iterator[Progress]:
    """Walk over the whole index, as somebody asked, from where that walk stopped; take away what is left of parameters
    that were removed."""
    session = store.session()
    total = sql.count(session)
    if not session.query("SELECT 1 FROM rebuild WHERE type = ''"):
        sql.began(session, store.parameters.registry().generation)
    for step in rebuild(store):
        sql.walked(session, step.examined, max(total, step.examined))
        if step.done:
            with session.transaction():
                sql.swept(session)
        yield Progress(sql.WHOLE, step.examined, max(total, step.examined))


def types_of(custom: Custom) -> list[str]:
    """The resource types that a parameter is for."""
    return sorted(frozenset().union(*map(meant, custom.param.base)))


def _state(store: Store, n: int) -> State | None:
    return next((state for state in store.parameters.states() if state.n == n and state.status == INDEXING), None)


def _settled(store: Store, n: int) -> Iterator[Progress]:
    """Until everybody has ended who began to write before the parameter came into force; then the total is known."""
    session: Any = store.session()
    state = _state(store, n)
    if state is None:
        return
    if session.dialect == "postgresql":
        top = session.query("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")[0][0]
        while session.query("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")[0][0] < top:
            yield Progress(n, state.done, state.total)
            sleep(_PAUSE)
    if state.place < 0:
        sql.counted(session, n, sql.count(session, types_of(state.custom)))


def _slice(store: Store, state: State, size: int) -> tuple[int, int] | None:
    """The last place of the slice behind that of ``state`` and how many resources it had; None: the parameter is in
    force no more."""
    session = store.session()
    custom = next((c for c in current().customs if c.number == state.n), None)
    if custom is None:
        return None
    of_types = sql.of_types(session, 2)
    found = session.query(
        f"SELECT {COLUMNS} FROM resource WHERE o > $1 AND {of_types} ORDER BY o LIMIT $3",
        (state.place, types_of(custom), size),
    )
    put_right(store, _lacking(store, custom, found))
    return (found[-1][_O] if len(found) == size else _LAST), len(found)


def _lacking(store: Store, custom: Custom, found: Sequence[Row]) -> list[Difference]:
    """What the index must hold of each resource for the sake of ``custom``; some of it may be there."""
    dictionary, nothing = set[DictionaryEntry](), (set[Any](), set[Any](), set[Any]())
    lacking = []
    for _, _, version, _, sealed, _, rid, o, _ in found:
        entries = _entries(store, custom, sealed) if sealed else None
        if entries and (entries.posts or entries.ranges or entries.strings):
            dictionary.update(entries.dictionary)
            rows = rows_of(store.hasher, 0, entries)
            lacking.append(Difference(rid, version, o, nothing, ({(h,) for h in rows.post}, set(rows.rng), rows.text)))
    learn(store, dictionary)
    return lacking


def _entries(store: Any, custom: Custom, sealed: bytes) -> Entries | None:
    """Those of ``custom`` alone."""
    try:
        resource = json_codec.decode_stored(store.sealer.open(sealed))
    except Gone:  # its key was destroyed: nobody knows what it said
        return None
    return extract_one(resource, custom.param.code)
