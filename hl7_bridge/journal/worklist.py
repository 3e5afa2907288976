"""Codes that no table knows, each once per sender, with a sample and a count, until a person answers.

FHIR R4 ConceptMap is what the answers come to (https://hl7.org/fhir/R4/conceptmap.html).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from hl7_bridge.journal.database import Database
from hl7_bridge.journal.receiving import storable
from hl7_bridge.journal.tables import unmapped, unmapped_in
from hl7_bridge.mapping.model import Unmapped

_u = unmapped.c


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the worklist: fields as of table ``hl7_unmapped``."""

    sender: str
    source: str
    code: str
    system: str
    text: str
    place: str
    answer: str
    count: int
    message: int
    first: int
    last: int


def note(database: Database, now: int, id: int, sender: str, codes: Sequence[Unmapped]) -> None:
    """Count ``codes`` that message ``id`` of ``sender`` holds."""
    insert_of = sqlite.insert if database.dialect == "sqlite" else postgresql.insert
    insert = insert_of(unmapped)
    again = insert.on_conflict_do_update(
        index_elements=["sender", "source", "code"],
        set_={"count": _u.count + 1, "message": insert.excluded.message, "last": insert.excluded.last},
    )
    made = [_row(now, id, sender, code) for code in codes]
    rows = {(str(row["source"]), str(row["code"])): row for row in made}
    with database.write(durable=False) as connection:
        for _, row in sorted(rows.items()):
            connection.execute(again, row)
        held = [{"sender": sender, "source": source, "code": code, "message": id} for source, code in sorted(rows)]
        connection.execute(insert_of(unmapped_in).on_conflict_do_nothing(), held)


def _row(now: int, id: int, sender: str, code: Unmapped) -> dict[str, object]:
    texts = {"source": code.table, "code": code.code, "system": code.system, "text": code.text, "place": code.place}
    stored = {name: storable(text) for name, text in texts.items()}
    return stored | {"sender": sender, "answer": "", "count": 1, "message": id, "first": now, "last": now}


def items(database: Database, sender: str = "", answered: bool = False) -> list[Item]:
    """The worklist, most frequent first; ``answered`` shows those that have an answer instead."""
    asked = sa.select(unmapped).where(_u.answer != "" if answered else _u.answer == "")
    asked = asked.where(*[_u.sender == sender] if sender else []).order_by(_u.count.desc(), _u.source, _u.code)
    with database.read() as connection:
        return [Item(**row._mapping) for row in connection.execute(asked)]


def answer(database: Database, sender: str, source: str, code: str, text: str) -> bool:
    """Keep the answer (JSON of a Coding, '' to take it back); whether there is such a code."""
    key = sa.and_(_u.sender == sender, _u.source == source, _u.code == code)
    with database.write() as connection:
        return bool(connection.execute(sa.update(unmapped).where(key).values(answer=text)).rowcount)


def holding(database: Database, sender: str, source: str, code: str, count: int | None) -> list[int]:
    """The messages that hold a code, oldest first; those that retention has taken are gone."""
    held = unmapped_in.c
    key = sa.and_(held.sender == sender, held.source == source, held.code == code)
    found = sa.select(held.message).where(key).order_by(held.message).limit(count)
    with database.read() as connection:
        return [int(row[0]) for row in connection.execute(found)]
