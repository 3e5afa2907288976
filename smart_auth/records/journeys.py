"""What a browser carries through log-in and authorization: one-time links, requests under way, launch handles.

SMART App Launch 2.2 section 2.0.4 (launch handles); each is taken out of its table by the one call that uses it.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from smart_auth.model import Launch, Session
from smart_auth.records import tables as t
from smart_auth.records.transactions import Transactions, as_row, as_struct


class Journeys(Transactions):
    """See ports.Records."""

    def put_link(self, link_hash: str, person: str, purpose: str, expires: int) -> None:
        row = {"link_hash": link_hash, "person": person, "purpose": purpose, "expires": expires}
        self.change(sa.insert(t.link).values(**row))

    def use_link(self, link_hash: str, purpose: str, now: int) -> str | None:
        row = self.taken(sa.delete(t.link).where(*_link(link_hash, purpose, now)).returning(t.link.c.person))
        return str(row[0]) if row else None

    def link(self, link_hash: str, purpose: str, now: int) -> str | None:
        row = self.first(sa.select(t.link.c.person).where(*_link(link_hash, purpose, now)))
        return str(row[0]) if row else None

    def drop_links(self, person: str, purposes: Sequence[str]) -> None:
        c = t.link.c
        self.change(sa.delete(t.link).where(c.person == person, c.purpose.in_(purposes)))

    def session(self, session_hash: str) -> Session | None:
        return self.one(t.session, Session, t.session.c.session_hash == session_hash)

    def sessions(self, person: str) -> Sequence[Session]:
        return self.many(t.session, Session, t.session.c.person == person, order=sa.desc(t.session.c.created))

    def put_session(self, session: Session) -> None:
        self.change(self.upsert(t.session, as_row(session)))

    def touch_session(self, session_hash: str, now: int) -> None:
        c = t.session.c
        self.change(sa.update(t.session).where(c.session_hash == session_hash, c.last_seen < now).values(last_seen=now))

    def put_request(self, request_hash: str, session_hash: str, data: bytes, expires: int) -> None:
        row = {"request_hash": request_hash, "session_hash": session_hash, "data": data, "expires": expires}
        self.change(self.upsert(t.request, row))

    def request(self, request_hash: str, session_hash: str, now: int) -> bytes | None:
        row = self.first(sa.select(t.request.c.data).where(*_request(request_hash, session_hash, now)))
        return bytes(row[0]) if row else None

    def use_request(self, request_hash: str, session_hash: str, now: int) -> bytes | None:
        mine = _request(request_hash, session_hash, now)
        row = self.taken(sa.delete(t.request).where(*mine).returning(t.request.c.data))
        return bytes(row[0]) if row else None

    def put_launch(self, launch: Launch) -> None:
        self.change(sa.insert(t.launch).values(**as_row(launch)))

    def use_launch(self, launch_hash: str, now: int) -> Launch | None:
        c = t.launch.c
        row = self.taken(sa.delete(t.launch).where(c.launch_hash == launch_hash, c.expires > now).returning(t.launch))
        return as_struct(Launch, row) if row else None


def _link(link_hash: str, purpose: str, now: int) -> tuple[sa.ColumnElement[bool], ...]:
    c = t.link.c
    return c.link_hash == link_hash, c.purpose == purpose, c.expires > now


def _request(request_hash: str, session_hash: str, now: int) -> tuple[sa.ColumnElement[bool], ...]:
    c = t.request.c
    return c.request_hash == request_hash, c.session_hash == session_hash, c.expires > now
