"""What must be there before anything serves: the data folder, the schema, the keys.

Light to import, so that the supervisor and the parents of HTTP workers stay small.
"""

from collections.abc import Mapping, Sequence
from time import time

from capability.rows import Migration
from fhir_server.keys import KeyName, Keyring, MasterKey
from fhir_server.settings import Settings
from fhir_server.store import Store, open_store
from fhir_server.store.audit_sql import SqlKeyRows, SqlTrail


def prepare(settings: Settings) -> None:
    """Make the data folder, the schema and the keys; safe when several processes start at once. Raises SettingError
    for a file of the site that cannot be used."""
    from fhir_server.billing.tariff import read_tariff

    read_tariff(settings.tariff_file)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        store.migrate(packages())
        ring = keyring(settings, store)
        for name in KeyName:
            ring.current(name)
    finally:
        store.close()


def first_link(settings: Settings) -> str:
    """The one-time link by which the first administrator logs in; '' when one has done so."""
    from fhir_server.audit.spool import Spool
    from fhir_server.authorization.administrator import first_administrator
    from fhir_server.authorization.note import Notes
    from smart_auth.records import SqlRecords, engine_for

    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    engine = engine_for(settings.database_url)
    try:
        ring = keyring(settings, store)
        spool = Spool(settings.data / "spool", ring, lambda: trail, sealed=settings.at_rest == "envelope")
        trail = SqlTrail(store.session())
        secret = first_administrator(SqlRecords(engine), Notes(spool.append), lambda: int(time()))
        spool.close(trail)
    finally:
        engine.dispose()
        store.close()
    return f"{settings.issuer}/auth/link/{secret}" if secret else ""


def packages() -> Mapping[str, Sequence[Migration]]:
    """The migrations of the packages beside the store, in the order in which they are applied."""
    # SQLAlchemy is loaded only when the schema is in question.
    from fhir_server.outbox.tables import MIGRATIONS as OUTBOX
    from fhir_server.scheduling.taken import MIGRATIONS as SCHEDULING
    from hl7_bridge.journal.tables import MIGRATIONS as BRIDGE
    from smart_auth.records.tables import MIGRATIONS as AUTHORIZATION
    from video.visit.tables import MIGRATIONS as VISITS

    return {
        "smart_auth": AUTHORIZATION,
        "hl7_bridge": BRIDGE,
        "video": VISITS,
        "scheduling": SCHEDULING,
        "outbox": OUTBOX,
    }


def keyring(settings: Settings, store: Store) -> Keyring:
    """The keys in the database, opened with the master key. Raises KeyProblem."""
    return Keyring(MasterKey.load(settings.master_key, settings.data / "keys"), SqlKeyRows(store.session))
