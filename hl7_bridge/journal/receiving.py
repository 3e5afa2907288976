"""Messages become durable: many in one transaction, each once.

HL7 v2.5.1 section 2.9.2 (an acknowledgement promises that the message is kept); duplicates are found by the database's
own unique index, so that two nodes that receive the same message keep one.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from hl7_bridge.journal import bodies
from hl7_bridge.journal.database import Database
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.ports import Incoming, Receipt, State

_TEXTS = ("direction", "sender", "control_id", "type", "event", "version", "state", "reason", "owner")
_NUMBERS = (
    "size", "received", "settled", "attempt", "failures", "due", "leased", "patient", "placer", "filler",
    "late", "edited", "replay_of",
)  # fmt: skip
_COLUMNS = (*_TEXTS, "fingerprint", "ack", *_NUMBERS, "changed")
_KNOWN = "EXISTS (SELECT 1 FROM hl7_message k WHERE k.sender = {sender} AND k.control_id = {control})"


class Linked(NamedTuple):
    """What a person makes of a message that was there: the one it repeats, and whether it was edited."""

    replay_of: int
    edited: bool
    due: int = 0
    """Not before (ms)."""


def receive(
    database: Database, sealing: Sealing, incoming: Sequence[Incoming], linked: Linked | None = None
) -> list[Receipt]:
    """See ports.Journal.receive; ``linked`` for a replay, which is never a duplicate."""
    if not incoming:
        return []
    # What goes in one statement needs no transaction around it, which would be two more ways to the server and back.
    alone = database.dialect == "postgresql" and not any(map(bodies.is_large, (each.raw for each in incoming)))
    with database.read() if alone else database.write() as connection:
        return keep(connection, sealing, incoming, linked)


def take_over(
    database: Database, sealing: Sealing, follower: str, standing: Sequence[tuple[int, Incoming]]
) -> list[Receipt]:
    """Messages of a forecourt with their numbers become the journal's, each once: up to which it has them is kept with
    them under ``follower``. Those it has already get the receipt of a duplicate, of number 0 when they are none."""
    if not standing:
        return []
    with database.write() as connection:
        reached = connection.execute(_REACHED, {"follower": follower}).scalar() or 0
        new = [incoming for number, incoming in standing if number > reached]
        old = _rows(sealing, [incoming for number, incoming in standing if number <= reached], None)
        receipts = keep(connection, sealing, new) if new else []
        known = _earlier(connection, [row[_PRINT] for row in old if row[_PRINT]])
        reaching = max(reached, *(number for number, _ in standing))
        connection.execute(_REACHING, {"follower": follower, "position": reaching})
    return [*(known.get(row[_PRINT], Receipt(0, duplicate=True)) for row in old), *receipts]


_REACHED = sa.text("SELECT position FROM hl7_position WHERE follower = :follower")
_REACHING = sa.text("""INSERT INTO hl7_position (follower, position) VALUES (:follower, :position)
ON CONFLICT (follower) DO UPDATE SET position = excluded.position""")


def keep(
    connection: sa.Connection, sealing: Sealing, incoming: Sequence[Incoming], linked: Linked | None = None
) -> list[Receipt]:
    """The same as a part of the transaction of ``connection``."""
    rows = _rows(sealing, incoming, linked)
    if connection.dialect.name == "sqlite":
        made = _put_sqlite(connection, rows)
        _put_beside(connection, sealing, incoming, made)
    else:
        made = _put_postgresql(connection, sealing, rows, incoming)
    earlier = _earlier(connection, [rows[n][_PRINT] for n in range(len(rows)) if n not in made])
    return [
        Receipt(made[n][0], changed=made[n][1]) if n in made else earlier[rows[n][_PRINT]] for n in range(len(rows))
    ]


_PRINT = _COLUMNS.index("fingerprint")
_CHANGED = _COLUMNS.index("changed")
_SENDER, _CONTROL = _COLUMNS.index("sender"), _COLUMNS.index("control_id")


def _rows(sealing: Sealing, incoming: Sequence[Incoming], linked: Linked | None) -> list[list[Any]]:
    first: dict[tuple[str, str], bytes] = {}
    rows = []
    for each in incoming:
        row = _row(sealing, each, linked)
        # One statement does not see what it inserts itself.
        if row[_PRINT] and first.setdefault((row[_SENDER], row[_CONTROL]), row[_PRINT]) != row[_PRINT]:
            row[_CHANGED] = 1
        rows.append(row)
    return rows


def _row(sealing: Sealing, each: Incoming, linked: Linked | None) -> list[Any]:
    sender, control = storable(each.sender), storable(each.control_id)
    fingerprint = None
    if linked is None and each.state is State.RECEIVED:
        fingerprint = sealing.fingerprint(each.direction, sender, control, each.raw)
    texts = [each.direction, sender, control, each.type, each.event, each.version, each.state, each.reason, ""]
    settled = 0 if each.state is State.RECEIVED else each.received
    found_by = [sealing.number(kind, text) if text else None for kind, text in indexed(each)]
    replay_of, edited, due = linked or (0, False, 0)
    numbers = [len(each.raw), each.received, settled, 0, 0, due, 0, *found_by, 0, int(edited), replay_of]
    return [*map(storable, texts), fingerprint, each.ack, *numbers, 0]


def indexed(each: Incoming) -> tuple[tuple[str, str], ...]:
    """What a message is found by; placer and filler numbers are one kind, people seldom know which they hold."""
    return ("patient", each.patient), ("order", each.placer), ("order", each.filler)


def storable(text: str) -> str:
    """``text`` without what a database cannot hold."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


