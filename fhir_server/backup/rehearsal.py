"""A restore, rehearsed: a backup is brought to a scratch place, served there and compared with what it was taken of.

Only the API is started on the copy, on a loopback address and secured: no message, reminder or fact leaves it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server
from typing import Any, NamedTuple

from fhir_server.at_rest import Envelope
from fhir_server.backup.taking import Manifest, restore, take
from fhir_server.keys import KeyName
from fhir_server.preparation import keyring, packages
from fhir_server.settings import Settings, child_environment
from fhir_server.store import Store, open_store
from fhir_server.store.audit_sql import SqlPatientKeys
from fhir_server.store.copying import scratch
from resources.errors import FhirError, Gone

SETTLED = 60_000
"""Milliseconds before the backup was begun, from which on nothing that is compared may have been under way."""
_UP_SECONDS = 300.0
_ALONE: dict[str, Any] = {
    "HOST": "127.0.0.1", "PUBLIC_URL": "", "TLS_CERT": "", "TLS_KEY": "", "WORKERS": 1, "OPEN": False, "HL7_PORT": 0,
    "HL7_SITE": "", "VIDEO_PORT": 0, "VIDEO_PUBLIC_URL": "", "TARIFF": "", "LOG_LEVEL": "error",
}  # fmt: skip
_COUNTED = {
    "versions of resources": "SELECT (SELECT count(*) FROM resource WHERE updated < $1) "
    "+ (SELECT count(*) FROM history WHERE updated < $1)",
    "HL7 messages": "SELECT count(*) FROM hl7_message WHERE received < $1",
    "accounts": "SELECT count(*) FROM auth_person WHERE created < CAST($1 AS bigint) / 1000",
}
_SAMPLE = """SELECT type, id, version FROM (SELECT type, id, version FROM resource WHERE updated < $1 UNION ALL
    SELECT type, id, version FROM history WHERE updated < $1) AS v ORDER BY random() LIMIT $2"""
Say = Callable[[str], None]


class Sample(NamedTuple):
    """A version of a resource; its document is not kept."""

    type: str
    id: str
    version: int
    is_open: bool
    """Whether the server shows it without a clearance, and it is no deletion."""


def rehearse(settings: Settings, sample: int, say: Say) -> list[str]:
    """Take a backup, restore it and compare; what is amiss in words. Raises CannotCopy."""
    with tempfile.TemporaryDirectory(prefix="hearth-rehearsal-") as name:
        folder = Path(name)
        began = time.monotonic()
        made = take(settings, folder / "backup")
        size = sum(path.stat().st_size for path in (folder / "backup").rglob("*") if path.is_file())
        say(f"backup: {size:,} bytes in {time.monotonic() - began:.1f} s")
        with scratch(settings.database_url, folder) as url:
            copy = Settings({**settings.values, **_ALONE, **_place(folder / "data", url)})
            return _restored(settings, copy, folder, made, sample, say)


def _place(data: Path, url: str) -> dict[str, Any]:
    with create_server(("127.0.0.1", 0)) as probe:
        return {"DATA_DIR": str(data), "DATABASE": url, "PORT": probe.getsockname()[1]}


def _restored(live: Settings, copy: Settings, folder: Path, made: Manifest, sample: int, say: Say) -> list[str]:
    began = time.monotonic()
    if not live.master_key:
        shutil.copytree(live.data / "keys", copy.data / "keys")
    restore(folder / "backup", copy)
    say(f"restore: {time.monotonic() - began:.1f} s")
    with _opened(live) as theirs, _opened(copy) as ours:
        waiting = time.monotonic()
        applied = ours.migrate(packages())
        say(f"migrations: {', '.join(applied) or 'none waiting'} ({time.monotonic() - waiting:.1f} s)")
        problems = _counts(theirs, ours, made.begun - SETTLED, say)
        samples, amiss = _samples(theirs, ours, made.begun - SETTLED, sample, say)
    with _served(copy) as seconds:
        say(f"server: ready {seconds:.1f} s after its start, {time.monotonic() - began:.1f} s after the restore began")
        problems += [*amiss, *_answers(copy, [each for each in samples if each.is_open], say)]
    return problems + _verified(copy, say)


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    """The store with its keys. Raises KeyProblem."""
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        ring = keyring(settings, store)
        envelope = Envelope(ring, SqlPatientKeys(store.session), encrypt=settings.at_rest == "envelope")
        store.equip(ring.current(KeyName.INDEX).secret, envelope)
        yield store
    finally:
        store.close()


def _counts(theirs: Store, ours: Store, before: int, say: Say) -> list[str]:
    problems = []
    for what, sql in _COUNTED.items():
        live, copied = (int(store.session().query(sql, (before,))[0][0]) for store in (theirs, ours))
        say(f"{what}: {copied:,}")
        problems += [f"{what}: {live:,} in the record, {copied:,} in the copy"] if live != copied else []
    return problems


def _samples(theirs: Store, ours: Store, before: int, count: int, say: Say) -> tuple[list[Sample], list[str]]:
    """Versions at random with what is amiss in them: each is opened with the keys on both sides."""
    samples, problems = [], []
    for type, id, version in ours.session().query(_SAMPLE, (before, count)):
        live, copied = (_document(store, type, id, version) for store in (theirs, ours))
        samples.append(Sample(type, id, version, bool(copied) and b"v3-Confidentiality" not in copied))
        problems += [f"{type}/{id}/_history/{version} differs in the copy"] if live != copied else []
    say(f"documents: {len(samples)} versions opened with the keys, {len(samples) - len(problems)} equal byte for byte")
    return samples, problems


def _document(store: Store, type: str, id: str, version: int) -> bytes:
    """b'' for a deletion, and for what was made unreadable for ever."""
    try:
        found = store.session().vread(type, id, version)
    except Gone:
        return b""
    except FhirError as error:
        return f"cannot be opened: {error}".encode()
    return found.doc if found else b"absent"


@contextmanager
def _served(copy: Settings) -> Iterator[float]:
    """While the API serves the copy; the seconds it took to be ready."""
    began = time.monotonic()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(_hearth("serve", "api"), env=_environment(copy), stdout=quiet, stderr=quiet)
    try:
        while not _is_ready(copy):
            if process.poll() is not None or time.monotonic() - began > _UP_SECONDS:
                raise RuntimeError("the server does not start on the copy")
            time.sleep(0.05)
        yield time.monotonic() - began
    finally:
        process.terminate()
        process.wait(60)


def _hearth(*words: str) -> list[str]:
    return [sys.executable, "-m", "fhir_server.cli", *words]


def _environment(copy: Settings) -> dict[str, str]:
    """Nothing of the live server's but what ``copy`` says."""
    others = {name: value for name, value in child_environment().items() if not name.startswith("HEARTH_")}
    return others | copy.environment()


