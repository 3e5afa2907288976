"""A server of our own as a child process, started by the command an operator uses."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

_START_SECONDS = 90.0
_STOP_SECONDS = 40.0


@contextmanager
def serving(folder: Path, database: str = "") -> Iterator[str]:
    """`hearth serve api` with its data in ``folder``; yields its FHIR base once it is ready."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("hearth")), "serve", "api", "--open"]
    command += ["--cors-origins", "https://app.example", "--data-dir", str(folder), "--port", str(port)]
    command += ["--database", database] if database else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            wait(child, f"http://127.0.0.1:{port}/health/ready", folder / "log")
            yield f"http://127.0.0.1:{port}/fhir"
        finally:
            stop(child)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty PostgreSQL database. Skips the test when there is no PostgreSQL."""
    # Only a run that starts the server itself needs the repository's own fixtures.
    from conftest import drop_postgresql, fresh_postgresql

    url = fresh_postgresql()
    try:
        yield url
    finally:
        drop_postgresql(url)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait(child: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Until ``url`` answers 200; shows the log when the process ended or took too long."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            # our own server on loopback: its certificate may be its own
            if httpx.get(url, timeout=5, verify=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"The server did not become ready:\n{log.read_text(errors='replace')[-4000:]}")


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a process as an operator does, and wait for it."""
    child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
