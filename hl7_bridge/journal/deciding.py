"""A person decides about a message that is held or dead: it is not to be applied any more.

Ours. It stays in the journal as rejected, with the reason, and retention may take it some day.
"""

import sqlalchemy as sa

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.receiving import storable
from hl7_bridge.journal.tables import message
from hl7_bridge.ports import State

_m = message.c


def set_aside(database: Database, now: int, id: int, reason: str) -> bool:
    """Whether the message was held or dead."""
    undecided = sa.and_(_m.id == id, _m.state.in_((State.HELD.value, State.DEAD.value)))
    ended = {"state": State.REJECTED.value, "reason": storable(reason), "settled": now}
    with database.write() as connection:
        return bool(connection.execute(sa.update(message).where(undecided).values(**ended)).rowcount)
