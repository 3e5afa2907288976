"""The statements that a commit of the record carries, on a real journal."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from hl7_bridge.journal import MARKS, SqlJournal
from hl7_bridge.ports import ANCHOR, APPLIED, FOLLOW_UP, FOLLOWED, JOINED, STAMP, Incoming

Rows = Callable[..., list[Any]]


def of(*rows: list[Any]) -> str:
    return json.dumps({str(n): row for n, row in enumerate(rows)})


@pytest.fixture
def id(journal: SqlJournal, message: Callable[..., Incoming]) -> int:
    return journal.receive([message()])[0].id


def test_a_message_is_applied_once(id: int, rows: Rows) -> None:
    rows(MARKS[APPLIED], id=id, reason="", ack=b"AA", at=5)
    with pytest.raises(sa.exc.IntegrityError):
        rows(MARKS[APPLIED], id=id, reason="", ack=b"AE", at=6)
    state, ack, settled = rows("SELECT state, ack, settled FROM hl7_message")[0]
    assert (state, bytes(ack), settled) == ("applied", b"AA", 5)


def test_only_a_held_part_is_joined(id: int, rows: Rows) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        rows(MARKS[JOINED], id=id, reason="", at=5)
    rows("UPDATE hl7_message SET state = 'held'")
    rows(MARKS[JOINED], id=id, reason="", at=5)
    assert rows("SELECT state FROM hl7_message")[0][0] == "applied"


def test_of_two_writers_of_a_stamp_the_second_changes_nothing(journal: SqlJournal, rows: Rows) -> None:
    assert len(rows(MARKS[STAMP], rows=of(["Patient", "1", 1, 1, "{}"], ["Patient", "2", 1, 1, "{}"]))) == 2
    assert len(rows(MARKS[STAMP], rows=of(["Patient", "1", 2, 2, "[1]"]))) == 1
    assert rows(MARKS[STAMP], rows=of(["Patient", "1", 3, 2, "[2]"])) == []
    assert [tuple(row) for row in rows("SELECT version, revision, stamps FROM hl7_stamp WHERE id = '1'")] == [
        (2, 2, "[1]")
    ]


def test_an_anchor_holds_only_what_is_as_it_was_read(journal: SqlJournal, rows: Rows) -> None:
    rows(MARKS[STAMP], rows=of(["Patient", "1", 1, 1, "{}"]))
    assert len(rows(MARKS[ANCHOR], rows=of(["Patient", "1", 1]))) == 1
    assert rows(MARKS[ANCHOR], rows=of(["Patient", "1", 7])) == []


def test_a_follow_up_that_was_asked_for_anew_is_not_ended_by_the_one_before(journal: SqlJournal, rows: Rows) -> None:
    rows(MARKS[FOLLOW_UP], rows=of(["merge", "Patient", "1", "", 10]))
    rows(MARKS[FOLLOW_UP], rows=of(["merge", "Patient", "1", "", 20]))
    rows(MARKS[FOLLOWED], kind="merge", type="Patient", id="1", key="", due=10)
    assert rows("SELECT due, tries FROM hl7_follow_up")[0] == (20, 0)
    rows(MARKS[FOLLOWED], kind="merge", type="Patient", id="1", key="", due=20)
    assert rows("SELECT count(*) FROM hl7_follow_up")[0][0] == 0
