"""Token families: approvals with their codes and refresh tokens, how they are used once, and how they end.

RFC 6749 sections 4.1.2 and 6, RFC 9700 section 4.14 (rotation), RFC 7009 section 2.1.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from smart_auth.model import Approval, Clearance, Client, Code, Person, RefreshToken
from smart_auth.ports import Revocation
from smart_auth.records import tables as t
from smart_auth.records.transactions import Transactions, as_row, as_struct, digest

SLACK = 300
"""Seconds that a revocation outlives what it revokes: a token that is being made while its family is revoked, and
clocks of nodes that differ."""


class Families(Transactions):
    """See ports.Records. ``token_life`` is the longest that an access token lives, in seconds: a family that ends with
    a log-in or client stays on the revocation list for as long."""

    def __init__(self, engine: Engine, token_life: int = 3600) -> None:
        super().__init__(engine)
        self._token_life = token_life
        self._told: list[Callable[[Sequence[Revocation]], None]] = []

    # approvals, codes, refresh tokens

    def approval(self, id: str) -> Approval | None:
        return self.one(t.approval, Approval, t.approval.c.id == id)

    def approvals(self, person: str) -> Sequence[Approval]:
        c = t.approval.c
        return self.many(t.approval, Approval, c.person == person, c.revoked == 0, order=_NEWEST)

    def approvals_about(self, patient: str, person: str) -> Sequence[Approval]:
        c, p = t.approval.c, t.person.c
        close = sa.select(p.id).where(p.patient == patient, p.patient != "")
        about = sa.or_(sa.and_(c.patient == patient, c.patient != ""), c.person.in_(close))
        mine = c.person.in_(("", person))
        return self.many(t.approval, Approval, about, sa.not_(mine), c.revoked == 0, order=_NEWEST, most=100)

    def put_approval(self, approval: Approval, code: Code | None = None, refresh: RefreshToken | None = None) -> None:
        with self.write() as connection:
            row = as_row(approval) | {"patient": approval.context.patient}
            connection.execute(sa.insert(t.approval).values(**row))
            if code:
                connection.execute(sa.insert(t.code).values(**as_row(code)))
            if refresh:
                connection.execute(sa.insert(t.refresh).values(**as_row(refresh)))

    def use_code(self, code_hash: str, now: int) -> tuple[Code, bool] | None:
        """Also None for an unused code of a revoked family; a used one is told however old it is."""
        c = t.code.c
        fresh = sa.update(t.code).where(c.code_hash == code_hash, c.used.is_(None), c.expires > now, _alive(c.approval))
        with self.write() as connection:
            if row := connection.execute(fresh.values(used=now).returning(t.code)).first():
                return as_struct(Code, row), True
            # A statement of its own: on PostgreSQL it sees what the winner, whom the first one waited for, committed.
            row = connection.execute(sa.select(t.code).where(c.code_hash == code_hash, c.used.is_not(None))).first()
            return (as_struct(Code, row), False) if row else None

    def code(self, code_hash: str) -> Code | None:
        return self.one(t.code, Code, t.code.c.code_hash == code_hash)

    def put_refresh(self, token: RefreshToken) -> None:
        self.change(sa.insert(t.refresh).values(**as_row(token)))

    def refresh(self, token_hash: str) -> RefreshToken | None:
        return self.one(t.refresh, RefreshToken, t.refresh.c.token_hash == token_hash)

    def rotate(self, token_hash: str, successor: RefreshToken, now: int) -> bool:
        """Also False when ``successor`` is of another family or client than the token."""
        c = t.refresh.c
        mine = (c.token_hash == token_hash, c.approval == successor.approval, c.client == successor.client)
        usable = (c.used.is_(None), c.expires > now, _alive(c.approval))
        with self.write() as connection:
            if connection.execute(sa.update(t.refresh).where(*mine, *usable).values(used=now)).rowcount != 1:
                return False
            connection.execute(sa.insert(t.refresh).values(**as_row(successor)))
            return True

    def used_at(self, token_hash: str) -> int | None:
        row = self.first(sa.select(t.refresh.c.used).where(t.refresh.c.token_hash == token_hash))
        return row[0] if row else None

    def touch_approval(self, id: str, now: int) -> None:
        c = t.approval.c
        self.change(sa.update(t.approval).where(c.id == id, c.last_used < now).values(last_used=now))

    def use_jti(self, issuer: str, jti: str, expires: int) -> bool:
        row = {"assertion_hash": digest(issuer, jti), "expires": expires}
        statement = self.insert(t.assertion).values(**row).on_conflict_do_nothing()
        return self.taken(statement.returning(t.assertion.c.expires)) is not None

    # how they end

    def revoke_family(self, approval: str, now: int, keep: int) -> None:
        with self.revoking() as revoking:
            revoking.families(t.approval.c.id == approval, now=now, keep=keep)
            revoking.add([f"family:{approval}"], keep)  # a family that has no row, or was revoked for a shorter time

    def revoke_person(self, person: str, now: int, keep: int) -> None:
        with self.revoking() as revoking:
            revoking.families(t.approval.c.person == person, now=now, keep=keep)

    def revoke_client(self, id: str, now: int, keep: int) -> None:
        with self.revoking() as revoking:
            revoking.families(t.approval.c.client == id, now=now, keep=keep)

    def change_clearance(self, of: Client | Person, clearance: Clearance, now: int, keep: int) -> bool:
        table, owner = (t.client, t.approval.c.client) if isinstance(of, Client) else (t.person, t.approval.c.person)
        same = sa.update(table).where(table.c.id == of.id, table.c.clearance == of.clearance)
        lessens = Clearance.least(of.clearance, clearance) is clearance
        with self.revoking() as revoking:
            if not revoking.connection.execute(same.values(clearance=clearance)).rowcount:
                return False
            if lessens:
                revoking.families(owner == of.id, now=now, keep=keep)
        if lessens:  # again: a family that was stored before the commit may have read what was there before it
            with self.revoking() as revoking:
                revoking.families(owner == of.id, now=now, keep=keep)
        return True

    def revoke_jti(self, jti: str, now: int, keep: int) -> None:
        with self.revoking() as revoking:
            revoking.add([f"jti:{jti}"], keep)

    def delete_client(self, id: str, now: int) -> bool:
        with self.revoking() as revoking:
            known = revoking.connection.execute(sa.delete(t.client).where(t.client.c.id == id)).rowcount > 0
            revoking.families(t.approval.c.client == id, now=now, keep=now + self._token_life)
        return known

    def end_session(self, session_hash: str, now: int) -> bool:
        return self._end_sessions(t.session.c.session_hash == session_hash, now) > 0

    def end_sessions(self, person: str, now: int) -> None:
        self._end_sessions(t.session.c.person == person, now)

    def _end_sessions(self, which: sa.ColumnElement[bool], now: int) -> int:
        """Delete sessions and revoke the families that last no longer than they do; how many sessions."""
        with self.revoking() as revoking:
            gone = sa.delete(t.session).where(which).returning(t.session.c.session_hash)
            ended = [row[0] for row in revoking.connection.execute(gone)]
            c = t.approval.c
            online = sa.and_(c.session_hash.in_(ended), c.session_hash != "", sa.not_(_true(c.offline)))
            revoking.families(online, now=now, keep=now + self._token_life)
        return len(ended)

    # the revocation list

    def revocations(self, after: int) -> Sequence[Revocation]:
        c = t.revocation.c
        listed = sa.select(c.seq, c.subject, c.expires).where(c.seq > after).order_by(c.seq)
        return [Revocation(row[0], row[1], row[2]) for row in self.rows(listed)]

    def when_revoked(self, tell: Callable[[Sequence[Revocation]], None]) -> None:
        """``tell`` is called with the rows that this process adds, as soon as they are committed."""
        self._told.append(tell)

    @contextmanager
    def revoking(self) -> Iterator["Revoking"]:
        """A transaction that may add to the revocation list; listeners hear of it afterwards.

        Pollers ask for what lies above the last seq they saw, so a row must never become visible below one that is
        visible already, as the values of a sequence would when the transaction that took the lower one commits last.
        The counter's row is therefore locked from before the number is taken until the commit: seq order is commit
        order. It is locked first of all, so that two that end many families at once cannot wait for each other.
        """
        with self.write() as connection:
            counter = sa.select(t.counter.c.value).where(t.counter.c.name == "revocation").with_for_update()
            revoking = Revoking(connection, connection.execute(counter).scalar_one())
            yield revoking
            revoking.count()
        if revoking.added:
            for tell in self._told:
                tell(revoking.added)


class Revoking:
    """An open transaction that holds the revocation list's counter."""

    def __init__(self, connection: sa.Connection, last: int) -> None:
        self.connection, self._last = connection, last
        self.added: list[Revocation] = []

    def families(self, which: sa.ColumnElement[bool], *, now: int, keep: int) -> None:
        """Revoke the living families among ``which``."""
        c = t.approval.c
        ended = sa.update(t.approval).where(which, c.revoked == 0).values(revoked=now).returning(c.id)
        self.add([f"family:{row[0]}" for row in self.connection.execute(ended)], keep)

    def add(self, subjects: Iterable[str], keep: int) -> None:
        """Add to the list what is not on it for as long already."""
        expires = keep + SLACK
        new = [subject for subject in subjects if not self._listed(subject, expires)]
        rows = [Revocation(self._last + n, subject, expires) for n, subject in enumerate(new, 1)]
        if rows:
            self.connection.execute(sa.insert(t.revocation), [row._asdict() for row in rows])
        self.added += rows
        self._last += len(rows)

    def count(self) -> None:
        if self.added:
            self.connection.execute(
                sa.update(t.counter).where(t.counter.c.name == "revocation").values(value=self._last)
            )

    def _listed(self, subject: str, expires: int) -> bool:
        c = t.revocation.c
        found = sa.select(c.seq).where(c.subject == subject, c.expires >= expires).limit(1)
        return self.connection.execute(found).first() is not None


_NEWEST = sa.desc(t.approval.c.created)


def _true(flag: "sa.ColumnElement[bool]") -> sa.ColumnElement[bool]:
    return flag == sa.true()


def _alive(approval: "sa.ColumnElement[str]") -> sa.ColumnElement[bool]:
    """Whether the family of a code or token is not revoked."""
    return sa.exists().where(t.approval.c.id == approval, t.approval.c.revoked == 0)
