"""What a kill leaves: used tickets, sessions, rooms and facts, sealed; and what is forgotten in time."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from video.errors import Refused
from video.ports import Fact, FactKind
from video.room.model import Phase
from video.room.tests.play import running
from video.signalling.ledger import Ledger, Place
from video.signalling.tests.consult import AesSealer


def fact(number: int, room: str = "room") -> Fact:
    return Fact(FactKind.CHAT, room, number, 1, "Encounter/1", "", "Patient/1", detail={"text": "private"})


def test_a_room_and_its_facts_come_back_as_they_were(tmp_path: Path) -> None:
    ledger, room = Ledger(tmp_path / "new" / "visits.sqlite", AesSealer()), running().room
    ledger.save(room, [fact(1), fact(2)])
    ledger.save(room, [fact(2), fact(3)])
    again = Ledger(tmp_path / "new" / "visits.sqlite", AesSealer())
    assert again.room("room") == room and list(again.rooms()) == [room]
    assert again.owed(10) == [fact(1), fact(2), fact(3)]
    again.paid([fact(1), fact(2)])
    assert again.owed(10) == [fact(3)]


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    Ledger(tmp_path / "x", AesSealer()).save(running().room, [fact(1)])
    other = Ledger(tmp_path / "x", AesSealer(b"o" * 32))
    with pytest.raises(Refused):
        other.room("room")
    with pytest.raises(Refused):
        other.owed(1)


def test_one_room_is_not_taken_for_another(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "x", AesSealer())
    ledger.save(running().room, [])
    ledger._db.execute("UPDATE room SET id = 'other'")
    with pytest.raises(Refused):
        ledger.room("other")


def test_forgets_what_is_over() -> None:
    ledger = Ledger(":memory:", AesSealer())
    assert ledger.use("t", 1000) and not ledger.use("t", 1000)
    ledger.put_session(b"h", Place("room", "pt", 1_000_000))
    ledger.save(replace(running().room, phase=Phase.ENDED, phase_since=1_000_000), [])
    ledger.sweep(1_000_000, 500)
    assert ledger.session(b"h") == Place("room", "pt", 1_000_000) and ledger.room("room") and not ledger.use("t", 1)
    ledger.sweep(1_100_000, 500)
    assert (ledger.session(b"h"), ledger.room("room"), ledger.use("t", 1)) == (None, None, True)
    ledger.checkpoint()
