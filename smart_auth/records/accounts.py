"""Clients, people and what they prove themselves with.

RFC 6749 section 2 (clients), RFC 6238 section 5.2 (a TOTP step is accepted once), Web Authentication section 6.1.1
(sign counters).
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from smart_auth.errors import LastAdministrator, Taken
from smart_auth.model import Client, Passkey, Person
from smart_auth.records import tables as t
from smart_auth.records.transactions import Transactions, as_row, as_struct, digest

_SOUGHT = (t.person.c.login, t.person.c.name, t.person.c.fhir_user)


class Accounts(Transactions):
    """See ports.Records."""

    def client(self, id: str) -> Client | None:
        return self.one(t.client, Client, t.client.c.id == id)

    def clients(self) -> Sequence[Client]:
        return self.many(t.client, Client, order=t.client.c.id)

    def put_client(self, client: Client) -> None:
        self.change(self.upsert(t.client, _without_clearance(client)))

    def amend_client(self, id: str, changes: Mapping[str, Any]) -> Client | None:
        row = self.taken(sa.update(t.client).where(t.client.c.id == id).values(**changes).returning(t.client))
        return as_struct(Client, row) if row else None

    def person(self, id: str) -> Person | None:
        return self.one(t.person, Person, t.person.c.id == id)

    def person_by_login(self, login: str) -> Person | None:
        return self.one(t.person, Person, t.person.c.login == login)

    def people(self) -> Sequence[Person]:
        return self.many(t.person, Person, order=t.person.c.login)

    def find_people(self, text: str, after: str, count: int) -> Sequence[Person]:
        c = t.person.c
        found = sa.or_(*(sa.func.lower(column).contains(text.lower(), autoescape=True) for column in _SOUGHT))
        return self.many(t.person, Person, c.login > after, found, order=c.login, most=count)

    def put_person(self, person: Person) -> None:
        try:
            self.change(self.upsert(t.person, _without_clearance(person)))
        except sa.exc.IntegrityError:
            raise Taken("This login is taken.") from None

    def amend_person(
        self, id: str, changes: Mapping[str, Any], expecting: Mapping[str, Any] = MappingProxyType({})
    ) -> Person | None:
        c = t.person.c
        same = (c[name] == value for name, value in expecting.items())
        row = self.taken(sa.update(t.person).where(c.id == id, *same).values(**changes).returning(t.person))
        return as_struct(Person, row) if row else None

    def unseat(self, id: str, changes: Mapping[str, Any]) -> Person | None:
        """The rows of all who administer are locked, in one order, before anybody is counted: of two transactions that
        each take one away the second counts what the first has left. SQLite lets one write at a time anyway."""
        c = t.person.c
        seated = sa.select(c.id).where(c.administrator == sa.true(), c.disabled == sa.false())
        with self.write() as connection:
            if [row[0] for row in connection.execute(seated.order_by(c.id).with_for_update())] == [id]:
                raise LastAdministrator("This is the last administrator. Make another one first.")
            changed = sa.update(t.person).where(c.id == id).values(**changes).returning(t.person)
            row = connection.execute(changed).first()
            return as_struct(Person, row) if row else None

    def passkeys(self, person: str) -> Sequence[Passkey]:
        return self.many(t.passkey, Passkey, t.passkey.c.person == person, order=t.passkey.c.created)

    def passkey(self, credential_id: bytes) -> Passkey | None:
        return self.one(t.passkey, Passkey, t.passkey.c.credential_id == credential_id)

    def put_passkey(self, passkey: Passkey) -> None:
        """Raises Taken for a credential that is known: it must not change its person."""
        statement = self.insert(t.passkey).values(**as_row(passkey)).on_conflict_do_nothing()
        if not self.taken(statement.returning(t.passkey.c.person)):
            raise Taken("This passkey is registered already.")

    def delete_passkey(self, person: str, credential_id: bytes) -> bool:
        c = t.passkey.c
        return self.change(sa.delete(t.passkey).where(c.person == person, c.credential_id == credential_id)) > 0

    def advance_passkey(self, credential_id: bytes, seen: int, new: int) -> bool:
        c = t.passkey.c
        moved = sa.update(t.passkey).where(c.credential_id == credential_id, c.sign_count == seen)
        return self.change(moved.values(sign_count=new)) > 0

    def use_totp_step(self, person: str, step: int) -> bool:
        statement = self.insert(t.totp_step).values(person=person, step=step)
        advanced = statement.on_conflict_do_update(
            index_elements=["person"], set_={"step": step}, where=t.totp_step.c.step < step
        )
        return self.taken(advanced.returning(t.totp_step.c.step)) is not None

    def failed(self, subject: str, now: int) -> int:
        c = t.failure.c
        statement = self.insert(t.failure).values(subject_hash=digest(subject), count=1, last=now)
        counted = statement.on_conflict_do_update(
            index_elements=["subject_hash"], set_={"count": c.count + 1, "last": now}
        )
        row = self.taken(counted.returning(c.count))
        return int(row[0]) if row else 0

    def failures(self, subject: str) -> tuple[int, int]:
        c = t.failure.c
        row = self.first(sa.select(c.count, c.last).where(c.subject_hash == digest(subject)))
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def forgive_failures(self, subject: str, count: int) -> None:
        c = t.failure.c
        less = sa.case((c.count > count, c.count - count), else_=0)
        self.change(sa.update(t.failure).where(c.subject_hash == digest(subject)).values(count=less))

    def forget_failures(self, subject: str) -> None:
        self.change(sa.delete(t.failure).where(t.failure.c.subject_hash == digest(subject)))


def _without_clearance(account: Client | Person) -> dict[str, Any]:
    """Who writes a whole account may have read it before its clearance was taken away."""
    return {name: value for name, value in as_row(account).items() if name != "clearance"}
