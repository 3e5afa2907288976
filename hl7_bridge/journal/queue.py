"""What waits is worked on: oldest first, each lane in its order, by several nodes at once, under leases that end.

HL7 v2.5.1 section 2.10 (sequence of messages); PostgreSQL 15 SELECT, FOR UPDATE SKIP LOCKED. A lease only saves double
work: that nothing is applied twice is the mark's doing (see marks).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from hl7_bridge.journal import bodies
from hl7_bridge.journal.database import Database
from hl7_bridge.journal.receiving import storable
from hl7_bridge.journal.sealing import Sealing
from hl7_bridge.journal.tables import lane, message
from hl7_bridge.ports import Outcome, State, Work
from resources.errors import FhirError

_m = message.c
# Written out, not bound: only so do both databases see that the partial index answers it.
_WAITS: tuple["sa.ColumnClause[str]"] = (sa.literal_column(f"'{State.RECEIVED.value}'"),)
SWEPT = 2000
"""Lane rows of applied messages that one sweep takes away."""


def _first_in_its_lanes() -> ColumnElement[bool]:
    """No earlier message that waits shares a lane."""
    mine, others, ahead = lane.alias("mine"), lane.alias("others"), message.alias("ahead")
    joined = mine.join(others, sa.and_(others.c.key == mine.c.key, others.c.message < mine.c.message)).join(
        ahead, ahead.c.id == others.c.message
    )
    waiting = sa.and_(mine.c.message == _m.id, ahead.c.state.in_(_WAITS))
    return ~sa.select(sa.literal(1)).select_from(joined).where(waiting).correlate(message).exists()


def claim(
    database: Database, sealing: Sealing, owner: str, now: int, count: int, lease_seconds: float, direction: str
) -> list[Work]:
    """See ports.Journal.claim."""
    ready = sa.and_(_m.state.in_(_WAITS), _m.direction == direction, _m.due <= now, _m.leased <= now)
    found = sa.select(_m.id).where(ready, _first_in_its_lanes()).order_by(_m.id).limit(count)
    if database.dialect == "postgresql":
        found = found.with_for_update(of=message, skip_locked=True)
    elif not _any(database, found):  # the one writer's place is not taken to find that nothing waits
        return []
    until = now + int(lease_seconds * 1000)
    with database.write(durable=False) as connection:
        ids = _together(connection.execute(found.add_columns(_m.size)).all())
        taken = sa.update(message).where(_m.id.in_(ids)).values(owner=owner, leased=until, attempt=_m.attempt + 1)
        connection.execute(taken)
        columns = (_m.id, _m.sender, sa.literal(b""), _m.received, _m.attempt, _m.failures)
        rows = connection.execute(sa.select(*columns).where(_m.id.in_(ids)).order_by(_m.id)).all() if ids else []
        stored = bodies.read(connection, ids) if ids else {}
    works = [Work(*row) for row in rows if row[0] in stored]
    return [opened for work in works if (opened := _opened(database, sealing, now, work, stored.pop(work.id)))]


_CLAIMED = 1 << 24
"""Bytes that are claimed at once, but for a larger message alone."""


def _together(rows: Iterable[Any]) -> list[int]:
    """The ids of the first messages, (id, size) each, that are read at once."""
    ids, bytes = list[int](), 0
    for id, size in rows:
        bytes += size
        if ids and bytes > _CLAIMED:
            break
        ids.append(id)
    return ids


_UNOPENED = 60.0
"""Seconds until a message whose bytes cannot be opened is tried again."""


def _opened(database: Database, sealing: Sealing, now: int, work: Work, stored: bodies.Body) -> Work | None:
    """``work`` with its bytes; None when they do not open now: only its lane waits for that."""
    try:
        return replace(work, raw=sealing.opened(*stored))
    except FhirError:
        postpone(database, now, work.id, "The message's bytes cannot be opened with the keys at hand.", _UNOPENED)
        return None


def _any(database: Database, found: "sa.Select[tuple[Any]]") -> bool:
    with database.read() as connection:
        return connection.execute(found.limit(1)).first() is not None


def settle(database: Database, now: int, id: int, state: State, reason: str, ack: bytes) -> bool:
    """See ports.Journal.settle; whether the message still waited."""
    with database.write() as connection:
        return bool(connection.execute(settled(now, id, state, reason, ack)).rowcount)


def settled(now: int, id: int, state: State, reason: str, ack: bytes) -> sa.Update:
    """The statement that ends a message that still waits."""
    ended = {"state": state.value, "reason": storable(reason), "ack": ack, "settled": now, "leased": 0}
    return sa.update(message).where(_m.id == id, _m.state.in_(_WAITS)).values(**ended)


def postpone(database: Database, now: int, id: int, reason: str, seconds: float) -> None:
    """See ports.Journal.postpone."""
    later = {"reason": storable(reason), "due": now + int(seconds * 1000), "leased": 0, "failures": _m.failures + 1}
    with database.write() as connection:
        connection.execute(sa.update(message).where(_m.id == id, _m.state.in_(_WAITS)).values(**later))


def release(database: Database, owners: Sequence[str]) -> int:
    """End the leases of ``owners`` that are known to be gone; how many."""
    with database.write() as connection:
        held = sa.and_(_m.state.in_(_WAITS), _m.owner.in_(owners), _m.leased > 0)
        return int(connection.execute(sa.update(message).where(held).values(leased=0)).rowcount)


def give_back(database: Database, owner: str, ids: Sequence[int]) -> None:
    """End the leases that ``owner`` holds on ``ids``; these attempts were none."""
    mine = sa.and_(_m.id.in_(ids), _m.state.in_(_WAITS), _m.owner == owner)
    with database.write(durable=False) as connection:
        connection.execute(sa.update(message).where(mine).values(leased=0, attempt=_m.attempt - 1))


def owners(database: Database, now: int) -> list[str]:
    """Who holds leases."""
    with database.read() as connection:
        rows = connection.execute(sa.select(_m.owner).where(_m.state.in_(_WAITS), _m.leased > now).distinct()).all()
    return [str(row[0]) for row in rows]


def reopen(database: Database, ids: Sequence[int], due: int = 0) -> int:
    """Let messages that ended without being applied wait again, until ``due`` (ms) at least; how many."""
    with database.write() as connection:
        return int(connection.execute(again(ids, due)).rowcount)


def again(ids: Sequence[int], due: int = 0) -> sa.Update:
    """The statement of ``reopen``."""
    anew = {"state": State.RECEIVED.value, "reason": "", "settled": 0, "due": due, "leased": 0, "attempt": 0}
    ended = sa.and_(_m.id.in_(ids), _m.state.in_((State.HELD.value, State.REJECTED.value, State.DEAD.value)))
    return sa.update(message).where(ended).values(**anew, failures=0, ack=b"")


def reopen_beside(database: Database, id: int) -> int:
    """Let held messages wait again that share a lane with message ``id``: it told who their patients are; how many."""
    mine, others = lane.alias("mine"), lane.alias("others")
    beside = sa.select(others.c.message).join(mine, mine.c.key == others.c.key).where(mine.c.message == id)
    held = sa.and_(_m.id.in_(beside), _m.id != id, _m.state == State.HELD.value)
    with database.read() as connection:
        ids = [int(row[0]) for row in connection.execute(sa.select(_m.id).where(held))]
    return reopen(database, ids) if ids else 0


def outcomes(database: Database, ids: Sequence[int]) -> dict[int, Outcome]:
    """See ports.Journal.outcomes."""
    with database.read() as connection:
        rows = connection.execute(sa.select(_m.id, _m.state, _m.ack, _m.reason).where(_m.id.in_(ids))).all()
    return {int(id): Outcome(State(state), bytes(ack), reason) for id, state, ack, reason in rows}


def flag_late(database: Database, ids: Sequence[int]) -> None:
    """Remember that these were answered when stored."""
    with database.write(durable=False) as connection:
        connection.execute(sa.update(message).where(_m.id.in_(ids)).values(late=1))


def sweep(database: Database) -> int:
    """Forget the lanes of messages that are applied; how many rows."""
    done = (
        sa.select(lane.c.key, lane.c.message)
        .join(message, _m.id == lane.c.message)
        .where(_m.state == State.APPLIED.value)
        .limit(SWEPT)
    )
    with database.read() as connection:
        rows = [(int(key), int(id)) for key, id in connection.execute(done)]
    if rows:
        with database.write(durable=False) as connection:
            gone = sa.and_(lane.c.key == sa.bindparam("k"), lane.c.message == sa.bindparam("m"))
            connection.execute(sa.delete(lane).where(gone), [{"k": key, "m": id} for key, id in rows])
    return len(rows)
