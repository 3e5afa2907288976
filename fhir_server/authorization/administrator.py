"""The first administrator: an account that only a one-time link opens, printed where the server is started.

HIPAA 164.312(d); no default password, and nobody who merely reaches the server can become its administrator.
"""

from collections.abc import Callable

from smart_auth.errors import Taken
from smart_auth.model import Event, Person, Told
from smart_auth.people.links import Links, Purpose
from smart_auth.people.secret import fresh
from smart_auth.ports import Note, Records

LOGIN = "admin"
_BY = "cli"


def first_administrator(records: Records, note: Note, now: Callable[[], int]) -> str:
    """The secret of a new link for who is to administer, those before it end; '' when somebody administers. Makes the
    account when there is no person at all."""
    people = records.people()
    if any(_has_been_here(records, person) for person in people if person.administrator):
        return ""
    chosen = next((person for person in people if person.administrator and not person.disabled), None)
    if chosen is None and people:
        return ""
    person = chosen or _made(records, note, now)
    note(Told(event=Event.CREDENTIAL_CHANGED, who=_BY, detail=f"printed a link for {person.login}"))
    records.drop_links(person.id, (Purpose.ADMINISTRATOR,))
    return Links(records, now).issue(person.id, Purpose.ADMINISTRATOR)


def _has_been_here(records: Records, person: Person) -> bool:
    """Whether the person can log in: the link was used."""
    return bool(person.password_argon2 or records.passkeys(person.id))


def _made(records: Records, note: Note, now: Callable[[], int]) -> Person:
    """Of several processes that start at once, one makes it."""
    person = Person(id=fresh(), login=LOGIN, name="Administrator", administrator=True, created=now())
    try:
        records.put_person(person)
    except Taken:
        return next(found for found in records.people() if found.login == LOGIN)
    note(Told(event=Event.PERSON_CHANGED, who=_BY, detail=f"made {LOGIN}"))
    return person
