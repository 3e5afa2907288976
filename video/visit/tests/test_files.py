"""Files beside the spool: never in clear, whole or not at all, gone with their room."""

from pathlib import Path

import pytest

from video.errors import Refused
from video.visit.files import FileStore
from video.visit.tests.test_spool import Sealer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


def test_there_and_back_and_sealed_on_the_disk(folder: Path) -> None:
    FileStore(folder, Sealer()).put("room", "id", b"what a patient sent")
    [path] = (folder / "room").iterdir()
    assert b"patient" not in path.read_bytes() and path.stat().st_mode & 0o077 == 0
    assert FileStore(folder, Sealer()).read("room", "id") == b"what a patient sent"


def test_what_is_there_stays(folder: Path) -> None:
    store = FileStore(folder, Sealer())
    store.put("room", "id", b"first")
    store.put("room", "id", b"second")
    assert store.read("room", "id") == b"first"


def test_a_file_under_another_name_does_not_open(folder: Path) -> None:
    store = FileStore(folder, Sealer())
    store.put("room", "id", b"x")
    (folder / "room" / "id").rename(folder / "room" / "other")
    with pytest.raises(Refused):
        store.read("room", "other")


@pytest.mark.parametrize("word", ["..", "", "a/b", "a.half", "x" * 65, "ä"])
def test_no_name_leads_elsewhere(folder: Path, word: str) -> None:
    store = FileStore(folder, Sealer())
    for room, id in ((word, "id"), ("room", word)):
        with pytest.raises(Refused):
            store.put(room, id, b"x")


def test_a_room_goes_with_what_was_half_written(folder: Path) -> None:
    store = FileStore(folder, Sealer())
    assert store.rooms() == []
    store.put("room", "id", b"x")
    (folder / "room" / "id2.abcd.half").write_bytes(b"half")
    assert store.rooms() == ["room"] and store.holds("room") and not store.holds("other")
    store.discard("room", "id")
    store.discard("room", "id")
    store.erase("room")
    store.erase("room")
    assert store.rooms() == []