_Made = dict[int, tuple[int, bool]]
"""By place in the batch, (id, changed) of the messages that are new."""


_INSERT_SQLITE = f"""INSERT INTO hl7_message ({", ".join(_COLUMNS)})
VALUES ({", ".join(f"?{n}" for n in range(1, len(_COLUMNS)))},
  max(?{len(_COLUMNS)}, ?{_PRINT + 1} IS NOT NULL AND {_KNOWN.format(sender="?2", control="?3")}))
ON CONFLICT DO NOTHING RETURNING id, changed"""


def _put_sqlite(connection: sa.Connection, rows: list[list[Any]]) -> _Made:
    made: _Made = {}
    for n, row in enumerate(rows):
        found = connection.exec_driver_sql(_INSERT_SQLITE, tuple(row)).first()
        if found is not None:
            made[n] = (int(found[0]), bool(found[1]))
    return made


def _put_beside(connection: sa.Connection, sealing: Sealing, incoming: Sequence[Incoming], made: _Made) -> None:
    """Bodies, lanes and joints of the messages that are new."""
    bodies.put(connection, sealing, ((made[n][0], incoming[n].raw) for n in made))
    lanes = sorted((key, made[n][0]) for key, n in _lanes(sealing, incoming) if n in made)
    _many(connection, lanes, "INSERT INTO hl7_lane (key, message) VALUES (?, ?)")
    parts = [(made[n][0], *joints) for n, *joints in _parts(sealing, incoming) if n in made]
    _many(connection, parts, "INSERT INTO hl7_part (message, pointer, continues) VALUES (?, ?, ?)")


def _many(connection: sa.Connection, rows: list[Any], insert: str) -> None:
    if rows:
        connection.exec_driver_sql(insert, rows)


def _lanes(sealing: Sealing, incoming: Sequence[Incoming]) -> list[tuple[int, int]]:
    """(key, place in the batch)."""
    return sorted({(sealing.number("lane", key), n) for n, each in enumerate(incoming) for key in each.lanes})


def _parts(sealing: Sealing, incoming: Sequence[Incoming]) -> list[tuple[int, int | None, int | None]]:
    """(place in the batch, pointer, continues) of messages in parts."""
    found = ((n, *_joints(sealing, each)) for n, each in enumerate(incoming))
    return [row for row in found if any(row[1:])]


def _array(name: str) -> str:
    return "%s::text[]" if name in _TEXTS else "%b::bytea[]" if name in ("fingerprint", "ack") else "%s::bigint[]"


