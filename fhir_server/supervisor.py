"""The supervisor: keeps the child processes of ``hearth serve`` running and stops them gracefully.

A dead child is started again after a pause that doubles from 0.2 to 10 seconds; the others never notice.
"""

import logging
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

from fhir_server.lifeline import end_with_parent

log = logging.getLogger("hearth.supervisor")

_FIRST_PAUSE, _LONGEST_PAUSE, _STEADY_AFTER = 0.2, 10.0, 60.0


@dataclass
class Child:
    """One kind of process: its command, the running instance and when to start the next."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = _FIRST_PAUSE
    due: float = 0.0

    def start(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(self.command, env=dict(environment), preexec_fn=end_with_parent)
        self.started = time.monotonic()
        log.info("started", extra={"child": self.name, "pid": self.process.pid})

    def reap(self) -> None:
        """Notice a death and set when to start again."""
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self.started
        self.pause = _FIRST_PAUSE if lived > _STEADY_AFTER else min(self.pause * 2, _LONGEST_PAUSE)
        self.due = time.monotonic() + self.pause
        log.warning("died", extra={"child": self.name, "status": self.process.returncode, "again_in": self.pause})
        self.process = None


class Supervisor:
    """Runs ``children`` until SIGTERM or SIGINT, then stops them within ``stop_seconds``."""

    def __init__(self, children: Sequence[Child], environment: Mapping[str, str], stop_seconds: float) -> None:
        self.children = children
        self.environment = environment
        self.stop_seconds = stop_seconds
        self.stopping = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping:
            self._tend()
            time.sleep(0.1)
        return self._finish()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _tend(self) -> None:
        for child in self.children:
            child.reap()
            if child.process is None and time.monotonic() >= child.due:
                child.start(self.environment)

    def _finish(self) -> int:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + self.stop_seconds
        late = [process for process in running if not _ended(process, deadline)]
        for process in late:
            process.kill()
        return 1 if late else 0


def _ended(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True
