"""Messages that are to be read again because somebody answered a code they hold: a queue, no request waits for it.

Ours. Whoever takes some has them for a while; one that dies leaves them to another, and twice is as good as once.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.tables import reread, unmapped_in

_LEASE = 60_000
"""Milliseconds that those who took some have for them."""
_r, _held = reread.c, unmapped_in.c


def add(database: Database, sender: str, source: str, code: str, after: int, who: str, due: int) -> int:
    """Queue the messages behind ``after`` that hold a code; how many. ``who`` answered it."""
    key = sa.and_(_held.sender == sender, _held.source == source, _held.code == code, _held.message > after)
    found = sa.select(_held.message, sa.literal(who), sa.literal(due)).where(key)
    insert_of = sqlite.insert if database.dialect == "sqlite" else postgresql.insert
    insert = insert_of(reread).from_select(["message", "who", "due"], found)
    newer = insert.on_conflict_do_update(
        index_elements=["message"], set_={"who": insert.excluded.who, "due": insert.excluded.due}
    )
    with database.write() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(unmapped_in).where(key)).scalar_one()
        connection.execute(newer)
    return int(count)


def take(database: Database, now: int, count: int) -> list[tuple[int, str]]:
    """(message, who) of up to ``count`` that are due, oldest first; they are the caller's for a minute."""
    found = sa.select(_r.message, _r.who).where(_r.due <= now).order_by(_r.message).limit(count)
    with database.read() as connection:
        if connection.execute(found.limit(1)).first() is None:
            return []
    if database.dialect == "postgresql":
        found = found.with_for_update(skip_locked=True)
    with database.write(durable=False) as connection:
        rows = [(int(id), str(who)) for id, who in connection.execute(found)]
        ids = [id for id, _ in rows]
        connection.execute(sa.update(reread).where(_r.message.in_(ids)).values(due=now + _LEASE))
    return rows


def done(database: Database, ids: list[int]) -> None:
    """They are read again, or cannot be."""
    with database.write(durable=False) as connection:
        connection.execute(sa.delete(reread).where(_r.message.in_(ids)))
