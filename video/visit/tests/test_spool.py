import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from video.errors import Refused
from video.ports import FactKind, Role
from video.visit.spool import RETENTION, Damaged, FactSpool
from video.visit.tests.script import fact, visit

ROOT = Path(__file__).resolve().parents[3]


class Sealer:
    """Turns bytes round, with the purpose in front: enough to see that nothing stands in clear."""

    def seal(self, purpose: str, secret: bytes) -> bytes:
        return (purpose.encode() + b"\0" + secret)[::-1]

    def open(self, purpose: str, sealed: bytes) -> bytes:
        found, _, secret = sealed[::-1].partition(b"\0")
        if found != purpose.encode():
            raise Refused("sealed", "not ours")
        return secret


class Clock:
    at = 1000

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def spool(tmp_path, clock):
    made = FactSpool(tmp_path / "video" / "facts.sqlite", Sealer(), clock)
    yield made
    made.close()


def test_facts_come_out_in_the_order_of_their_room_and_once(spool):
    facts = visit()
    spool.put(facts[3:])
    spool.put(facts)
    spool.put(facts[:2])
    assert spool.rooms() == ["room"]
    assert [one.fact for one in spool.waiting("room", 100)] == facts
    spool.delivered(facts[:4])
    spool.put(facts)
    assert [one.fact for one in spool.waiting("room", 2)] == facts[4:6]
    assert spool.counts() == (len(facts) - 4, 0)


def test_what_is_there_is_sealed_and_what_was_delivered_is_gone(spool, tmp_path):
    spool.put([fact(FactKind.CHAT, 1, 0, Role.PATIENT, text="a secret")])
    files = list((tmp_path / "video").iterdir())
    assert b"a secret" not in b"".join(path.read_bytes() for path in files)
    assert b"Patient/1" not in b"".join(path.read_bytes() for path in files)
    spool.delivered([fact(FactKind.CHAT, 1, 0)])
    assert (spool.rooms(), spool.counts()) == ([], (0, 0))


def test_later_waits_and_only_the_first_is_held_to_account(spool, clock):
    spool.put(visit())
    spool.later("room", 2000, "transient", failed=False)
    assert spool.rooms() == []
    clock.at = 2000
    assert [one.tries for one in spool.waiting("room", 3)] == [0, 0, 0]
    spool.later("room", 2000, "invalid", failed=True)
    assert [one.tries for one in spool.waiting("room", 3)] == [1, 0, 0]


def test_what_cannot_be_written_waits_for_a_person_and_can_be_tried_again(spool):
    facts = visit()
    spool.put(facts)
    spool.set_aside("room", 1, "invalid")
    assert spool.waiting("room", 1)[0].fact == facts[1]
    [aside] = spool.aside()
    assert (aside.room, aside.number, aside.reason) == ("room", 1, "invalid")
    assert spool.again("other") == 0
    assert spool.again() == 1
    assert spool.waiting("room", 1)[0].fact == facts[0]


def test_a_body_that_does_not_open_is_named(spool, tmp_path):
    spool.put(visit()[:3])
    spool._database.execute("UPDATE fact SET body = x'00' WHERE number = 2")
    assert len(spool.waiting("room", 10)) == 1
    spool.delivered(visit()[:1])
    with pytest.raises(Damaged) as caught:
        spool.waiting("room", 10)
    assert caught.value.number == 2


def test_retention(spool, clock):
    spool.put(visit())
    spool.delivered(visit()[:2])
    clock.at += RETENTION + 1
    spool.sweep()
    spool.put(visit()[:1])
    assert spool.counts()[0] == len(visit()) - 1


def test_threads_put_and_take_at_once(spool, tmp_path, clock):
    facts = [fact(FactKind.CHAT, number, 0, text=str(number)) for number in range(1, 101)]
    other = FactSpool(tmp_path / "video" / "facts.sqlite", Sealer(), clock)
    putting = [threading.Thread(target=lambda n=n: [spool.put([one]) for one in facts[n::4]]) for n in range(4)]
    for thread in putting:
        thread.start()
    seen = set()
    while len(seen) < len(facts):
        found = [one.fact for one in other.waiting("room", 10)]
        other.delivered(found)
        seen |= {one.number for one in found}
    for thread in putting:
        thread.join()
    other.close()
    assert spool.counts() == (0, 0)


_PUTS = """
import sys
from pathlib import Path
from video.visit.spool import FactSpool
from video.visit.tests.script import fact
from video.visit.tests.test_spool import Sealer
from video.ports import FactKind
spool = FactSpool(Path(sys.argv[1]), Sealer(), lambda: 1)
for number in range(1, 100_000):
    spool.put([fact(FactKind.CHAT, number, 0, text="x")])
    print(number, flush=True)
"""


def test_whatever_was_put_outlives_a_kill(tmp_path):
    path = tmp_path / "facts.sqlite"
    child = subprocess.Popen([sys.executable, "-c", _PUTS, str(path)], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(20)]
    os.kill(child.pid, signal.SIGKILL)
    last = int(([*lines, *child.stdout.readlines()])[-1])
    child.wait()
    spool = FactSpool(path, Sealer(), lambda: 1)
    numbers = [one.fact.number for one in spool.waiting("room", 200_000)]
    spool.close()
    assert numbers[:last] == list(range(1, last + 1))
    assert len(numbers) <= last + 1
