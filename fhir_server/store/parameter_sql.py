"""What the database says of stored search parameters: which are in force, and how far their index is.

FHIR R4 SearchParameter (https://hl7.org/fhir/R4/searchparameter.html); the tables are in schema.py.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from fhir_server.store.model import Row
from resources.definitions import SearchParam
from resources.search_param.registry import Custom

INDEXING, READY, REMOVED = "indexing", "ready", "removed"
WHOLE = 0
"""The number of the walk over the whole index."""
AT_ONCE = 1_000
"""Numbers that one generation can give."""
_TYPE = "SearchParameter"
_COLUMNS = "n, id, definition, status, place, done, total"
_DEFINITION = msgspec.json.Decoder(SearchParam)


class State(NamedTuple):
    """One row of table parameter."""

    n: int
    id: str
    definition: str
    status: str
    place: int
    done: int
    total: int

    @property
    def custom(self) -> Custom:
        """The parameter that it is about; not of the row WHOLE."""
        return Custom(self.n, self.id, _DEFINITION.decode(self.definition))


def definition(param: SearchParam) -> str:
    """``param`` as the table holds it."""
    return msgspec.json.encode(param).decode()


def generation(session: Any) -> tuple[int, int]:
    """(generation, up to which the table says what is in force)."""
    rows = session.query("SELECT generation, applied FROM parameter_generation WHERE one = 0")
    return rows[0] if rows else (0, 0)


def claimed(session: Any) -> tuple[int, int]:
    """The same, with everybody kept off who would write a SearchParameter or bring the table up to date."""
    lock = " FOR UPDATE" if session.dialect == "postgresql" else ""
    rows = session.query(f"SELECT generation, applied FROM parameter_generation WHERE one = 0{lock}")
    return rows[0] if rows else (0, 0)


def applied(session: Any, generation: int) -> None:
    """The table says what is in force as of ``generation``."""
    session.query("UPDATE parameter_generation SET applied = $1 WHERE one = 0", (generation,))


def states(session: Any, *status: str) -> list[State]:
    """The rows with one of ``status`` (all rows without), oldest first."""
    rows = session.query(f"SELECT {_COLUMNS} FROM parameter ORDER BY n")
    return [State(*row) for row in rows if not status or row[3] in status]


def stored(session: Any) -> list[tuple[int, int]]:
    """(rid, version) of each SearchParameter, the first made first."""
    sql = "SELECT rid, version FROM resource WHERE tenant = 0 AND type = $1 AND NOT deleted ORDER BY rid"
    return list(session.query(sql, (_TYPE,)))


def documents(session: Any, rids: Sequence[int]) -> list[Row]:
    """(rid, version, id, document as stored) of these."""
    among = {"postgresql": "= ANY($1::bigint[])", "sqlite": "IN (SELECT value FROM json_each($1))"}[session.dialect]
    return list(session.query(f"SELECT rid, version, id, doc FROM resource WHERE rid {among}", (list(rids),)))


def add(session: Any, rows: Iterable[State]) -> None:
    for row in rows:
        values = ", ".join(f"${n}" for n in range(1, 8))
        session.query(f"INSERT INTO parameter ({_COLUMNS}) VALUES ({values})", row)


def remove(session: Any, numbers: Iterable[int], generation: int) -> None:
    """These are in force no more since ``generation``; their index entries are still there."""
    for n in numbers:
        session.query("UPDATE parameter SET status = $1, place = $2 WHERE n = $3", (REMOVED, generation, n))


def begin(session: Any, n: int, total: int) -> None:
    """The walk of ``n``, which is complete, begins anew; nothing when it is in force no more."""
    sql = "UPDATE parameter SET status = $1, place = -1, done = 0, total = $2 WHERE n = $3 AND status = $4"
    session.query(sql, (INDEXING, total, n, READY))


def counted(session: Any, n: int, total: int) -> None:
    """The walk of ``n``, if it is still to begin, has ``total`` resources before it."""
    sql = "UPDATE parameter SET total = $1 WHERE n = $2 AND status = $3 AND place < 0"
    session.query(sql, (total, n, INDEXING))


def advance(session: Any, n: int, before: int, place: int, found: int, *, last: bool) -> bool:
    """The walk of ``n``, which was at place ``before``, is at ``place``, ``found`` resources later. False: another
    process was quicker, or the parameter is in force no more."""
    sql = """UPDATE parameter SET place = $1, done = done + $2, status = $3
              WHERE n = $4 AND place = $5 AND status = $6 RETURNING n"""
    return bool(session.query(sql, (place, found, READY if last else INDEXING, n, before, INDEXING)))


def ask_for_all(session: Any) -> None:
    """Ask for a walk over the whole index; nothing changes when one is under way."""
    if not states(session) or states(session)[0].n != WHOLE:
        add(session, [State(WHOLE, "", "", READY, -1, 0, 0)])
    session.query(
        "UPDATE parameter SET status = $1, place = -1, done = 0, total = 0 WHERE n = $2 AND status <> $1",
        (INDEXING, WHOLE),
    )


def walked(session: Any, done: int, total: int) -> None:
    """How far the walk over the whole index is."""
    session.query("UPDATE parameter SET done = $1, total = $2 WHERE n = $3", (done, total, WHOLE))


def began(session: Any, generation: int) -> None:
    """The walk over the whole index begins, with the parameters in force as of ``generation``."""
    session.query("UPDATE parameter SET place = $1 WHERE n = $2", (generation, WHOLE))


def swept(session: Any) -> None:
    """The walk over the whole index is done: nothing is left of parameters that were removed before it began."""
    [whole] = [state for state in states(session) if state.n == WHOLE]
    removed = states(session, REMOVED)
    gone = [state for state in removed if state.place <= whole.place]
    for state in gone:
        session.query("DELETE FROM dic WHERE branch = $1", (state.custom.branch,))
        session.query("DELETE FROM parameter WHERE n = $1", (state.n,))
    status = READY if len(gone) == len(removed) else INDEXING
    session.query("UPDATE parameter SET status = $1, place = -1 WHERE n = $2", (status, WHOLE))


def count(session: Any, types: Sequence[str] = ()) -> int:
    """How many resources of ``types`` (without: of all) there are, deletions among them."""
    if not types:
        return int(session.query("SELECT count(*) FROM resource")[0][0])
    return int(session.query(f"SELECT count(*) FROM resource WHERE {of_types(session, 1)}", (list(types),))[0][0])


def of_types(session: Any, n: int) -> str:
    """The condition that a resource is of one of the types that parameter ``n`` lists."""
    if session.dialect == "postgresql":
        return f"tenant = 0 AND type = ANY(${n}::text[])"
    return f"tenant = 0 AND type IN (SELECT value FROM json_each(${n}))"
