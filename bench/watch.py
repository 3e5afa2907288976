"""What one request costs the server: seconds, the growth of its processes' memory, and what others wait meanwhile.

Peaks are the kernel's own high-water marks (VmHWM), set back before each request.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.fuzz_requests import BASE
from bench.processes import descendants
from bench.raw_http import Answer, RawClient, Sent, once
from bench.server import Server

_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Cost:
    """``growth`` in MB over what was resident before, of the process that grew most; ``waited`` is the longest
    time in seconds that a read of another client took; ``unanswered`` how many such reads failed."""

    answer: Answer
    seconds: float
    growth: float
    waited: float
    unanswered: int


def cost_of(server: Server, sent: Sent, timeout: float = 60.0) -> Cost:
    """Send ``sent`` while another client reads the seed patient over and over."""
    before = {pid: _reset(pid) for pid in (server.pid, *descendants(server.pid))}
    reader = _Reader(server.port)
    started = time.monotonic()
    answer = once(server.port, sent, timeout)
    seconds = time.monotonic() - started
    reader.stop()
    growth = max(_memory(pid, "VmHWM") - resident for pid, resident in before.items())
    return Cost(answer, seconds, growth, reader.longest, reader.failed)


class _Reader(threading.Thread):
    """Another client of the server."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._client, self._over = RawClient(port), threading.Event()
        self.longest, self.failed = 0.0, 0
        self.start()

    def run(self) -> None:
        while not self._over.wait(_PAUSE):
            started = time.monotonic()
            answer = self._client.send(Sent("GET", f"{BASE}/Patient/seed"))
            self.longest = max(self.longest, time.monotonic() - started)
            self.failed += answer.status != 200

    def stop(self) -> None:
        self._over.set()
        self.join()
        self._client.close()


def _reset(pid: int) -> float:
    """Set the high-water mark back; the megabytes resident now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _memory(pid, "VmRSS")


def _memory(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1000
    raise RuntimeError(f"/proc/{pid}/status has no {name}")
