"""A coturn of its own on loopback, for tests and measurements; a missing one is installed with apt when that can be.

RFC 8656; Debian's package coturn. Needs no system service and no root to run.
"""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import debian

PACKAGE = "coturn"
_SECONDS = 30.0


@contextmanager
def running(folder: Path, text: str, port: int) -> Iterator[None]:
    """Runs on 127.0.0.1 with the configuration ``text``, of which ``port`` is one it listens on by TCP. Raises
    debian.Missing, also when it does not come up."""
    path, log = folder / "turnserver.conf", folder / "turnserver.log"
    path.write_text(text)
    path.chmod(0o600)
    command = [
        debian.program("turnserver", PACKAGE),
        "-c",
        str(path),
        "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1",
    ]
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
    raise debian.Missing(f"turnserver does not listen: {log.read_text(errors='replace')[-500:]}")
