"""The schema is brought up to date while the version before serves and is written to; then both versions serve.

The version before is the last one of the repository that knows fewer migrations; a checkout without its history (and an
installed package) has none to rehearse with.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.bar import Bar, Figure, Profile, Skipped
from bench.clients import Told, finished, launched
from bench.failover import CLIENTS, amiss, counts, work
from bench.server import free_port, fresh, running, wait_ready

_ROOT = Path(__file__).resolve().parents[1]
_SCHEMAS = ("fhir_server/store/schema.py", "smart_auth/records/tables.py", "hl7_bridge/journal/tables.py")
_PACKAGES = ("resources", "capability", "smart_auth", "hl7_bridge", "video", "fhir_server")
_LOOKED_AT = 12
"""Commits that changed a schema's source, newest first, of which the one before may know fewer migrations."""


def _output(*words: str, cwd: Path = _ROOT, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:4])} failed: {(done.stderr or done.stdout)[-500:]}")
    return done.stdout


def _version_before(folder: Path, url: str) -> tuple[str, list[str]]:
    """The commit that is now in ``folder`` and has made its schema at ``url``, and what waits to be applied to that.
    Raises Skipped."""
    try:
        commits = _output("git", "rev-list", f"--max-count={_LOOKED_AT}", "HEAD", "--", *_SCHEMAS).split()
        for commit in commits:
            before = _output("git", "rev-parse", "--short", f"{commit}^").strip()
            _unpack(before, folder)
            if waiting := _waiting(folder):
                _output(*_hearth("migrate", folder, url), cwd=folder, environment=_environment(folder))
                return before, waiting
    except (RuntimeError, OSError) as error:
        raise Skipped(f"no earlier version to be had: {error}") from None
    raise Skipped("no earlier version with fewer migrations")


def _unpack(commit: str, folder: Path) -> None:
    archive = subprocess.run(["git", "archive", commit, *_PACKAGES], cwd=_ROOT, check=True, capture_output=True).stdout
    subprocess.run(["rm", "-rf", *_PACKAGES], cwd=folder, check=True)
    subprocess.run(["tar", "x"], cwd=folder, input=archive, check=True)


def _waiting(folder: Path) -> list[str]:
    """What the version in ``folder`` does not know of today's migrations."""
    theirs = _output(sys.executable, "-c", _KNOWN, cwd=folder, environment=_environment(folder)).split(",")
    ours = _output(sys.executable, "-c", _KNOWN).split(",")
    return [name for name in ours if name not in theirs]


_KNOWN = """from fhir_server.preparation import packages; from fhir_server.store.schema import MIGRATIONS
print(*(f"{n} {m.version}" for n, all in {"store": MIGRATIONS, **packages()}.items() for m in all), sep=",", end="")"""


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(folder)}


def _hearth(verb: str, folder: Path, url: str) -> list[str]:
    return [sys.executable, "-m", "fhir_server.cli", verb, "--data-dir", str(folder / "data"), "--database", url]


@contextmanager
def _old_server(folder: Path, url: str) -> Iterator[int]:
    """The version in ``folder`` serves; its port."""
    port = free_port()
    command = [*_hearth("serve", folder, url), "--open", "--port", str(port), "--threads", "4", "--log-level", "error"]
    command.insert(command.index("serve") + 1, "api")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=log, stderr=log)
        try:
            wait_ready(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(60)


def measure(profile: Profile) -> Figure:
    """On PostgreSQL: a SQLite file has one version of Hearth at a time."""
    if not profile.postgresql:
        raise Skipped("PostgreSQL is not there")
    with tempfile.TemporaryDirectory(prefix="hearth-bench-") as name, fresh(profile.postgresql, Path(name)) as url:
        folder = Path(name)
        before, waiting = _version_before(folder, url)
        with _old_server(folder, url) as port:
            told, took = _migrated(port, folder, url, profile.size(40, 3))
            with running(folder / "data", url, pinned=False) as new:
                problems = [*amiss(port, told), *amiss(new.port, told)]
        problems += _found_by_checks(folder, url)
    text = f"from {before}: {', '.join(waiting)} applied in {took:.1f} s under load; {counts(told)}"
    return Figure(text, not problems, tuple(problems[:20]))


def _migrated(port: int, folder: Path, url: str, seconds: int) -> tuple[list[Told], float]:
    """What clients of the old version were told while today's migrations ran, and the seconds these took."""
    clients = launched(port, work, time.time() + seconds, processes=CLIENTS)
    time.sleep(seconds / 4)
    started = time.monotonic()
    _output(*_hearth("migrate", folder, url))
    took = time.monotonic() - started
    return finished(clients), took


def _found_by_checks(folder: Path, url: str) -> list[str]:
    """What the old version wrote is in index and trail as today's would have it, after the walk that a migration asked
    for."""
    verify = _hearth("verify", folder, url)
    verify.insert(verify.index("verify"), "audit")
    verified = subprocess.run(verify, cwd=_ROOT, capture_output=True, text=True)
    problems = [] if verified.returncode == 0 else [f"audit verify: {verified.stdout[-300:]}"]
    if _asks_for_a_walk(url):
        _reindexed(folder, url)
    words = _reindexed(folder, url)
    return problems + ([] if ", 0 put right" in words else [f"reindex: {words[-300:]}"])


def _asks_for_a_walk(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return bool(connection.execute("SELECT FROM parameter WHERE n = 0 AND status = 'indexing'").fetchall())


def _reindexed(folder: Path, url: str) -> str:
    done = subprocess.run([*_hearth("reindex", folder, url), "--quiet"], cwd=_ROOT, capture_output=True, text=True)
    return " ".join((done.stdout + done.stderr).split())


BARS = (
    Bar(
        "upgrade: the schema changes under the version before",
        "0 answers but 200, 201 and 503, 0 changes lost, 0 put right behind the walk a migration asks for",
        measure,
    ),
)
