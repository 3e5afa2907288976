"""Stamps and follow-ups, written by the marks of commits."""

import json

from hl7_bridge.journal.marks import MARKS
from hl7_bridge.ports import ANCHOR, FOLLOW_UP, FOLLOWED, STAMP, FollowUp, Stamp


def put(rows, mark, *values):
    return len(rows(MARKS[mark], rows=json.dumps({str(n): each for n, each in enumerate(values)})))


def test_stamps_are_kept_while_their_revisions_follow(journal, rows):
    assert put(rows, STAMP, ["Patient", "1", 1, 1, "{}"], ["Patient", "2", 1, 1, '{"a":1}']) == 2
    assert put(rows, STAMP, ["Patient", "1", 2, 2, '{"b":1}'], ["Patient", "2", 2, 3, "lost"]) == 1
    assert put(rows, STAMP, ["Patient", "1", 9, 1, "as if new"]) == 0
    found = journal.stamps.read([("Patient", "1"), ("Patient", "2"), ("Patient", "3")])
    assert found == {("Patient", "1"): Stamp(2, 2, '{"b":1}'), ("Patient", "2"): Stamp(1, 1, '{"a":1}')}
    assert journal.stamps.read([]) == {}


def test_an_anchor_holds_only_while_nobody_changed_them(journal, rows):
    put(rows, STAMP, ["Patient", "1", 1, 1, "{}"], ["Patient", "2", 1, 1, "{}"])
    assert put(rows, ANCHOR, ["Patient", "1", 1], ["Patient", "2", 1]) == 2
    put(rows, STAMP, ["Patient", "2", 1, 2, "{}"])
    assert put(rows, ANCHOR, ["Patient", "1", 1], ["Patient", "2", 1]) == 1
    assert journal.stamps.read([("Patient", "1")])["Patient", "1"].revision == 1


def test_follow_ups_are_due_again_until_they_end(journal, rows):
    put(rows, FOLLOW_UP, ["awaited", "Observation", "1", "abc", 10], ["merged", "Patient", "2", "", 20])
    assert journal.stamps.waiting(["abc", "", "other"]) == [FollowUp("awaited", "Observation", "1", "abc", 10, 0)]
    assert journal.stamps.waiting([]) == [] and journal.stamps.claim(9, 100, 10) == []
    first, second = journal.stamps.claim(50, 100, 10)
    assert (first.due, first.tries, second.kind) == (150, 1, "merged")
    assert journal.stamps.claim(50, 100, 10) == []
    journal.stamps.put_off(first, 60)
    [again] = journal.stamps.claim(70, 100, 10)
    assert (again.kind, again.tries) == ("awaited", 2)


def test_one_that_is_asked_for_anew_does_not_end_with_the_old(journal, rows):
    put(rows, FOLLOW_UP, ["merged", "Patient", "1", "", 10])
    [claimed] = journal.stamps.claim(10, 100, 1)
    put(rows, FOLLOW_UP, ["merged", "Patient", "1", "", 30])
    params = {name: getattr(claimed, name) for name in ("kind", "type", "id", "key", "due")}
    rows(MARKS[FOLLOWED], **params)
    journal.stamps.put_off(claimed, 10**9)
    [again] = journal.stamps.claim(30, 100, 1)
    assert again.tries == 1
    rows(MARKS[FOLLOWED], **(params | {"due": again.due}))
    assert journal.stamps.claim(10**9, 100, 1) == []
