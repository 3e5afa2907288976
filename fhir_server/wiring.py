"""The one composition root: every part gets what it needs as arguments, here.

A Process is all that one process shares; ``application`` is what the HTTP servers build in each worker.
"""

import atexit
from functools import cache, partial
from multiprocessing.util import Finalize
from types import TracebackType

from capability.openapi import openapi
from capability.statement import Facts, statement
from fhir_server.at_rest import Envelope
from fhir_server.audit.search import PARAMETERS as AUDIT_EVENT_PARAMETERS
from fhir_server.audit.search import AuditEvents
from fhir_server.audit.spool import Spool
from fhir_server.http.access_log import AccessLog
from fhir_server.http.cors import Cors
from fhir_server.http.flask_app import make_flask
from fhir_server.http.metrics import Metrics
from fhir_server.interactions.dispatch import Dispatcher
from fhir_server.interactions.exchange import Service
from fhir_server.interactions.table import INTERACTIONS, RESTRICTED
from fhir_server.keys import KeyName
from fhir_server.lifeline import end_with_parent
from fhir_server.memory import keep_what_is_there, share_one_heap
from fhir_server.operations.table import OPERATIONS
from fhir_server.preparation import keyring
from fhir_server.repository import BoundRepository, Services
from fhir_server.search import SearchEngine
from fhir_server.settings import Settings, load
from fhir_server.store import Integrity, Store, open_store
from fhir_server.store.audit_sql import SqlPatientKeys, SqlTrail
from fhir_server.wsgi import Application
from resources import validation
from resources.repository import Caller

INTEGRITY = {"both": Integrity(), "deletes": Integrity(targets=False), "off": Integrity(False, False)}


class Process:
    """Store, keys, search and audit of one process; a context manager that stops what it started."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = open_store(settings.database_url, timeout=settings.statement_timeout)
        self.keyring = keyring(settings, self.store)
        sealed = settings.at_rest == "envelope"
        envelope = Envelope(self.keyring, SqlPatientKeys(self.store.session), encrypt=sealed)
        self.store.equip(self.keyring.current(KeyName.INDEX).secret, envelope)
        self.spool = Spool(settings.data / "spool", self.keyring, self.trail, sealed=sealed)
        self.engine = SearchEngine(
            self.store,
            self.keyring.current(KeyName.PAGE).secret,
            default_count=settings.page_count,
            max_count=settings.page_count_max,
            base=settings.base_url,
        )
        self.audit_events = AuditEvents(
            self.store.session,
            self.engine.cursors,
            settings.base_url,
            page_size=settings.page_count,
            most=settings.page_count_max,
        )
        self.spool.start()

    def trail(self) -> SqlTrail:
        """The audit tables for the calling thread."""
        return SqlTrail(self.store.session())

    def services(self, integrity: Integrity) -> Services:
        return Services(
            store=self.store,
            engine=self.engine,
            audit_events=self.audit_events,
            note=self.spool.append,
            chain_key=self.keyring.current(KeyName.AUDIT_CHAIN).secret,
            base=self.settings.base_url,
            integrity=integrity,
        )

    def repository(self, caller: Caller, integrity: Integrity | None = None) -> BoundRepository:
        """The record as ``caller`` may see and change it; ``integrity`` other than the setting's is for bulk loads."""
        return BoundRepository(self.services(integrity or INTEGRITY[self.settings.referential_integrity]), caller)

    def close(self) -> None:
        """Store what waits in the spool and close the connections."""
        self.spool.stop()
        self.store.close()

    def __enter__(self) -> "Process":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def application() -> Application:
    """The WSGI application of a worker process, from the settings in the environment."""
    share_one_heap()
    end_with_parent()
    settings = load()
    validation.prepare()  # so that no first request waits for it
    process = Process(settings)
    made = compose(process)
    made.accounts.start()
    # Servers end their workers in different ways; whichever comes first closes, the second finds nothing to do.
    for close in (process.close, made.accounts.stop):
        atexit.register(close)
        Finalize(process, close, exitpriority=10)
    keep_what_is_there()
    return made


def compose(process: Process) -> Application:
    """The WSGI application over ``process``."""
    settings = process.settings
    services = process.services(INTEGRITY[settings.referential_integrity])
    metrics = Metrics(str(settings.metrics_dir))
    facts = Facts(
        enforced=settings.referential_integrity == "both",
        restricted=RESTRICTED,
        security={"cors": bool(settings.cors_origins)},
        searched_apart={"AuditEvent": AUDIT_EVENT_PARAMETERS},
    )

    @cache
    def capability_statement() -> bytes:
        return statement(settings.base_url, INTERACTIONS, OPERATIONS, facts)

    @cache
    def api_description() -> bytes:
        return openapi(settings.base_url, INTERACTIONS, OPERATIONS)

    @cache  # a schema that is current stays so; only refusals are asked again
    def schema_is_current() -> None:
        _refuse_old_schema(process.store)

    return Application(
        service=Service(
            base=settings.base_url,
            statement=capability_statement,
            body_max=settings.body_max,
            page_count=settings.page_count,
            page_count_max=settings.page_count_max,
            lenient=settings.search_handling == "lenient",
        ),
        dispatcher=Dispatcher(INTERACTIONS, OPERATIONS, RESTRICTED),
        repository_for=partial(BoundRepository, services),
        rim=make_flask(
            settings.base_url,
            api_description,
            {"database": lambda: _ping(process.store), "migrations": schema_is_current},
            metrics,
            settings.metrics_hosts,
        ).wsgi_app,
        metrics=metrics,
        cors=Cors(settings.cors_origins),
        note=process.spool.append,
        access_log=AccessLog() if settings.log_level in ("debug", "info") else None,
    )


def _ping(store: Store) -> None:
    store.session().query("SELECT 1")


def _refuse_old_schema(store: Store) -> None:
    waiting = store.pending()
    if waiting:
        raise RuntimeError(f"migrations not applied: {', '.join(waiting)}")
