"""How much passes and what stands still: the figures of the console and of the metrics, without a patient's data.

Ours. Every question walks an index: the newest rows of one peer, or what came since some time, whose first id is found
by halving (ids are about in the order of time).
"""

import sqlalchemy as sa

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.tables import message, unmapped

_m = message.c
_SLACK = 1000
"""Ids that may come before a lower one: writers commit side by side."""


def arrivals(database: Database, sender: str, count: int) -> list[int]:
    """When the newest ``count`` messages of ``sender`` came (ms), newest first, without what a person read again."""
    came = sa.and_(_m.sender == sender, _m.direction == "in", _m.replay_of == 0)
    newest = sa.select(_m.received).where(came).order_by(_m.id.desc()).limit(count)
    with database.read() as connection:
        return [int(row[0]) for row in connection.execute(newest)]


def passed(database: Database, since: int) -> dict[tuple[str, str], int]:
    """By (direction, peer), how many messages came or were queued at ``since`` (ms) or later."""
    group = (_m.direction, _m.sender)
    asked = sa.select(*group, sa.func.count()).where(_m.id >= _first(database, since), _m.received >= since)
    with database.read() as connection:
        return {(d, peer): int(n) for d, peer, n in connection.execute(asked.group_by(*group))}


def _first(database: Database, since: int) -> int:
    """An id below which all is older than ``since``."""
    with database.read() as connection:
        low, high = connection.execute(sa.select(sa.func.min(_m.id), sa.func.max(_m.id))).one()
        low, high = int(low or 0), int(high or 0)
        while low < high:
            middle = (low + high) // 2
            next = sa.select(_m.received).where(_m.id >= middle).order_by(_m.id).limit(1)
            received = connection.execute(next).scalar()
            low, high = (low, middle) if received is None or received >= since else (middle + 1, high)
    return low - _SLACK


def open_codes(database: Database) -> dict[str, int]:
    """By sender, how many codes of the worklist have no answer."""
    asked = sa.select(unmapped.c.sender, sa.func.count()).where(unmapped.c.answer == "").group_by(unmapped.c.sender)
    with database.read() as connection:
        return {str(sender): int(n) for sender, n in connection.execute(asked)}


def reasons(database: Database, receiver: str, states: tuple[str, ...]) -> tuple[int, str]:
    """(id, reason) of the newest message to ``receiver`` in one of ``states`` that says why it is not delivered."""
    stuck = sa.and_(_m.sender == receiver, _m.direction == "out", _m.state.in_(states), _m.reason != "")
    with database.read() as connection:
        row = connection.execute(sa.select(_m.id, _m.reason).where(stuck).order_by(_m.id.desc()).limit(1)).first()
    return (int(row[0]), str(row[1])) if row else (0, "")


def repeats(database: Database, id: int, sender: str, control_id: str) -> list[int]:
    """The messages that a person made of message ``id`` by reading it again, oldest first."""
    same = sa.and_(_m.sender == sender, _m.control_id == control_id, _m.replay_of == id)
    with database.read() as connection:
        return [int(row[0]) for row in connection.execute(sa.select(_m.id).where(same).order_by(_m.id))]
