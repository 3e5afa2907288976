"""The journal read by people and machines: one message, a search, what waits where, and what is old enough to go.

Pages are by keyset: newest first, ``before`` the last id of the page before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from hl7_bridge.journal import bodies
from hl7_bridge.journal.database import AnyRow, Database
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.journal.tables import body, lane, message, part, unmapped_in
from hl7_bridge.ports import State

_m = message.c


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of the journal without its bytes; fields as of table ``hl7_message``."""

    id: int
    direction: str
    sender: str
    control_id: str
    type: str
    event: str
    version: str
    state: State
    reason: str
    size: int
    received: int
    settled: int
    attempt: int
    failures: int
    due: int
    changed: bool
    late: bool
    edited: bool
    replay_of: int
    ack: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; '' and 0 ask for nothing. ``patient`` is the value of PID-3, ``order`` a placer's or filler's
    number; ``since`` and ``until`` are received times in ms, the second not included."""

    direction: str = ""
    sender: str = ""
    type: str = ""
    event: str = ""
    control_id: str = ""
    state: str = ""
    patient: str = ""
    order: str = ""
    since: int = 0
    until: int = 0
    flag: str = ""
    """``changed``, ``late`` or ``edited``."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one sender (receiver) in one state: how many, and when the oldest of them was received (ms)."""

    direction: str
    sender: str
    state: State
    count: int
    oldest: int


_FIELDS = tuple(_m[name] for name in Entry.__slots__)
_FLAGS = ("changed", "late", "edited")


def read(database: Database, id: int) -> Entry | None:
    with database.read() as connection:
        row = connection.execute(sa.select(*_FIELDS).where(_m.id == id)).first()
    return _entry(row) if row else None


def raw(database: Database, sealing: Sealing, id: int) -> bytes:
    """The bytes of a message; b'' when there is none of this id. Raises Unavailable."""
    with database.read() as connection:
        found = bodies.read(connection, [id])
    return sealing.opened(*found[id]) if found else b""


def search(database: Database, sealing: Sealing, query: Query, count: int, before: int, after: int) -> list[Entry]:
    """Up to ``count`` messages, newest first. ``after`` gives those with a higher id instead, oldest first: to follow
    what comes."""
    asked = sa.select(*_FIELDS).where(*_conditions(sealing, query)).limit(count)
    if after:
        asked = asked.where(_m.id > after).order_by(_m.id)
    else:
        asked = asked.where(*[_m.id < before] if before else []).order_by(_m.id.desc())
    with database.read() as connection:
        return [_entry(row) for row in connection.execute(asked)]


def _conditions(sealing: Sealing, query: Query) -> list[sa.ColumnElement[bool]]:
    exact = ("direction", "sender", "type", "event", "control_id", "state")
    found: list[sa.ColumnElement[bool]] = [_m[name] == text for name in exact if (text := getattr(query, name))]
    if query.patient:
        found.append(_m.patient == sealing.number("patient", query.patient))
    if query.order:
        number = sealing.number("order", query.order)
        found.append(sa.or_(_m.placer == number, _m.filler == number))
    if query.since:
        found.append(_m.received >= query.since)
    if query.until:
        found.append(_m.received < query.until)
    if query.flag in _FLAGS:
        found.append(_m[query.flag] == 1)
    return found


def _entry(row: AnyRow) -> Entry:
    values: dict[str, Any] = dict(row._mapping)
    flags = {name: bool(values[name]) for name in _FLAGS}
    return Entry(**values | flags | {"state": State(values["state"]), "ack": bytes(values["ack"])})


def standings(database: Database) -> list[Standing]:
    """Of all messages that are not applied, by sender and state."""
    group = (_m.direction, _m.sender, _m.state)
    asked = sa.select(*group, sa.func.count(), sa.func.min(_m.received)).where(_m.state != State.APPLIED.value)
    # The partial index answers only what is written as it is.
    asked = asked.where(sa.text("state <> 'applied'")).group_by(*group)
    with database.read() as connection:
        return [Standing(d, s, State(state), int(n), int(old)) for d, s, state, n, old in connection.execute(asked)]


def last_received(database: Database, senders: Sequence[str]) -> dict[str, int]:
    """When the newest message of each sender came (ms); those that never sent are left out."""
    found: dict[str, int] = {}
    with database.read() as connection:
        for sender in senders:
            newest = sa.select(_m.received).where(_m.sender == sender, _m.direction == "in").order_by(_m.id.desc())
            row = connection.execute(newest.limit(1)).first()
            found |= {sender: int(row[0])} if row else {}
    return found


def purge(database: Database, older_than: int, count: int) -> int:
    """Delete the messages that were applied or rejected before ``older_than`` (ms), ``count`` at a time; how many. What
    is held or dead stays until a person has decided."""
    gone = after = 0
    while True:
        walked = sa.select(_m.id, _m.state, _m.received, _m.settled).where(_m.id > after).order_by(_m.id).limit(count)
        with database.read() as connection:
            rows = connection.execute(walked).all()
        ids = [row.id for row in rows if row.state in _DONE and max(row.received, row.settled) < older_than]
        if ids:
            with database.write() as connection:
                for table in (lane, part, body, unmapped_in, message):
                    column = _m.id if table is message else table.c.message
                    connection.execute(sa.delete(table).where(column.in_(ids)))
        gone += len(ids)
        if not rows or rows[-1].received >= older_than:  # in the order of ids they are about in that of time
            return gone
        after = int(rows[-1].id)


_DONE = (State.APPLIED.value, State.REJECTED.value)
