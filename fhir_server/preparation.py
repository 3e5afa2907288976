"""What must be there before anything serves: the data folder, the schema, the keys.

Light to import, so that the supervisor and the parents of HTTP workers stay small.
"""

from fhir_server.keys import KeyName, Keyring, MasterKey
from fhir_server.settings import Settings
from fhir_server.store import Store, open_store
from fhir_server.store.audit_sql import SqlKeyRows


def prepare(settings: Settings) -> None:
    """Make the data folder, the schema and the keys; safe when several processes start at once."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = open_store(settings.database_url, timeout=settings.statement_timeout)
    try:
        store.migrate()
        ring = keyring(settings, store)
        for name in KeyName:
            ring.current(name)
    finally:
        store.close()


def keyring(settings: Settings, store: Store) -> Keyring:
    """The keys in the database, opened with the master key. Raises KeyProblem."""
    return Keyring(MasterKey.load(settings.master_key, settings.data / "keys"), SqlKeyRows(store.session))
