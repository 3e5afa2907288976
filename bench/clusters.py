"""The PostgreSQL of benchmarks and bars: the private cluster of ``make pg``, kept off the API's core."""

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import psycopg

from bench.server import REST_CORE


@contextmanager
def postgresql(pinned: bool = True) -> Iterator[str]:
    """The URL of the running cluster, started when it was not and then stopped again."""
    cluster = _cluster()
    was_running = cluster._running(cluster.FOLDER / "data")
    url = cluster.start()
    if pinned:
        _pin(url)
    try:
        yield url
    finally:
        if not was_running:
            cluster.stop()


def _cluster() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "deploy" / "postgres_cluster.py"
    spec = importlib.util.spec_from_file_location("postgres_cluster", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _pin(url: str) -> None:
    """Move the postmaster and its children to the other core; backends inherit it."""
    with psycopg.connect(url) as connection:
        backend = Path(f"/proc/{connection.info.backend_pid}/stat").read_text()
    postmaster = int(backend.rsplit(")", 1)[1].split()[1])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    for pid in (postmaster, *map(int, children)):
        os.sched_setaffinity(pid, {int(REST_CORE)})
