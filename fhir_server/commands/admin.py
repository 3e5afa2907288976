"""``hearth migrate``, ``hearth check`` and ``hearth audit verify``."""

from collections.abc import Callable

from fhir_server.audit.verify import verify
from fhir_server.keys import KeyProblem
from fhir_server.preparation import keyring, packages
from fhir_server.settings import Settings
from fhir_server.store import SchemaTooNew, open_store
from fhir_server.store.audit_sql import SqlTrail
from fhir_server.store.durability import weaknesses
from resources.errors import FhirError


def migrate(settings: Settings) -> int:
    """Bring the schema up to date and say what was done."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        applied = store.migrate(packages())
    finally:
        store.close()
    print("\n".join(f"applied {name}" for name in applied) or "the schema is up to date")
    return 0


def check(settings: Settings) -> int:
    """Try what a start needs, one on the ground of the other, and print a line for each; 1 at the first failure."""
    return 0 if all(_tried(name, probe, settings) for name, probe in _PROBES.items()) else 1


def audit_verify(settings: Settings) -> int:
    """Walk the whole audit trail; 1 and the first bad place when it was tampered with."""
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        ring = keyring(settings, store)
        report = verify(SqlTrail(store.session()), ring, witness=settings.data / "audit-witness")
    finally:
        store.close()
    print(f"{report.rows} rows in {report.chains} chains, {report.checkpoints} checkpoints, {report.unsigned} unsigned")
    print("\n".join(f"BAD {problem}" for problem in report.problems) or "the audit trail is whole")
    return 0 if report.ok else 1


def _database(settings: Settings) -> str:
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        store.session().query("SELECT 1")
        return f"{store.dialect} answers"
    finally:
        store.close()


def _schema(settings: Settings) -> str:
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        waiting = store.pending(packages())
    finally:
        store.close()
    if waiting:
        raise SchemaTooOld(f"run `hearth migrate`; waiting: {', '.join(waiting)}")
    return "up to date"


def _keys(settings: Settings) -> str:
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        keyring(settings, store)
    finally:
        store.close()
    return "the master key opens them"


class SchemaTooOld(Exception):
    """Migrations are waiting."""


def _durability(settings: Settings) -> str:
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        found = weaknesses(store.session())
    finally:
        store.close()
    if found:
        return "\n  ".join(f"WARNING: {weakness}" for weakness in found)
    return "one file: back it up" if store.dialect == "sqlite" else "what is answered is on a standby's disk too"


_PROBES: dict[str, Callable[[Settings], str]] = {
    "database": _database,
    "schema": _schema,
    "keys": _keys,
    "durability": _durability,
}


def _tried(name: str, probe: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        print(f"{name}: {probe(settings)}")
    except (FhirError, KeyProblem, SchemaTooNew, SchemaTooOld, OSError) as error:
        print(f"{name}: FAILED: {error}")
        return False
    return True
