"""A Hearth that can be killed and started again on the same data, for bars of concurrency and of crashes."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.processes import descendants
from bench.server import free_port, fresh, wait_ready


@dataclass
class Deployment:
    """One data folder and one database, and the process tree that serves them while it is started."""

    folder: Path
    url: str
    port: int
    options: tuple[str, ...]
    process: "subprocess.Popen[bytes] | None" = None
    left: bool = False
    """Whether processes were left behind by the last ``stop``; they are killed."""

    def command(self, *words: str) -> list[str]:
        """A ``hearth`` command on this data."""
        place = ("--data-dir", str(self.folder), "--database", self.url, *self.options)
        return [sys.executable, "-m", "fhir_server.cli", *words, *place]

    def start(self, part: str = "api") -> None:
        """Serve and wait until it is ready; ``part`` '' is everything under the supervisor."""
        words = ("serve", part) if part else ("serve",)
        with self.log.open("ab") as log:
            command = [*self.command(*words), "--open", "--port", str(self.port)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_ready(self.port, self.process)

    def stop(self) -> None:
        """Stop gracefully."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(90)
            self.left = _group(self.process.pid)
            self.process = None

    def kill(self) -> None:
        """SIGKILL to every process of the tree at once, as when a machine's memory runs out."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.process = None

    def children(self) -> list[int]:
        """The process ids below the first process."""
        return descendants(self.process.pid) if self.process is not None else []

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, asked beside the server."""
        if self.url.startswith("sqlite"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=30)) as connection:
                return connection.execute(sql).fetchall()
        with psycopg.connect(self.url) as database:
            return list(database.execute(sql.encode()))

    def deadlocks(self) -> int:
        """Deadlocks that PostgreSQL counted in this database; after ``stop``, since sessions count late."""
        if self.url.startswith("sqlite"):
            return 0
        time.sleep(1.0)
        return int(self.rows("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0])

    def audit_verify(self) -> tuple[bool, str]:
        """Whether ``hearth audit verify`` passes, and its words."""
        done = subprocess.run(self.command("audit", "verify"), capture_output=True, text=True, timeout=600)
        return done.returncode == 0, " ".join((done.stdout + done.stderr[-500:]).split())


_GOING = 5.0
"""Seconds for what notices that its parent is gone, such as multiprocessing's tracker, to go too."""


def _group(leader: int) -> bool:
    """Whether processes of the group live on by themselves; they are killed."""
    until = time.monotonic() + _GOING
    while _living(leader) and time.monotonic() < until:
        time.sleep(0.05)
    left = _living(leader)
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    return left


def _living(group: int) -> bool:
    """Whether the group has a process that is not only waiting to be reaped."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, pgrp = stat.read_text().rsplit(")", 1)[1].split()[:3]
            if int(pgrp) == group and state != "Z":
                return True
    return False


@contextmanager
def deployed(database: str, *options: str, part: str | None = "api") -> Iterator[Deployment]:
    """A started deployment on a fresh database: ``sqlite``, or the URL of a PostgreSQL server to make one on.

    ``part`` None does not start it.
    """
    with tempfile.TemporaryDirectory(prefix="hearth-bars-") as folder, fresh(database, Path(folder)) as url:
        deployment = Deployment(Path(folder), url, free_port(), options or ("--workers", "2", "--threads", "4"))
        try:
            if part is not None:
                deployment.start(part)
            yield deployment
        finally:
            deployment.stop()
