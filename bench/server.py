"""A Hearth API process for benchmarks and bars: started as a user would, pinned to a core, on either database."""

import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench.processes import Cost, cost

API_CORE, REST_CORE = "0", "1"
"""The API has a core of its own; the database and the client share the other."""


@dataclass
class Server:
    """A running API. ``started`` is the seconds from the command to the first ready answer, migrations included;
    ``log`` the file its standard output and error go to, in its data folder; ``database`` its database."""

    port: int
    pid: int
    database_pids: tuple[int, ...]
    started: float
    log: Path
    database: str

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/fhir"

    def cost(self) -> Cost:
        return cost(self.pid)

    def database_cost(self) -> Cost:
        return cost(*self.database_pids)


@contextmanager
def serving(database: str, *options: str, pinned: bool = True, secured: bool = False) -> Iterator[Server]:
    """``hearth serve api`` on a fresh database: ``sqlite``, or the URL of a PostgreSQL server to make one on."""
    with (
        tempfile.TemporaryDirectory(prefix="hearth-bench-") as name,
        fresh(database, folder := Path(name)) as url,
        running(folder, url, *options, pinned=pinned, secured=secured) as server,
    ):
        yield server


@contextmanager
def running(folder: Path, url: str, *options: str, pinned: bool = True, secured: bool = False) -> Iterator[Server]:
    """``hearth serve api`` on the database ``url`` with its keys in ``folder``."""
    port = free_port()
    command = [sys.executable, "-m", "fhir_server.cli", "serve", "api", "--port", str(port)]
    command += [] if secured else ["--open"]
    command += ["--data-dir", str(folder), "--database", url, *options]
    with (folder / "log").open("wb") as log:
        before = time.perf_counter()
        process = subprocess.Popen(_on(API_CORE, command) if pinned else command, stdout=log, stderr=log)
        try:
            wait_ready(port, process)
            started = time.perf_counter() - before
            yield Server(port, process.pid, _postmasters(url), started, folder / "log", url)
        finally:
            process.terminate()
            process.wait(60)


def _on(core: str, command: Sequence[str]) -> list[str]:
    return ["taskset", "-c", core, *command]


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_ready(port: int, process: "subprocess.Popen[bytes]", seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("the server did not become ready")


@contextmanager
def fresh(database: str, folder: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{folder / 'hearth.sqlite'}"
        return
    name = f"bench_{time.time_ns()}"
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(database)._replace(path=f"/{name}"))
    finally:
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _postmasters(url: str) -> tuple[int, ...]:
    if url.startswith("sqlite"):
        return ()
    with psycopg.connect(url) as connection:
        backend = connection.info.backend_pid
    stat = Path(f"/proc/{backend}/stat")
    return (int(stat.read_text().rsplit(")", 1)[1].split()[1]),) if stat.exists() else ()
