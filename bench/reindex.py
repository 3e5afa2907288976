"""Bar of reindexing: resources a second on PostgreSQL, and an index that is right after kill -9 in the middle.

FHIR R4 Search (https://hl7.org/fhir/R4/search.html). A damaged index is mended by ``hearth reindex``; the process is
killed once when it has written down that it is on its way. What the tables hold then is compared with what they held.
"""

import re
import signal
import subprocess
import sys
import time
from hashlib import sha256
from typing import Any

from bench.bar import Bar, Figure, Profile
from bench.scaled import Record, record
from fhir_server.settings import load
from fhir_server.store import Session, open_store
from fhir_server.wiring import Process
from resources.repository import WHOLE_RECORD, Caller, Create

LEAST = 3_000
"""Resources a second of a walk that finds nothing wrong."""
_ORDERS = {"post": "h, o", "rng": "h, lo, hi, o", "str": "h, norm, o"}
_DAMAGE = (
    "DELETE FROM post WHERE h % 7 = 0",
    "DELETE FROM rng WHERE h % 5 = 0",
    "DELETE FROM str WHERE h % 5 = 0",
    "INSERT INTO post SELECT 42, o FROM resource WHERE rid % 11 = 0",
)


def _digests(session: Session) -> list[str]:
    """Of all rows of each table, in the order of their keys."""
    found = []
    for table, order in _ORDERS.items():
        sql = f"SELECT md5(string_agg(md5(x::text), '' ORDER BY {order})) FROM {table} x"
        found.append(sha256(str(session.query(sql)).encode()).hexdigest())
    return found


def _started(here: Record, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "fhir_server.cli", "reindex", "--quiet", "--open", *options]
    command += ["--data-dir", str(here.folder), "--database", here.url]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def _told(process: "subprocess.Popen[str]") -> tuple[int, int, float]:
    """Resources examined and put right, and the seconds it took, as the command tells."""
    _, told = process.communicate()
    found = re.search(r"(\d+) resources examined, (\d+) put right; ([0-9.]+) s", told)
    if process.returncode or not found:
        raise RuntimeError(told[-500:])
    return int(found[1]), int(found[2]), float(found[3])


def _kill_in_the_middle(here: Record, session: Session) -> bool:
    """Whether the walk was on its way when it was killed."""
    process = _started(here, "--slice", "1000")
    while process.poll() is None and not session.query("SELECT 1 FROM rebuild"):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return bool(session.query("SELECT 1 FROM rebuild"))


def measure(profile: Profile) -> Figure:
    """Walk over a right index, damage it, kill the repair, go on, compare."""
    with record(profile, profile.size(80_000)) as here:
        store: Any = open_store(here.url, timeout=300.0)
        session = store.session()
        right = _digests(session)
        examined, changed, seconds = _told(_started(here))
        same = _digests(session) == right and not changed
        for sql in _DAMAGE:
            session.query(sql)
        damaged = _digests(session) != right
        killed = _kill_in_the_middle(here, session)
        _, mended, again = _told(_started(here))
        whole = damaged and _digests(session) == right
        store.close()
    rate = examined / max(seconds, 0.1)
    notes = (
        f"{examined} resources: nothing changed where it was right: {same}",
        f"damaged, killed on its way: {killed}; {mended} put right by then, {again:.1f} s for the rest; whole: {whole}",
    )
    return Figure(f"{rate:.0f}/s", same and killed and whole and rate >= LEAST, notes)


def measure_parameter(profile: Profile) -> Figure:
    """Store a search parameter beside a record, complete its index, compare with a walk over the whole index."""
    with record(profile, profile.size(80_000)) as here:
        with Process(load({"DATABASE": here.url, "DATA_DIR": str(here.folder), "OPEN": True}, {})) as process:
            process.repository(Caller("bar", grants=WHOLE_RECORD)).commit([Create(_PARAMETER)])
        _, told = _started(here, "--parameter", _PARAMETER["url"]).communicate()
        found = re.search(r"(\d+) resources are in the index; ([0-9.]+) s", told)
        if not found:
            raise RuntimeError(told[-500:])
        _, mended, _ = _told(_started(here))
    rate = int(found[1]) / max(float(found[2]), 0.1)
    notes = (f"{found[1]} resources in {found[2]} s; a walk over the whole index then found {mended} to put right",)
    return Figure(f"{rate:.0f}/s", not mended and rate >= LEAST, notes)


_PARAMETER = {
    "resourceType": "SearchParameter", "url": "urn:bar:strength", "name": "Strength", "status": "active",
    "description": "The value of an observation.", "code": "strength", "base": ["Observation"], "type": "quantity",
    "expression": "Observation.value.ofType(Quantity) | Observation.component.value.ofType(Quantity)",
}  # fmt: skip
_TOLD = f">= {LEAST}/s on PostgreSQL, right after kill -9"
_COMPLETE = f">= {LEAST}/s on PostgreSQL, as a rebuild makes it"
BARS = (
    Bar("search: reindex", _TOLD, measure, timing=True),
    Bar("search: reindex a stored parameter", _COMPLETE, measure_parameter, timing=True),
)
