"""Messages in parts: which part continues which, and what waits for a part that has now come.

HL7 v2.5.1 section 2.10.2 (continuation). A part that has come is HELD until the last one is there.
"""

import re
from collections.abc import Sequence

import sqlalchemy as sa

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.queue import again, settled
from hl7_bridge.journal.receiving import joint
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.journal.tables import message, part
from hl7_bridge.ports import State

_m, _p = message.c, part.c
_AGE = 86_400_000
"""Milliseconds between two parts of one message, at most: senders use pointers again."""


def before(database: Database, sealing: Sealing, sender: str, continues: str, now: int) -> list[int]:
    """The parts that wait to be continued under ``continues``, newest first."""
    return _held(database, _p.pointer == joint(sealing, sender, continues), now)


def last_after(database: Database, sealing: Sealing, sender: str, pointer: str, now: int) -> int:
    """The last part of the message whose part with ``pointer`` has come late, 0 when it is not there."""
    found, wanted = 0, joint(sealing, sender, pointer)
    for _ in range(_LONGEST):
        held = _held(database, _p.continues == wanted, now)
        if not held:
            return 0
        found = held[0]
        with database.read() as connection:
            next = connection.execute(sa.select(_p.pointer).where(_p.message == found)).scalar()
        if next is None:
            return found
        wanted = int(next)
    return 0


_LONGEST = 1000
"""Parts of one message."""


def _held(database: Database, joined: "sa.ColumnElement[bool]", now: int) -> list[int]:
    waits = sa.and_(_m.state == State.HELD.value, _m.received > now - _AGE)
    found = sa.select(_m.id).join(part, _p.message == _m.id).where(joined, waits).order_by(_m.id.desc())
    with database.read() as connection:
        return [int(row[0]) for row in connection.execute(found)]


def told(last: int) -> str:
    """The reason of the parts before message ``last``, which completed them."""
    return f"Applied with the last part, message {last}."


_TOLD = re.compile(r"Applied with the last part, message (\d+)\.")


def joined(database: Database, id: int) -> list[int]:
    """All parts, in the order they came, of the applied message that ``id`` is a part of; [] when it is none."""
    reason = sa.select(_m.reason).join(part, _p.message == _m.id).where(_m.id == id, _m.state == State.APPLIED.value)
    with database.read() as connection:
        found = connection.execute(reason).scalar()
        if found is None:
            return []
        known = _TOLD.fullmatch(found)
        last = int(known[1]) if known else id
        earlier = sa.select(_m.id).join(part, _p.message == _m.id).where(_m.reason == told(last)).order_by(_m.id)
        ids = [int(row[0]) for row in connection.execute(earlier)]
    return [*ids, last] if ids else []


def hold(database: Database, now: int, id: int, reason: str, ack: bytes, waiting: Sequence[int]) -> None:
    """End a part as HELD, and let those of ``waiting`` be looked at again."""
    with database.write() as connection:
        connection.execute(settled(now, id, State.HELD, reason, ack))
        connection.execute(again(waiting))
