"""Whether the plans of statements read only what they ask for: no scan of a table, no index without a bound.

PostgreSQL 15, EXPLAIN; SQLite, EXPLAIN QUERY PLAN. Plans are those for any values, as prepared statements have them.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import psycopg

from fhir_server.store import Session
from fhir_server.store.watch import Asked

_SCANS = ("Index Scan", "Index Only Scan", "Bitmap Index Scan")
_TABLE = re.compile(r"(?:FROM|JOIN|,) +(resource|history|post|rng|str|dic|expansion_code) +(?:AS +)?([a-z]\w*)")
_KEYS = re.compile(r"\b(h|o|rid|id|subj|type|seq|updated|code|branch|expansion|name)\b")
"""Columns of which one must bound an index; all rows have the same tenant."""


def unbounded_postgresql(url: str, asked: Iterable[Asked], *, small: bool) -> list[str]:
    """What the generic plans scan from end to end, with the statement. ``small``: tables so short that a scan would be
    the cheapest plan, so that it is chosen only where nothing else can be."""
    found: list[str] = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET plan_cache_mode = force_generic_plan")
        if small:
            connection.execute("SET enable_seqscan = off")
        empty = {table for table in ("history", "expansion_code") if _is_empty(connection, table)}
        for merge, statements in ((False, _texts(asked, False)), (True, _texts(asked, True))):
            if merge:
                for name in ("nestloop", "hashjoin", "sort", "bitmapscan", "material"):
                    connection.execute(f"SET enable_{name} = off")
            for sql, count in statements:
                faults = _faults(_plan(connection, sql, count))
                found += [f"{fault}: {sql[:400]}" for fault in faults if fault.split(" ")[-1] not in empty]
    return found


def _is_empty(connection: "psycopg.Connection[Any]", table: str) -> bool:
    """Of an empty table nothing but a scan is planned."""
    return not connection.execute(f"SELECT FROM {table} LIMIT 1".encode()).fetchall()


def _texts(asked: Iterable[Asked], merge: bool) -> list[tuple[str, int]]:
    return list(dict.fromkeys((each.sql, len(each.params)) for each in asked if each.merge == merge))


def _plan(connection: "psycopg.Connection[Any]", sql: str, count: int) -> dict[str, Any]:
    connection.execute(f"PREPARE asked AS {sql}".encode())
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    ((plan,),) = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE asked{values}".encode()).fetchall()
    connection.execute("DEALLOCATE asked")
    root: dict[str, Any] = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    return root


def _faults(node: dict[str, Any]) -> Iterator[str]:
    kind, table = node["Node Type"], node.get("Relation Name", "")
    if kind == "Seq Scan" and _TABLE.search(f"FROM {table} t"):
        yield f"{kind} of {table}"
    if kind in _SCANS and not _KEYS.search(node.get("Index Cond", "")):
        yield f"{kind} of {node.get('Index Name')} without a bound"
    for child in node.get("Plans", ()):
        yield from _faults(child)


def unbounded_sqlite(session: Session, asked: Iterable[Asked]) -> list[str]:
    """The same on SQLite."""
    found = []
    for sql, params in {each.sql: each.params for each in asked}.items():
        names = {name for _, name in _TABLE.findall(sql)}
        for *_, detail in session.query(f"EXPLAIN QUERY PLAN {sql}", params):
            if _is_scan(str(detail), names):
                found.append(f"{detail}: {sql[:400]}")
    return found


def _is_scan(detail: str, names: Sequence[str] | set[str]) -> bool:
    word, _, rest = detail.partition(" ")
    return word == "SCAN" and rest.split(" ")[0] in names and "VIRTUAL" not in rest
