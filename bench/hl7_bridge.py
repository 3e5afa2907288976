"""A bridge process for bars: ``hearth serve hl7`` on either database, peers that speak MLLP to it, its tables.

HL7 v2.5.1 appendix C (MLLP). Peers here frame by themselves: the bridge's own client proves nothing about it.
"""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from bench.processes import descendants
from bench.server import free_port, fresh

_UP_SECONDS = 60.0


@dataclass
class BridgeProcess:
    """The process can be killed and started again; the port stays."""

    folder: Path
    database: str
    port: int
    options: Sequence[str] = ()
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self) -> None:
        command = [sys.executable, "-m", "fhir_server.cli", "serve", "hl7", "--open", "--hl7-port", str(self.port)]
        command += ["--data-dir", str(self.folder), "--database", self.database, *self.options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def ready(self) -> None:
        """Returns when it takes connections. Raises RuntimeError when it does not come up."""
        deadline = time.monotonic() + _UP_SECONDS
        while time.monotonic() < deadline and self.process and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the bridge did not come up:\n{self.log.read_text()[-2000:]}")

    def kill(self, pids: Sequence[int] = ()) -> None:
        """kill -9 of ``pids``, or of the process and all below it."""
        assert self.process is not None
        for pid in pids or (self.process.pid, *descendants(self.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not pids:
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Of the database beside the process."""
        if self.database.startswith("sqlite"):
            with closing(sqlite3.connect(self.database.removeprefix("sqlite:///"), timeout=30)) as connection:
                return connection.execute(sql).fetchall()
        with psycopg.connect(self.database) as connection:
            return connection.execute(sql).fetchall()

    def wait_applied(self, seconds: float = 120.0) -> int:
        """Until nothing waits any more; how many still do after ``seconds``."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            [[waiting]] = self.rows("SELECT count(*) FROM hl7_message WHERE state = 'received'")
            if not waiting:
                return 0
            time.sleep(0.2)
        return int(waiting)


@contextmanager
def bridging(database: str, *options: str) -> Iterator[BridgeProcess]:
    """A bridge that serves on a fresh database: ``sqlite``, or the URL of a PostgreSQL server to make one on."""
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as folder, fresh(database, Path(folder)) as url:
        bridge = BridgeProcess(Path(folder), url, free_port(), options)
        bridge.start()
        try:
            bridge.ready()
            yield bridge
        finally:
            if bridge.process is not None and bridge.process.poll() is None:
                bridge.stop()


class Wire:
    """One blocking MLLP connection."""

    def __init__(self, port: int, seconds: float = 20.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def ask(self, raw: bytes) -> bytes:
        """The next answer. Raises OSError when the connection ends."""
        self._socket.sendall(b"\x0b" + raw + b"\x1c\r")
        while b"\x1c\r" not in self._rest:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionError("closed")
            self._rest += data
        answer, _, self._rest = self._rest.partition(b"\x1c\r")
        return answer.lstrip(b"\x0b")

    def close(self) -> None:
        self._socket.close()


def result(control_id: str, patient: int | str, results: int = 3) -> bytes:
    """An ORU^R01 of an order of its own, of ``results`` results that nobody sent before."""
    head = (
        f"MSH|^~\\&|LAB|A|||20260101120000||ORU^R01^ORU_R01|{control_id}|P|2.5.1\r"
        f"PID|1||{patient}^^^HOSP^MR||Person^P{patient}\r"
        f"ORC|RE|P{control_id}^A|F{control_id}^B\r"
        f"OBR|1|P{control_id}^A|F{control_id}^B|24323-8^Panel^LN|||20260101110000|||||||||||||||20260101115900|||F\r"
    )
    lines = (f"OBX|{n}|NM|{2345 + n}-7^Substance^LN||{n}.5|mmol/L^^UCUM|||||F\r" for n in range(1, results + 1))
    return (head + "".join(lines)).encode()
