"""The PostgreSQL of benchmarks and bars: the private cluster of ``make pg``, kept off the API's core."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.server import REST_CORE
from deploy import postgres_cluster as cluster


@contextmanager
def postgresql(pinned: bool = True) -> Iterator[str]:
    """The URL of the running cluster, started when it was not and then stopped again."""
    was_running = cluster.is_running()
    url = cluster.start()
    if pinned:
        pin(url)
    try:
        yield url
    finally:
        if not was_running:
            cluster.stop()


def pin(url: str) -> None:
    """Move the postmaster and its children to the other core; backends inherit it."""
    with psycopg.connect(url) as connection:
        backend = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
    postmaster = int(backend.rsplit(")", 1)[1].split()[1])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        os.sched_setaffinity(pid, {int(REST_CORE)})
