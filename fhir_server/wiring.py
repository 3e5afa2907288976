"""The one composition root: every part gets what it needs as arguments, here.

A Process is all that one process shares; ``application`` is what the HTTP servers build in each worker.
"""

import atexit
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, partial
from multiprocessing.util import Finalize
from time import time
from types import TracebackType
from typing import TYPE_CHECKING

from capability.openapi import openapi
from capability.rows import Operation
from capability.statement import Facts, Smart, statement
from fhir_server.at_rest import Envelope
from fhir_server.audit.refusals import Refusals
from fhir_server.audit.search import PARAMETERS as AUDIT_EVENT_PARAMETERS
from fhir_server.audit.search import AuditEvents
from fhir_server.audit.spool import Spool
from fhir_server.http.access_log import AccessLog
from fhir_server.http.cors import Cors
from fhir_server.http.flask_app import make_flask
from fhir_server.http.metrics import Metrics
from fhir_server.http.this_machine import ThisMachine
from fhir_server.interactions.dispatch import Dispatcher
from fhir_server.interactions.exchange import Service
from fhir_server.interactions.table import INTERACTIONS, RESTRICTED
from fhir_server.keys import KeyName
from fhir_server.lifeline import end_with_parent
from fhir_server.memory import keep_what_is_there, share_one_heap
from fhir_server.operations.table import OPERATIONS
from fhir_server.page_table import PAGES, Premises, blueprints, milliseconds
from fhir_server.preparation import keyring, packages
from fhir_server.repository import BoundRepository, Services
from fhir_server.search import SearchEngine
from fhir_server.settings import Settings, load
from fhir_server.store import Integrity, Store, open_store
from fhir_server.store.audit_sql import SqlPatientKeys, SqlTrail
from fhir_server.wsgi import Application
from resources import validation
from resources.repository import Caller
from resources.search_param.registry import Registry, using

if TYPE_CHECKING:  # a server without authentication does without what these load
    from flask import Flask

    from fhir_server.authorization.note import Notes
    from fhir_server.http.request import Request
    from fhir_server.pages.hl7 import Console
    from hl7_bridge.journal import SqlJournal
    from smart_auth.revocations import RevocationList
    from smart_auth.service import AuthService

INTEGRITY = {"both": Integrity(), "deletes": Integrity(targets=False), "off": Integrity(False, False)}


@dataclass(frozen=True, slots=True)
class Authorization:
    """The authorization server of one process. ``dispose`` closes its connections."""

    service: "AuthService"
    revocations: "RevocationList"
    notes: "Notes"
    dispose: Callable[[], None]


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
        self.refusals = Refusals(self.spool.append)
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

    @cached_property
    def authorization(self) -> Authorization:
        """Made when first asked for."""
        from fhir_server.authorization.chart import RecordChart
        from fhir_server.authorization.note import Notes
        from fhir_server.authorization.sealer import KeyringSealer
        from smart_auth.people.second_factor import Required
        from smart_auth.records import SqlRecords, engine_for
        from smart_auth.revocations import RevocationList
        from smart_auth.service import AuthService, HostPage
        from smart_auth.signing_keys import SigningKeys

        engine = engine_for(self.settings.database_url)
        records, sealer = SqlRecords(engine), KeyringSealer(self.keyring)
        notes = Notes(self.spool.append, self.refusals)
        revocations = RevocationList(records, _now)
        service = AuthService(
            base=self.settings.base_url,
            records=records,
            chart=RecordChart(self.repository, lambda wanted: self.store.session().exists_many(wanted)),
            sealer=sealer,
            note=notes,
            now=_now,
            keys=SigningKeys(records, sealer, _now),
            revoked=revocations.revoked,
            loopback_http=self.settings.local,
            second_factor=Required(self.settings.second_factor) if self.settings.second_factor else None,
            host_pages=tuple(HostPage(p.name, p.path, p.text, p.is_for) for p in PAGES),
        )
        return Authorization(service, revocations, notes, engine.dispose)

    @cached_property
    def journal(self) -> "SqlJournal":
        """The HL7 v2 journal, made when first asked for; the record's commits then know its marks."""
        from fhir_server.hl7 import journal_of

        journal = journal_of(self)
        journal.stamps.query = lambda sql, params: self.store.session().query(sql, params)
        return journal

    @cached_property
    def console(self) -> "Console":
        """What the console of the HL7 v2 bridge works on."""
        from fhir_server.pages.hl7 import Console
        from hl7_bridge.site.files import read_site

        site = partial(read_site, self.settings.hl7_site)
        return Console(self.journal, site, self.repository, self.spool.append, milliseconds)

    def close(self) -> None:
        """Store what waits in the spool and close the connections."""
        if "journal" in self.__dict__:
            self.journal.close()
        if "authorization" in self.__dict__:
            self.authorization.revocations.stop()
            self.authorization.dispose()
        self.refusals.settle(last=True)
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
    metrics.watch("spool", lambda: process.spool.backlog)
    premises = Premises(process)
    operations = _operations(premises)
    rim = _rim(process, operations, metrics)
    here = ThisMachine(settings.base_url, settings.cors_origins)
    caller_of, smart = (here, None) if settings.open else secured(process, rim, metrics)
    for pages in blueprints(premises, here):
        rim.register_blueprint(pages)
    _gauge(process, metrics)
    facts = Facts(
        enforced=settings.referential_integrity == "both",
        restricted=RESTRICTED,
        security={"cors": bool(settings.cors_origins)},
        searched_apart={"AuditEvent": AUDIT_EVENT_PARAMETERS},
        smart=smart,
    )

    @lru_cache(1)
    def stated(registry: Registry) -> bytes:
        with using(registry):
            return statement(settings.base_url, INTERACTIONS, operations, facts)

    return Application(
        service=Service(
            base=settings.base_url,
            statement=lambda: stated(process.store.parameters.latest()),
            body_max=settings.body_max,
            page_count=settings.page_count,
            page_count_max=settings.page_count_max,
            lenient=settings.search_handling == "lenient",
        ),
        dispatcher=Dispatcher(INTERACTIONS, operations, RESTRICTED),
        repository_for=partial(BoundRepository, services),
        rim=rim.wsgi_app,
        metrics=metrics,
        cors=Cors(settings.cors_origins),
        caller_of=caller_of,
        note=process.spool.append,
        refusals=process.refusals,
        access_log=AccessLog() if settings.log_level in ("debug", "info") else None,
        proxies=settings.proxies,
    )


