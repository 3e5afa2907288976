"""Tests of the spool: every answered read is stored exactly once, whatever fails or dies when."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from fhir_server.audit import spool as spools
from fhir_server.audit.chain import LIFETIME
from fhir_server.audit.record import Interaction, event
from fhir_server.audit.spool import Spool
from fhir_server.audit.verify import verify
from resources.errors import Unavailable
from resources.repository import Caller


def read(n):
    return [event(Caller("open", request_id=f"r{n}"), Interaction.READ, entity=f"Patient/{n}")]


def requests(trail):
    return sorted(int(row.request[1:]) for row in trail.rows if row.request)


@pytest.fixture
def trail(memory_trail):
    return memory_trail()


@pytest.fixture(params=[False, True], ids=["plain", "sealed"])
def make(request, tmp_path, keyring, trail):
    made = []

    def spool(**options):
        made.append(Spool(tmp_path, keyring, lambda: trail, sealed=request.param, period=0.01, **options))
        return made[-1]

    return spool


def killed(spool):
    """What the kernel does to the spool of a killed process: its files are closed, no more."""
    for item in spool._files:
        item.file.close()


def test_reads_reach_the_table_in_order(make, trail, keyring, tmp_path):
    spool = make()
    for n in range(1200):
        spool.append(read(n))
    assert spool.drain(trail) == 1200
    assert spool.drain(trail) == 0
    assert [row.request for row in trail.rows] == [f"r{n}" for n in range(1200)]
    assert spool.backlog == 0 and verify(trail, keyring).ok
    spool.append(read(1200))
    spool.close(trail)
    assert requests(trail) == list(range(1201))
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Unavailable):
        spool.append(read(1201))
    spool.stop()
    spool.stop()


def test_the_thread_drains_while_others_append(make, trail, keyring):
    spool = make(roll=2000)
    spool.start()

    def write(first):
        for n in range(first, first + 200):
            spool.append(read(n))

    writers = [threading.Thread(target=write, args=(first,)) for first in range(0, 800, 200)]
    [t.start() for t in writers]
    [t.join() for t in writers]
    spool.stop()
    assert requests(trail) == list(range(800))
    assert verify(trail, keyring).ok


def test_an_insert_without_an_answer_is_not_repeated(make, trail, keyring):
    spool = make()
    for n in range(700):
        spool.append(read(n))
    trail.lost = True
    with pytest.raises(Unavailable):
        spool.drain(trail)
    spool.drain(trail)
    assert requests(trail) == list(range(700)) and verify(trail, keyring).ok


def test_reads_wait_for_the_database_up_to_the_limit(make, trail):
    spool = make(limit=20_000)
    trail.away = True
    spool.start()
    done = 0
    with pytest.raises(Unavailable):
        for n in range(10_000):
            spool.append(read(n))
            done += 1
    assert done > 50
    trail.away = False
    for _ in range(500):
        if not spool.backlog:
            break
        time.sleep(0.01)
    spool.append(read(done))
    spool.stop()
    assert requests(trail) == list(range(done + 1))


@pytest.mark.parametrize("stored", [0, 1, 30, 31])
def test_the_files_of_a_dead_process_are_taken_over(make, trail, keyring, tmp_path, stored):
    dead = make()
    for n in range(stored):
        dead.append(read(n))
    dead.drain(trail)
    for n in range(stored, 40):
        dead.append(read(n))
    killed(dead)
    heir = make()
    assert heir.drain(trail) == 40 - stored
    assert requests(trail) == list(range(40)) and verify(trail, keyring).ok
    assert len(list(tmp_path.glob("*.spool"))) == 1


def test_killed_between_insert_and_removal(make, trail, keyring, monkeypatch):
    dead = make()
    dead.append(read(1))
    trail.lost = True
    with pytest.raises(Unavailable):
        dead.drain(trail)
    killed(dead)
    assert make().drain(trail) == 0
    assert requests(trail) == [1]


def test_a_file_found_days_later_joins_a_chain_that_is_still_watched(make, trail, keyring, monkeypatch):
    dead = make()
    dead.append(read(0))
    dead.drain(trail)
    dead.append(read(1))
    killed(dead)
    later = time.time() + 3 * LIFETIME
    monkeypatch.setattr(spools, "time", lambda: later)
    heir = make()
    trail.lost = True
    with pytest.raises(Unavailable):
        heir.drain(trail)
    killed(heir)
    heir = make()
    heir.drain(trail)
    assert requests(trail) == [0, 1]
    assert len({row.chain for row in trail.rows}) == 2 and verify(trail, keyring).ok


def test_a_damaged_file_is_kept_and_told(make, trail, keyring, tmp_path):
    dead = make()
    for n in range(10):
        dead.append(read(n))
    path = dead._live.path
    third, fourth = dead._live.position(0, 3), dead._live.position(0, 4)
    killed(dead)
    whole = bytearray(path.read_bytes())
    whole[(third + fourth) // 2] ^= 1
    path.write_bytes(whole)
    heir = make()
    heir.drain(trail)
    heir.drain(trail)
    assert requests(trail) == [0, 1, 2]
    told = [row for row in trail.rows if row.interaction == "spool-damaged"]
    assert len(told) == 1 and told[0].detail == path.stem
    assert [p.suffix for p in tmp_path.iterdir()].count(".damaged") == 1


def test_a_full_disk_refuses_the_read(make, trail, monkeypatch):
    spool = make()
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:3]))
    with pytest.raises(Unavailable):
        spool.append(read(0))
    monkeypatch.undo()
    spool.append(read(1))
    spool.drain(trail)
    assert requests(trail) == [1]


CHILD = """
    import sys
    from pathlib import Path
    from fhir_server.audit.record import Interaction, event
    from fhir_server.audit.spool import Spool
    from fhir_server.keys import Keyring, MasterKey
    from fhir_server.store import open_store
    from fhir_server.store.audit_sql import SqlKeyRows, SqlTrail
    from resources.repository import Caller

    url, folder, sealed = sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "True"
    store = open_store(url)
    keyring = Keyring(MasterKey(b"m" * 32), SqlKeyRows(store.session))
    spool = Spool(folder, keyring, lambda: SqlTrail(store.session()), sealed=sealed, period=0.02, roll=20_000)
    spool.start()
    n = int(sys.argv[4])
    while True:
        spool.append([event(Caller("open", request_id=f"r{n}"), Interaction.READ, entity=f"Patient/{n}")])
        sys.stdout.write(f"{n}\\n")
        sys.stdout.flush()
        n += 1
