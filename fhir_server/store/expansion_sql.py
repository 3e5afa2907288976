"""The rows of expansions: sets of codes that searches are joined with.

FHIR R4 Search, :in (https://hl7.org/fhir/R4/search.html#modifiers). An expansion and its codes appear and go in one
transaction; who reads its codes asks in the same statement whether it is still there.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fhir_server.store.session import Session

SEPARATOR = "\x1f"
BLOCK = 20_000
"""Codes of one statement."""
VIEWS = 4
"""Expansions of one value set that are kept: callers may see different versions of it."""
MOST, MOST_CODES = 1_000, 5_000_000
"""Expansions that are kept, and their codes together: anybody who searches may ask for more."""


class Kept(NamedTuple):
    """One expansion: ``view`` names the versions it was made from, ``asked`` (JSON) how they are found."""

    id: int
    view: str
    asked: str
    size: int
    whole: bool


def kept(session: Session, tenant: int, name: str) -> list[Kept]:
    """The expansions of ``name``, the latest first."""
    sql = "SELECT id, view, asked, size, whole FROM expansion WHERE tenant = $1 AND name = $2 ORDER BY n DESC"
    return [
        Kept(id, view, asked, size, bool(whole)) for id, view, asked, size, whole in session.query(sql, [tenant, name])
    ]


def keep(session: Session, made: Kept, tenant: int, name: str, codes: Iterable[tuple[str, str]]) -> None:
    """Store an expansion, in the open transaction; one that is there already stays as it is."""
    rows = sorted(f"{system}{SEPARATOR}{code}" for system, code in codes)
    for start in range(0, len(rows), BLOCK):
        session.query(_INSERT[session.dialect], [made.id, rows[start : start + BLOCK]])
    sql = (
        "INSERT INTO expansion (id, tenant, name, view, asked, size, whole, n) VALUES ($1, $2, $3, $4, $5, $6, $7,"
        " (SELECT coalesce(max(e.n), 0) + 1 FROM expansion e WHERE e.tenant = $2))"
        " ON CONFLICT (id) DO NOTHING"
    )
    session.query(sql, [made.id, tenant, name, made.view, made.asked, made.size, int(made.whole)])


def forget(session: Session, tenant: int) -> None:
    """Drop expansions, the oldest first, until what is left is within the bounds; the latest always stays."""
    sql = "SELECT id, name, size FROM expansion WHERE tenant = $1 ORDER BY n DESC"
    views: Counter[str] = Counter()
    total = 0
    for place, (id, name, size) in enumerate(session.query(sql, [tenant])):
        views[name] += 1
        total += size
        if place and (place >= MOST or total > MOST_CODES or views[name] > VIEWS):
            session.query("DELETE FROM expansion_code WHERE expansion = $1", [id])
            session.query("DELETE FROM expansion WHERE id = $1", [id])


def codes(session: Session, id: int, systems: Sequence[str] = ()) -> list[tuple[str, str]] | None:
    """(system, code) of an expansion, of ``systems`` only when some are given; None when it is gone."""
    among = f" AND c.system {_TEXTS[session.dialect]}" if systems else ""
    sql = (
        "SELECT c.system, c.code FROM expansion e LEFT JOIN expansion_code c"
        f" ON c.expansion = e.id{among} WHERE e.id = $1"
    )
    rows = session.query(sql, [id, list(systems)] if systems else [id])
    return [(system, code) for system, code in rows if system is not None] if rows else None


def lists(session: Session, id: int, tenant: int, type: str, branch: str, form: str) -> list[int] | None:
    """The lists of a branch whose code is in an expansion; None when it is gone.

    Walks the codes in use, which are few, and asks of each whether the expansion has it: as a scalar, so that the
    planner does not read the whole expansion to hash it.
    """
    member = "(SELECT 1 FROM expansion_code c WHERE c.expansion = $1 AND c.system = d.system AND c.code"
    sql = (
        "SELECT 0 AS found, id FROM expansion WHERE id = $1 UNION ALL"
        " SELECT 1, d.h FROM dic d WHERE d.tenant = $2 AND d.type = $3 AND d.branch = $4 AND d.form = $5"
        f" AND coalesce({member} = d.code), {member} = '')) IS NOT NULL"
    )
    rows = session.query(sql, [id, tenant, type, branch, form])
    if all(found for found, _ in rows):
        return None
    return list({h for found, h in rows if found})  # a code stands in the dictionary once for each display


def used(session: Session, hashes: Sequence[int]) -> list[int]:
    """Those lists that the dictionary has: the others are empty."""
    found: list[int] = []
    for start in range(0, len(hashes), BLOCK):
        values = _numbers(session, "$1")
        sql = f"SELECT DISTINCT d.h FROM dic d WHERE d.h IN {values}"
        found += [h for (h,) in session.query(sql, [list(hashes[start : start + BLOCK])])]
    return found


def _numbers(session: Session, place: str) -> str:
    if session.dialect == "postgresql":
        return f"(SELECT unnest({place}::bigint[]))"
    return f"(SELECT value FROM json_each({place}))"


_TEXTS = {"postgresql": "= ANY($2::text[])", "sqlite": "IN (SELECT value FROM json_each($2))"}
_INSERT = {
    "postgresql": "INSERT INTO expansion_code (expansion, system, code) SELECT $1::bigint, split_part(r.t, chr(31), 1),"
    " split_part(r.t, chr(31), 2) FROM unnest($2::text[]) r(t) ON CONFLICT DO NOTHING",
    "sqlite": "INSERT OR IGNORE INTO expansion_code (expansion, system, code)"
    " SELECT $1, substr(r.value, 1, instr(r.value, char(31)) - 1), substr(r.value, instr(r.value, char(31)) + 1)"
    " FROM json_each($2) r",
}
