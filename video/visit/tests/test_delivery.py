"""Against a record in memory that keeps versions, marks and what it was told; the real one is in fhir_server/tests."""

import threading
from base64 import b64encode
from typing import Any

import pytest

from resources import json_codec
from resources.errors import BusinessRule, Conflict, FhirError, Gone, NotFound, PreconditionFailed, Unavailable
from resources.repository import Create, Put, Version
from video.ports import Fact, FactKind, Role
from video.visit.delivery import TRIES, Delivery
from video.visit.files import FileStore
from video.visit.spool import FactSpool
from video.visit.tests.script import appointment, encounter, fact, play, visit
from video.visit.tests.test_spool import Clock, Sealer


class Memory:
    def __init__(self) -> None:
        self.stored = {"Encounter/9": (1, encounter()), "Appointment/8": (1, appointment())}
        self.marks: set[tuple[str, int]] = set()
        self.told: list[int] = []
        self.new: list[dict[str, Any]] = []
        self.trouble: list[FhirError | None] = []  # raised before a commit, or instead of its answer
        self.after: list[FhirError] = []
        self.refuses: Any = lambda resource: False

    def read(self, type: str, id: str) -> Version:
        if f"{type}/{id}" not in self.stored:
            raise NotFound("no")
        version, doc = self.stored[f"{type}/{id}"]
        return Version(type, id, version, 0, json_codec.encode(doc))

    def commit(self, commands: Any, marks: Any, told: Any) -> None:
        if self.trouble and (error := self.trouble.pop(0)):
            raise error
        keys = {(mark.params["room"], mark.params["number"]) for mark in marks}
        if keys & self.marks:
            raise Conflict("known")
        puts = [command for command in commands if isinstance(command, Put)]
        if any(self.stored[f"{put.type}/{put.id}"][0] != put.if_match for put in puts):
            raise PreconditionFailed("changed")
        if any(self.refuses(command.resource) for command in commands):
            raise BusinessRule("will not have it")
        for put in puts:
            self.stored[f"{put.type}/{put.id}"] = (put.if_match + 1, put.resource)
        self.new += [command.resource for command in commands if isinstance(command, Create)]
        self.marks |= keys
        self.told += [one.number for one in told]
        if self.after:
            raise self.after.pop(0)

    def over(self, room: str) -> bool:
        return len(visit()) in {number for there, number in self.marks if there == room}

    def written(self, facts: Any) -> frozenset[int]:
        return frozenset(one.number for one in facts if (one.room, one.number) in self.marks)


@pytest.fixture
def record():
    return Memory()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def spool(tmp_path, clock):
    made = FactSpool(tmp_path / "facts.sqlite", Sealer(), clock)
    yield made
    made.close()


@pytest.fixture
def files(tmp_path):
    return FileStore(tmp_path / "files", Sealer())


def settle(delivery: Delivery, clock: Clock, spool: FactSpool) -> None:
    while spool.counts()[0]:
        delivery.step()
        clock.at += 20_000


def is_done(record: Memory) -> bool:
    made, held, new = play(visit())
    again = json_codec.encode(record.stored["Encounter/9"][1]) == json_codec.encode(made)
    return again and record.stored["Appointment/8"][1] == held and len(record.new) == len(new)


def test_one_by_one_and_all_at_once_come_to_the_same(record, spool, clock, files):
    for one in visit():
        spool.put([one])
        assert Delivery(spool, files, record, clock).step() == 1
    assert is_done(record)
    assert record.told == [one.number for one in visit()]


def test_facts_that_waited_are_one_commit(record, spool, clock, files):
    spool.put(visit())
    assert Delivery(spool, files, record, clock).step() == len(visit())
    assert is_done(record)
    assert record.stored["Encounter/9"][0] == 2


def test_the_database_may_be_away_for_long(record, spool, clock, files):
    record.trouble = [Unavailable("away")] * 50
    spool.put(visit())
    settle(Delivery(spool, files, record, clock), clock, spool)
    assert is_done(record)
    assert spool.aside() == []


def test_a_commit_whose_answer_was_lost_is_not_done_again(record, spool, clock, files):
    record.after = [Unavailable("the connection broke"), Unavailable("again")]
    for one in visit():
        spool.put([one])
        settle(Delivery(spool, files, record, clock), clock, spool)
    assert is_done(record)
    assert record.told == [one.number for one in visit()]


def test_a_kill_between_commit_and_spool_is_no_second_effect(record, spool, clock, tmp_path, files):
    spool.put(visit())
    Delivery(spool, files, record, clock).step()
    spool._database.execute("DELETE FROM fact")
    spool.put(visit()[:7])
    spool.put(visit())  # as after a restart from an older state
    Delivery(spool, files, record, clock).step()
    assert is_done(record)
    assert len(record.told) == len(visit())