def _is_ready(copy: Settings) -> bool:
    try:
        urllib.request.urlopen(f"{copy.issuer}/health/ready", timeout=5).close()
        return True
    except OSError:
        return False


def _answers(copy: Settings, samples: list[Sample], say: Say) -> list[str]:
    """What is amiss in the answers of the server: each version is read, each resource found by a search."""
    words = _hearth("token", "--scope", "system/*.rs")
    done = subprocess.run(words, env=_environment(copy), capture_output=True, text=True)
    if done.returncode:
        return [f"no token for the copy: {done.stderr.strip()[-300:]}"]
    token, problems = done.stdout.split()[-1], []
    for each in samples:
        read = _get(copy, f"{each.type}/{each.id}/_history/{each.version}", token)
        if read.get("id") != each.id or read.get("meta", {}).get("versionId") != str(each.version):
            problems.append(f"{each.type}/{each.id}/_history/{each.version} is not answered by the server")
    say(f"server: {len(samples) - len(problems)} of {len(samples)} versions answered")
    return problems


def _get(copy: Settings, path: str, token: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{copy.base_url}/{path}", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    except (OSError, ValueError):
        return {}


def _verified(copy: Settings, say: Say) -> list[str]:
    done = subprocess.run(_hearth("audit", "verify"), env=_environment(copy), capture_output=True, text=True)
    say(f"audit: {' '.join(done.stdout.split())}")
    return ["hearth audit verify fails on the copy"] if done.returncode else []
