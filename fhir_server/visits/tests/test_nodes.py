"""Where rooms are: each has one process however many ask at once, all have about as many, and none moves."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.visits.nodes import GONE, Nodes
from fhir_server.wiring import Process

ONE, TWO = "https://one.example", "https://two.example"


class Places:
    """The tables of a server at a time of one's own."""

    def __init__(self, process: Process) -> None:
        self.now = 1_000_000
        self.nodes = Nodes(process.store.session, lambda: self.now)

    def alive(self, *urls: str, rooms: int = 0) -> None:
        for url in urls:
            self.nodes.beat(url, rooms, draining=False)

    def of(self, room: str) -> str:
        return self.nodes.of(room, "https://otherwise.example")


@pytest.fixture
def places(database_url: str, tmp_path: Path) -> Iterator[Places]:
    settings = load({"DATABASE": database_url, "DATA_DIR": str(tmp_path), "OPEN": True, "LOG_LEVEL": "error"}, {})
    prepare(settings)
    with Process(settings) as process:
        yield Places(process)


def test_a_room_stays_where_it_is(places: Places) -> None:
    assert places.of("early") == "https://otherwise.example"
    places.alive(ONE)
    assert [places.of("early"), places.of("r")] == [ONE, ONE]
    places.alive(ONE, rooms=2)
    places.alive(TWO)
    assert [places.of("r"), places.of("s")] == [ONE, TWO]
    places.nodes.beat(TWO, 0, draining=True)
    assert [places.of("s"), places.of("t")] == [TWO, ONE]


def test_a_room_is_lost_with_its_process_only_while_there_is_another(places: Places) -> None:
    places.alive(ONE)
    assert places.of("r") == ONE
    places.now += GONE
    assert not places.nodes.lost("r")
    places.alive(TWO)
    assert places.nodes.lost("r") and not places.nodes.lost("nowhere")
    assert [places.of("r"), places.of("s")] == [ONE, TWO]
    places.alive(ONE)
    assert not places.nodes.lost("r")


def test_many_who_ask_at_once_hear_the_same_and_none_has_much_more(places: Places) -> None:
    places.alive(ONE, TWO)
    rooms = [f"room {number}" for number in range(60)]
    with ThreadPoolExecutor(4) as threads:
        asked = [dict(zip(rooms, threads.map(places.of, rooms), strict=True)) for _ in range(2)]
    assert asked[0] == asked[1] == {room: places.of(room) for room in rooms}
    assert max(Counter(asked[0].values()).values()) <= 36