"""


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_kill_9_loses_no_answered_read_and_repeats_none(store, database_url, tmp_path, sealed):
    """Children answer reads as fast as they can and are killed; the next takes over what the last left."""
    from fhir_server.keys import Keyring, MasterKey
    from fhir_server.store.audit_sql import SqlKeyRows, SqlTrail

    keyring = Keyring(MasterKey(b"m" * 32), SqlKeyRows(store.session))
    answered = set()
    for life in range(3):
        arguments = [database_url, str(tmp_path / "spool"), str(sealed), str(life * 1_000_000)]
        command = [sys.executable, "-c", textwrap.dedent(CHILD), *arguments]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in iter(child.stdout.readline, ""):
            if len(answered) % 1500 == 1499:
                os.kill(child.pid, signal.SIGKILL)
            answered.add(int(line)) if line.endswith("\n") else None
        child.wait()
    trail = SqlTrail(store.session())
    Spool(tmp_path / "spool", keyring, lambda: trail, sealed=sealed).drain(trail)
    rows = [row for row in trail.rows_after(0, 0, 10**7) if row.request]
    stored = [int(row.request[1:]) for row in rows]
    assert len(stored) == len(set(stored))
    assert answered <= set(stored)
    assert len(set(stored) - answered) <= 3 * 20_000  # appended, but killed before the answer was out
    assert verify(trail, keyring).ok
