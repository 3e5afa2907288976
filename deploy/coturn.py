"""A coturn of its own on loopback, for tests and measurements; a missing one is installed with apt when that can be.

RFC 8656; Debian's package coturn. Needs no system service and no root to run.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PACKAGE = "coturn"
_SECONDS = 30.0


class NoCoturn(Exception):
    """There is none and none could be had; the text says why."""


@cache
def program() -> str:
    """The path of turnserver. Raises NoCoturn."""
    if not shutil.which("turnserver"):
        _install()
    found = shutil.which("turnserver")
    if not found:
        raise NoCoturn(f"{PACKAGE} was installed but there is no turnserver")
    return found


def _install() -> None:
    if os.getuid() != 0 or not shutil.which("apt-get"):
        raise NoCoturn(f"coturn is not installed; install it (Debian: apt-get install {PACKAGE}) and try again")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", PACKAGE]):
        done = subprocess.run(["apt-get", *arguments], env=quiet, capture_output=True, text=True)
        if done.returncode:
            raise NoCoturn(f"apt-get {arguments[0]} failed: {done.stderr[-300:]}")


@contextmanager
def running(folder: Path, text: str, port: int) -> Iterator[None]:
    """Runs on 127.0.0.1 with the configuration ``text``, of which ``port`` is one it listens on by TCP. Raises
    NoCoturn, also when it does not come up."""
    path, log = folder / "turnserver.conf", folder / "turnserver.log"
    path.write_text(text)
    path.chmod(0o600)
    command = [program(), "-c", str(path), "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"]
    command += [f"--pidfile={folder / 'turnserver.pid'}", f"--userdb={folder / 'turndb'}"]
    with log.open("wb") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told, cwd=folder)
    try:
        _listening(process, port, log)
        yield
    finally:
        process.kill()
        process.wait()


def _listening(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NoCoturn(f"turnserver does not listen: {log.read_text(errors='replace')[-500:]}")
