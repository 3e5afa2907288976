"""A repository over a real store, with the audit records of reads kept in a list."""

import pytest

from fhir_server.audit.record import AuditRecord
from fhir_server.repository import BoundRepository, Services
from fhir_server.search import SearchEngine
from fhir_server.store import Integrity, Store
from resources.repository import WHOLE_RECORD, Caller, SearchPage, SearchRequest, Version

BASE = "https://fhir.example.org/fhir"


class NoAuditEvents:
    """The audit trail read as FHIR has tests of its own."""

    def read(self, caller: Caller, id: str) -> Version:
        raise AssertionError

    def search(self, caller: Caller, request: SearchRequest) -> SearchPage:
        raise AssertionError


@pytest.fixture
def noted() -> list[AuditRecord]:
    return []


@pytest.fixture
def services(store: Store, noted: list[AuditRecord]) -> Services:
    engine = SearchEngine(store, b"link key of the tests, 32 bytes.")
    return Services(
        store, engine, NoAuditEvents(), noted.extend, b"chain key of the tests 32 bytes.", BASE, Integrity()
    )


@pytest.fixture
def repository(services: Services) -> BoundRepository:
    return BoundRepository(services, Caller("Practitioner/1", request_id="r1", grants=WHOLE_RECORD))