def test_others_write_at_the_same_time(record, spool, clock, files):
    record.trouble = [PreconditionFailed("changed"), Conflict("lost"), None]
    spool.put(visit())
    Delivery(spool, files, record, clock).step()
    assert is_done(record)


def test_what_cannot_be_written_waits_for_a_person_and_the_others_go_on(record, spool, clock, files):
    record.refuses = lambda resource: resource["resourceType"] == "Communication"
    spool.put(visit())
    settle(Delivery(spool, files, record, clock), clock, spool)
    [aside] = spool.aside()
    assert (aside.reason, aside.tries) == ("business-rule", TRIES - 1)
    assert record.stored["Encounter/9"][1]["status"] == "finished"
    assert sorted(record.told) == [one.number for one in visit()]  # the trail has the one that waits as well
    record.refuses = lambda resource: False
    spool.again()
    settle(Delivery(spool, files, record, clock), clock, spool)
    assert is_done(record)


def test_a_damaged_body_stands_in_nobodys_way(record, spool, clock, files):
    spool.put(visit())
    spool._database.execute("UPDATE fact SET body = x'00' WHERE number = 2")
    settle(Delivery(spool, files, record, clock), clock, spool)
    assert [one.number for one in spool.aside()] == [2]
    assert record.stored["Encounter/9"][1]["status"] == "finished"


@pytest.mark.parametrize("error", [NotFound, Gone])
def test_an_encounter_that_is_gone_leaves_the_trail(record, spool, clock, error, monkeypatch, files):
    def read(type: str, id: str) -> Version:
        raise error("gone")

    monkeypatch.setattr(record, "read", read)
    spool.put([Fact(FactKind.JOINED, "room", 1, 5, "Encounter/7", "", "", role=Role.GUEST.value)])
    assert Delivery(spool, files, record, clock).step() == 1
    assert record.told == [1]


def test_it_runs_in_a_thread_until_it_is_told_to_stop(record, spool, clock, files):
    stop = threading.Event()
    thread = threading.Thread(target=Delivery(spool, files, record, clock).run, args=(stop,))
    thread.start()
    spool.put([fact(FactKind.WAITING, 1, 0, Role.PATIENT)])
    while spool.counts()[0]:
        stop.wait(0.01)
    stop.set()
    thread.join()
    assert record.stored["Encounter/9"][1]["status"] == "arrived"


# --- files


def sent(number: int, file: str = "f1") -> Fact:
    return fact(FactKind.FILE, number, 6.6, Role.PATIENT, file=file, name="letter.pdf", type="application/pdf", size=9)


def test_a_file_is_written_with_its_content_once_and_erased_after_the_end(record, spool, clock, files):
    files.put("room", "f1", b"%PDF-1.7 x")
    spool.put([*visit()[:8], sent(9)])
    record.after = [Unavailable("the connection broke")]
    settle(Delivery(spool, files, record, clock), clock, spool)
    binary, document = [one for one in record.new if one["resourceType"] in ("Binary", "DocumentReference")]
    attachment = document["content"][0]["attachment"]
    assert (binary["data"], attachment["size"]) == (b64encode(b"%PDF-1.7 x").decode(), 10)
    assert files.read("room", "f1")
    last = visit()[-1]
    spool.put([last, fact(FactKind.QUALITY, last.number + 1, 15, Role.PATIENT, seconds=3)])
    record.trouble = [BusinessRule("one of them")]  # so the end goes alone, before the last measure
    settle(Delivery(spool, files, record, clock), clock, spool)
    assert files.rooms() == []


def test_a_file_that_is_gone_waits_for_a_person_and_nothing_is_erased_before(record, spool, clock, files):
    files.put("room", "other", b"kept")
    spool.put([sent(9), visit()[-1]])
    settle(Delivery(spool, files, record, clock), clock, spool)
    assert [one.number for one in spool.aside()] == [9]
    assert files.read("room", "other") == b"kept"
    files.put("room", "f1", b"%PDF-1.7 found again")
    spool.again()
    settle(Delivery(spool, files, record, clock), clock, spool)
    assert (spool.aside(), files.rooms()) == ([], [])
    assert [one["resourceType"] for one in record.new] == ["Binary", "DocumentReference"]


def test_what_a_kill_left_of_a_room_that_is_over_goes_with_the_next_look(record, spool, clock, files):
    record.marks = {("room", len(visit()))}
    files.put("room", "f1", b"x")
    files.put("another", "f1", b"x")
    clock.at += 4_000_000
    Delivery(spool, files, record, clock).step()
    assert files.rooms() == ["another"]