# Numbers are given in the order of the batch, which is that of reception.
_INSERT_POSTGRESQL = f"""WITH ids AS MATERIALIZED (
  SELECT s.id, row_number() OVER (ORDER BY s.id) AS n FROM (
    SELECT nextval(pg_get_serial_sequence('hl7_message', 'id')) AS id FROM generate_series(1, %s)) AS s),
made AS (INSERT INTO hl7_message (id, {", ".join(_COLUMNS)})
  SELECT ids.id, {", ".join(f"u.{name}" for name in _COLUMNS[:-1])},
    CASE WHEN u.changed = 1 OR u.fingerprint IS NOT NULL AND {_KNOWN.format(sender="u.sender", control="u.control_id")}
    THEN 1 ELSE 0 END
  FROM unnest({", ".join(map(_array, _COLUMNS))}) WITH ORDINALITY AS u({", ".join(_COLUMNS)}, n) JOIN ids USING (n)
  ON CONFLICT (fingerprint) WHERE fingerprint IS NOT NULL DO NOTHING RETURNING id, changed),
new AS (SELECT n, id FROM ids JOIN made USING (id)),
kept AS (INSERT INTO hl7_body (message, raw)
  SELECT new.id, b.raw FROM unnest(%b::bytea[]) WITH ORDINALITY AS b(raw, n) JOIN new USING (n)
  WHERE b.raw IS NOT NULL),
lanes AS (INSERT INTO hl7_lane (key, message)
  SELECT l.key, new.id FROM unnest(%s::bigint[], %s::bigint[]) AS l(key, n) JOIN new USING (n)),
parts AS (INSERT INTO hl7_part (message, pointer, continues)
  SELECT new.id, p.pointer, p.continues
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS p(n, pointer, continues) JOIN new USING (n))
SELECT new.n, new.id, made.changed FROM new JOIN made USING (id)"""


def _put_postgresql(
    connection: sa.Connection, sealing: Sealing, rows: list[list[Any]], incoming: Sequence[Incoming]
) -> _Made:
    """All in one statement, but for large messages, whose bytes follow."""
    raws = [None if bodies.is_large(each.raw) else sealing.seal(each.raw) for each in incoming]
    lanes = _columns(2, [(key, n + 1) for key, n in _lanes(sealing, incoming)])
    parts = _columns(3, [(n + 1, *joints) for n, *joints in _parts(sealing, incoming)])
    given = (len(rows), *_columns(len(_COLUMNS), rows), raws, *lanes, *parts)
    found = connection.exec_driver_sql(_INSERT_POSTGRESQL, given).all()
    made = {int(n) - 1: (int(id), bool(changed)) for n, id, changed in found}
    bodies.put(connection, sealing, ((made[n][0], incoming[n].raw) for n in made if raws[n] is None))
    return made


def _columns(count: int, rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]


def _joints(sealing: Sealing, each: Incoming) -> tuple[int | None, int | None]:
    pointer, continues = each.pointer, each.continues
    return (
        joint(sealing, each.sender, pointer) if pointer else None,
        joint(sealing, each.sender, continues) if continues else None,
    )


def joint(sealing: Sealing, sender: str, pointer: str) -> int:
    """The hash of a continuation pointer, which is a word of its sender alone."""
    return sealing.number("part", f"{sender}\n{pointer}")


def _earlier(connection: sa.Connection, prints: list[bytes]) -> dict[bytes, Receipt]:
    """The messages whose duplicates came, by fingerprint."""
    found: dict[bytes, Receipt] = {}
    for start in range(0, len(prints), 500):
        some = prints[start : start + 500]
        if connection.dialect.name == "sqlite":
            marks, params = "IN (" + ", ".join("?" * len(some)) + ")", tuple(some)
        else:
            marks, params = "= ANY(%s::bytea[])", (some,)  # type: ignore[assignment]
        rows = connection.exec_driver_sql(
            f"SELECT fingerprint, id, ack FROM hl7_message WHERE fingerprint {marks}", params
        )
        found |= {bytes(row[0]): Receipt(int(row[1]), duplicate=True, ack=bytes(row[2])) for row in rows}
    return found
