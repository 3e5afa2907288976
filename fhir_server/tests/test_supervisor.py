"""The supervisor with real children: it restarts the dead, leaves the others, and stops all."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

PROGRAM = """
import os, sys, time
from fhir_server.supervisor import Child, Supervisor
folder = sys.argv[1]
write = "import os, sys, time; open(sys.argv[1] + '/' + sys.argv[2] + str(os.getpid()), 'w').close(); time.sleep(60)"
stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + write
programs = {"steady": write, "stubborn": stubborn} if len(sys.argv) > 2 else {"steady": write, "dying": write}
children = [Child(name, [sys.executable, "-c", text, folder, name]) for name, text in programs.items()]
sys.exit(Supervisor(children, dict(os.environ), 2.0).run())
"""


def start(folder: Path, *more: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(PROGRAM), str(folder), *more])


def pids(folder: Path, name: str, count: int) -> list[int]:
    """The pids that children called ``name`` left, once there are ``count``."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = [int(path.name.removeprefix(name)) for path in folder.glob(f"{name}*")]
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{count} of {name} did not start")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_child_comes_back_and_its_sibling_stays(tmp_path: Path) -> None:
    supervisor = start(tmp_path)
    [steady], [dying] = pids(tmp_path, "steady", 1), pids(tmp_path, "dying", 1)
    os.kill(dying, signal.SIGKILL)
    again = pids(tmp_path, "dying", 2)
    assert alive(steady) and len(again) == 2
    supervisor.terminate()
    assert supervisor.wait(20) == 0
    assert not any(alive(pid) for pid in [steady, *again])


def test_a_child_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    supervisor = start(tmp_path, "stubborn")
    [stubborn] = pids(tmp_path, "stubborn", 1)
    time.sleep(0.2)
    supervisor.terminate()
    assert supervisor.wait(20) == 1 and not alive(stubborn)


def test_children_of_a_killed_supervisor_end(tmp_path: Path) -> None:
    supervisor = start(tmp_path)
    [steady] = pids(tmp_path, "steady", 1)
    supervisor.kill()
    supervisor.wait(20)
    deadline = time.monotonic() + 20
    while alive(steady) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(steady)
