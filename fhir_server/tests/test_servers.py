"""Both HTTP servers as processes: they answer, finish what runs when they are stopped, and replace a killed worker."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import create_server

import pytest

ENTRIES = 1500


class Running:
    """``hearth serve api`` with one of the servers."""

    def __init__(self, server: str, folder: Path) -> None:
        with create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "fhir_server.cli", "serve", "api", "--open", "--server", server]
        command += ["--port", str(self.port), "--data-dir", str(folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait()

    def send(self, path: str, body: bytes | None = None) -> int:
        headers = {"Content-Type": "application/fhir+json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return len(answer.read()) and int(answer.status)

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.send("/health/ready")
                return
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise AssertionError("not ready")

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split() if "resource_tracker" not in _command(pid)]


def _command(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return "resource_tracker"


@pytest.fixture(params=["granian", "gunicorn"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    made = Running(request.param, tmp_path / "var")
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait(30)


def bundle() -> bytes:
    entry = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry] * ENTRIES}).encode()


def test_a_stop_lets_a_running_request_finish(running: Running) -> None:
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(running.send, "/fhir", bundle())
        time.sleep(0.2)
        running.process.send_signal(signal.SIGTERM)
        assert answer.result(60) == 200
    assert running.process.wait(60) == 0


def test_workers_end_with_a_killed_parent(running: Running) -> None:
    [worker] = running.workers()
    running.process.kill()
    running.process.wait(30)
    deadline = time.monotonic() + 30
    while Path(f"/proc/{worker}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{worker}").exists()


def test_a_killed_worker_is_replaced(running: Running) -> None:
    [worker] = running.workers()
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while running.workers() in ([], [worker]) and time.monotonic() < deadline:
        time.sleep(0.05)
    running.wait()
    assert running.send("/fhir/Patient", b'{"resourceType":"Patient"}') == 201