def _operations(premises: Premises) -> tuple[Operation, ...]:
    """Those of visits only where there are visits to join."""
    from fhir_server.operations.billing import billing_operations
    from fhir_server.operations.reindex import reindex_operations
    from fhir_server.operations.scheduling import scheduling_operations

    reindexing = reindex_operations(premises.process.store, premises.process.spool.append)
    always = (*OPERATIONS, *reindexing, *billing_operations(premises.charging))
    if premises.visits is None:
        return (*always, *scheduling_operations(premises.diary, None))
    from fhir_server.operations.visit import Held, visit_operations

    at, note = premises.visits, premises.process.spool.append
    return (*always, *visit_operations(at, note), *scheduling_operations(premises.diary, Held(at, note)))


def _gauge(process: Process, metrics: Metrics) -> None:
    """How the bridge, the spool of visits and letters to patients stand."""
    from fhir_server.hl7_gauges import JournalGauges

    metrics.add(JournalGauges(process.console.watch, process.console.now))
    if process.settings.video:
        from fhir_server.video import counts
        from fhir_server.video_gauges import SpoolGauges

        metrics.add(SpoolGauges(partial(counts, process)))
    if process.settings.letters:
        from fhir_server.outbox_gauges import LetterGauges
        from fhir_server.reminders import now, queue

        metrics.add(LetterGauges(queue(process), now))


def _rim(process: Process, operations: tuple[Operation, ...], metrics: Metrics) -> "Flask":
    """What lies beside the FHIR base."""
    settings = process.settings

    @cache
    def api_description() -> bytes:
        return openapi(settings.base_url, INTERACTIONS, operations)

    @cache  # a schema that is current stays so; only refusals are asked again
    def schema_is_current() -> None:
        _refuse_old_schema(process.store)

    probes: dict[str, Callable[[], None]] = {"database": lambda: _ping(process.store), "migrations": schema_is_current}
    if not settings.open:
        probes["revocations"] = process.authorization.revocations.refuse_when_old
    return make_flask(settings.base_url, api_description, probes, metrics, settings.metrics_hosts)


def secured(process: Process, rim: "Flask", metrics: Metrics) -> "tuple[Callable[[Request], Caller], Smart]":
    """Puts the authorization server on ``rim``; who a request comes from, and what the statement says of it."""
    from fhir_server.authorization.callers import Callers
    from smart_auth.discovery import smart_security
    from smart_auth.endpoints import blueprint
    from smart_auth.endpoints.protocol import routes

    service = process.authorization.service
    rim.register_blueprint(blueprint(service))
    process.authorization.notes.listeners.append(lambda told: metrics.told(told.event, told.ok))
    metrics.watch("revocations", process.authorization.revocations.age)
    process.authorization.revocations.start()
    service.keys.jwks()  # made now, so that no first log-in waits for it
    with rim.app_context():
        return Callers(service.verifier.claims), smart_security(service.issuer, routes())


def _now() -> int:
    return int(time())


def _ping(store: Store) -> None:
    store.session().query("SELECT 1")


def _refuse_old_schema(store: Store) -> None:
    waiting = store.pending(packages())
    if waiting:
        raise RuntimeError(f"migrations not applied: {', '.join(waiting)}")
