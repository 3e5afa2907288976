"""Token signing keys: of each algorithm one signs, one waits, and those that are retired verify.

RFC 7517; the database's unique indexes decide whose key it is when several processes make one at once.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from smart_auth.model import SigningKey
from smart_auth.records import tables as t
from smart_auth.records.transactions import Transactions, as_row


class SigningKeyRows(Transactions):
    """See ports.Records."""

    def signing_keys(self) -> Sequence[SigningKey]:
        return self.many(t.signing_key, SigningKey, order=t.signing_key.c.created)

    def put_signing_key(self, key: SigningKey) -> bool:
        statement = self.insert(t.signing_key).values(**as_row(key)).on_conflict_do_nothing()
        return self.taken(statement.returning(t.signing_key.c.kid)) is not None

    def retire_signing_key(self, kid: str, now: int) -> bool:
        c = t.signing_key.c
        retired = sa.update(t.signing_key).where(c.kid == kid, c.begins > 0, c.retired == 0).values(retired=now)
        with self.write() as connection:
            row = connection.execute(retired.returning(c.alg)).first()
            if row is None:
                return False
            waiting = sa.update(t.signing_key).where(c.alg == row[0], c.begins == 0, c.retired == 0)
            connection.execute(waiting.values(begins=now))
            return True

    def delete_signing_key(self, kid: str) -> bool:
        c = t.signing_key.c
        return self.change(sa.delete(t.signing_key).where(c.kid == kid, c.retired > 0)) > 0
