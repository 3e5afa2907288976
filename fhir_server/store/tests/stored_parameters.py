"""SearchParameters and resources for the tests of stored search parameters, written through the repository."""

from typing import Any

from fhir_server.repository.bound import BoundRepository
from fhir_server.repository.services import Services
from fhir_server.search import SearchEngine
from fhir_server.store import Integrity, Store
from fhir_server.store.fill import Progress, fill, sweep, waiting
from fhir_server.store.parameter_sql import WHOLE
from resources.repository import WHOLE_RECORD, Caller, Grants, Put, SearchPage, SearchRequest, Version

TABLES = ("post", "rng", "str", "dic")
COLOUR = "https://h.example/colour"
WHOEVER = Caller("Practitioner/1", request_id="r1", grants=WHOLE_RECORD)


class NoEvents:
    """There are no audit events to read here."""

    def read(self, caller: Caller, id: str) -> Version:
        raise AssertionError

    def search(self, caller: Caller, request: SearchRequest) -> SearchPage:
        raise AssertionError


def repository_on(store: Store, grants: Grants = WHOLE_RECORD) -> BoundRepository:
    engine = SearchEngine(store, b"link key of the tests, 32 bytes.")
    services = Services(
        store, engine, NoEvents(), lambda record: None, b"chain key of the tests 32 bytes.", "https://x", Integrity()
    )
    return BoundRepository(services, Caller("Practitioner/1", request_id="r1", grants=grants))


def parameter(code: str = "colour", kind: str = "token", value: str = "as code", **more: Any) -> dict[str, Any]:
    """A SearchParameter for the extension COLOUR of patients."""
    return {
        "resourceType": "SearchParameter", "id": code, "url": f"https://h.example/{code}", "name": "Mine",
        "status": "active", "description": "Mine", "code": code, "base": ["Patient"], "type": kind,
        "expression": f"Patient.extension.where(url='{COLOUR}').value {value}", **more,
    }  # fmt: skip


def patient(n: int, colour: str = "", **more: Any) -> dict[str, Any]:
    extension = {"extension": [{"url": COLOUR, "valueCode": colour}]} if colour else {}
    name = [{"family": f"Family{n}"}]
    return {"resourceType": "Patient", "id": f"p{n}", "name": name, "birthDate": "1980-02", **extension, **more}


def put(repository: BoundRepository, *resources: dict[str, Any]) -> None:
    for resource in resources:
        repository.commit([Put(resource, resource["resourceType"], resource["id"])])


def found(repository: BoundRepository, type: str, **query: str) -> list[str]:
    """The ids of the matches, in order."""
    page = repository.search(SearchRequest(type, tuple(query.items())))
    return [hit.version.id for hit in page.hits if hit.mode == "match"]


def work(store: Store) -> list[Progress]:
    """All that waits, as the worker does it."""
    steps: list[Progress] = []
    while todo := waiting(store):
        steps += sweep(store) if todo[0].n == WHOLE else fill(store, todo[0].n)
    return steps


def tables(store: Store) -> list[list[Any]]:
    return [sorted(store.session().query(f"SELECT * FROM {name}")) for name in TABLES]
