"""A PostgreSQL and its synchronous standby, for failovers that are rehearsed: made in a folder, killed, promoted.

PostgreSQL 15, chapters 27.2.5 (streaming replication), 27.2.8 (synchronous replication) and 27.3 (failover).
"""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from deploy.postgres_cluster import DATABASE, free_port, is_running, own, run, start, stop, url

STANDBY = "standby"
_UP_SECONDS = 60.0


class Pair:
    """Both servers lie under ``folder``; ``url`` names both, and who connects by it finds the one that takes writes."""

    def __init__(self, folder: Path) -> None:
        self.primary, self.standby = folder / "primary", folder / STANDBY

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{(each / 'port').read_text().strip()}" for each in (self.primary, self.standby))
        return f"postgresql://{DATABASE}@{hosts}/{DATABASE}?target_session_attrs=read-write"

    def start(self) -> None:
        """Returns when each commit of the primary waits until the standby has it on its disk. Raises NoPostgres."""
        start(self.primary)
        own(self.standby)
        port, data = free_port(), self.standby / "data"
        run("pg_basebackup", "-d", url(self.primary), "-D", str(data), "-R", "-C", "-S", STANDBY, "-c", "fast", "-N")
        (self.standby / "port").write_text(f"{port}\n")
        options = f"-p {port} -c cluster_name={STANDBY} -c unix_socket_directories={self.standby}"
        options += " -c wal_retrieve_retry_interval=200ms"  # else a promotion may wait five seconds for its next look
        run("pg_ctl", "-D", str(data), "-l", str(data / "server.log"), "-o", options, "-w", "-t", "60", "start")
        with psycopg.connect(url(self.primary), autocommit=True) as admin:
            admin.execute(f"ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ({STANDBY})'")
            admin.execute("SELECT pg_reload_conf()")
            _until_synchronous(admin)

    def kill_primary(self) -> None:
        """SIGKILL to every process of the primary, as when its machine loses power."""
        postmaster = int((self.primary / "data" / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def promote(self) -> None:
        """The standby takes writes from now on, and waits for no other."""
        run("pg_ctl", "-D", str(self.standby / "data"), "-w", "-t", "60", "promote")

    def stop(self) -> None:
        """Stop what runs."""
        for each in (self.standby, self.primary):
            if is_running(each):
                stop(each)


def _until_synchronous(admin: psycopg.Connection) -> None:
    deadline = time.monotonic() + _UP_SECONDS
    while time.monotonic() < deadline:
        rows = admin.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
        if ("sync",) in rows:
            return
        time.sleep(0.02)
    raise RuntimeError("the standby did not become synchronous")


@contextmanager
def pair() -> Iterator[Pair]:
    """A running pair, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hearth-pair-", dir="/var/tmp"))
    own(folder)
    made = Pair(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)
