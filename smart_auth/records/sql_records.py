"""The authorization server's records in SQL, and what is deleted when it proves nothing any more.

See ports.Records for every method; the same statements run on SQLite and PostgreSQL.
"""

import sqlalchemy as sa

from smart_auth.records import tables as t
from smart_auth.records.accounts import Accounts
from smart_auth.records.families import SLACK, Families
from smart_auth.records.journeys import Journeys
from smart_auth.records.keys import SigningKeyRows

DAY = 86400
_EXPIRING = (t.link, t.request, t.launch, t.assertion, t.revocation, t.refresh)


class SqlRecords(Accounts, Journeys, Families, SigningKeyRows):
    """Meets ports.Records on an engine of ``engine_for``; one object serves all threads of a process."""

    def purge(self, now: int) -> int:
        """Also ends sessions that nobody came back to within a day, with their online families."""
        ended = self._end_sessions(t.session.c.last_seen < now - DAY, now)
        return ended + sum(self.change(statement) for statement in _purges(now, self._token_life))


def _purges(now: int, token_life: int) -> list[sa.Delete]:
    """Each a transaction of its own, to hold no lock for long."""
    code, refresh, approval, key = t.code.c, t.refresh.c, t.approval.c, t.signing_key.c
    living = sa.exists().where(refresh.approval == approval.id, refresh.used.is_(None), approval.revoked == 0)
    silent = _silent_since(now - token_life - DAY)
    return [
        *(sa.delete(table).where(table.c.expires < now - SLACK) for table in _EXPIRING),
        sa.delete(t.failure).where(t.failure.c.last < now - DAY),
        sa.delete(t.code).where(code.expires < now - DAY),
        sa.delete(t.signing_key).where(key.retired > 0, key.retired < now - token_life - DAY),
        sa.delete(t.approval).where(silent, sa.not_(living)),
        sa.delete(t.refresh).where(refresh.approval.not_in(sa.select(approval.id))),
        sa.delete(t.code).where(code.approval.not_in(sa.select(approval.id))),
    ]


def _silent_since(time: int) -> sa.ColumnElement[bool]:
    c = t.approval.c
    return sa.and_(c.created < time, c.last_used < time, c.revoked < time)
