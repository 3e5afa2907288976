import logging
import pickle
from pathlib import Path

import pytest

from hl7_bridge.site.files import read_site
from hl7_bridge.site.live import LiveSite

LAB = 'applications = ["LAB"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "senders").mkdir()
    (tmp_path / "senders" / "lab.toml").write_text(LAB)
    return tmp_path


@pytest.fixture
def live(folder: Path) -> LiveSite:
    made = LiveSite(folder, read_site(folder))
    assert [made.look() for _ in range(3)] == [False] * 3
    return made


def names(live: LiveSite) -> list[str]:
    return [sender.name for sender in live.site.senders]


def test_a_change_is_taken_over_once_it_stays_the_same(folder, live):
    file = folder / "senders" / "ward.toml"
    file.write_text("")  # as an editor leaves it for a moment: whoever sends would be the ward
    assert not live.look()
    file.write_text('applications = ["WARD"]\n')
    assert not live.look()
    assert live.look()
    assert names(live) == ["lab", "ward"]
    assert not live.look()
    file.unlink()
    assert [live.look(), live.look()] == [False, True]
    assert names(live) == ["lab"]


def test_codes_count_and_one_look_is_enough_for_who_knows_better(folder, live):
    (folder / "codes").mkdir()
    (folder / "codes" / "0074.csv").write_text("local,system,code,display\nX,urn:x,1,\n")
    assert live.look(at_once=True)
    assert live.site.senders[0].codes["0074"]["X"].code == "1"


def test_a_fault_is_told_once_and_what_counted_stays(folder, live, caplog):
    (folder / "senders" / "ward.toml").write_text('ack = "sometimes"\n')
    with caplog.at_level(logging.ERROR):
        assert [live.look() for _ in range(4)] == [False] * 4
    assert names(live) == ["lab"]
    [line] = caplog.records
    assert "senders/ward.toml" in line.faults[0]
    # A process that begins now begins with what is usable.
    other = pickle.loads(pickle.dumps(live))
    assert (names(other), other.look(at_once=True)) == (["lab"], False)
    (folder / "senders" / "ward.toml").write_text('applications = ["WARD"]\n')
    assert other.look(at_once=True)
