"""A small record for the tests of searches: resources written as the repository writes them."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from fhir_server.search import SearchEngine
from fhir_server.store import Integrity, Session, Store, Stored, Write
from resources.repository import WHOLE_RECORD, Caller, SearchPage, SearchRequest
from resources.search_param import extract

OPEN = Caller("open", grants=WHOLE_RECORD)
NOW = 1_700_000_000_000


class Record:
    """Puts resources into a store and searches them."""

    def __init__(self, store: Store, **options: Any) -> None:
        self.store = store
        self.engine = SearchEngine(store, b"link key of the tests", **options)
        self.clock = NOW

    @property
    def session(self) -> Session:
        return self.store.session()

    def put(self, *resources: dict[str, Any]) -> None:
        for resource in resources:
            self.clock += 1000
            type, id = resource["resourceType"], resource["id"]
            old = self.session.read(type, id)
            before = extract(msgspec.json.decode(old.doc)) if old and old.doc else None
            version = old.version + 1 if old else 1
            body = {**resource, "meta": {**resource.get("meta", {}), "versionId": str(version)}}
            doc = msgspec.json.encode(body)
            write = Write(type, id, "PUT", version, self.clock, doc, extract(body), old, before)
            self.session.write(write, integrity=Integrity(False, False))

    def delete(self, type: str, id: str) -> None:
        old = self.session.read(type, id)
        assert old
        before = extract(msgspec.json.decode(old.doc))
        self.session.write(
            Write(type, id, "DELETE", old.version + 1, self.clock, b"", None, old, before),
            integrity=Integrity(False, False),
        )

    def page(
        self, query: str, caller: Caller = OPEN, of: tuple[str, str] | None = None, lenient: bool = False
    ) -> SearchPage:
        """``Patient?name=x``; the part before ``?`` is empty for a search of all types."""
        type, _, text = query.partition("?")
        params = tuple(parse_qsl(text, keep_blank_values=True))
        return self.engine.search(self.session, caller, SearchRequest(type, params, of, lenient))

    def ids(self, query: str, caller: Caller = OPEN, of: tuple[str, str] | None = None) -> list[str]:
        """The matches of the first page."""
        return [hit.version.id for hit in self.page(query, caller, of).hits if hit.mode == "match"]

    def included(self, query: str, caller: Caller = OPEN) -> set[str]:
        """References to the included resources of the first page."""
        return {hit.version.reference for hit in self.page(query, caller).hits if hit.mode == "include"}

    def walk(self, query: str, caller: Caller = OPEN) -> list[str]:
        """The matches of all pages, by their next links."""
        type = query.partition("?")[0]
        page = self.page(query, caller)
        found = [hit.version.id for hit in page.hits if hit.mode == "match"]
        while "next" in page.links:
            page = self.page(f"{type}?{page.links['next']}", caller)
            found += [hit.version.id for hit in page.hits if hit.mode == "match"]
        return found

    def matches(self, type: str, criteria: str) -> list[Stored]:
        return self.engine.matches(self.session, OPEN, type, criteria)


def patient(
    id: str, family: str, given: str = "A", gender: str = "female", birth: str = "1980-01-01", **more: Any
) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "id": id, "name": [{"family": family, "given": [given]}], "gender": gender,
        "birthDate": birth, "identifier": [{"system": "urn:mrn", "value": f"mrn-{id}"}], **more,
    }  # fmt: skip


def observation(id: str, of: str, code: str, when: str | None = None, value: float = 1, **more: Any) -> dict[str, Any]:
    effective = {"effectiveDateTime": when} if when else {}
    return {
        "resourceType": "Observation", "id": id, "status": "final", "subject": {"reference": f"Patient/{of}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": f"Display {code}"}]},
        "valueQuantity": {"value": value, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        **effective, **more,
    }  # fmt: skip


def two_charts(store: Store) -> Record:
    """Two patients with a dozen observations, of whom one has a visit and a clinic, the other a practitioner."""
    made = Record(store)
    made.put(
        {"resourceType": "Organization", "id": "o1", "name": "Clinic"},
        {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "House"}]},
        patient("p1", "Smith", "Ann", managingOrganization={"reference": "Organization/o1"}),
        patient("p2", "Smythe", "Bob", "male", "1990-05-05", generalPractitioner=[{"reference": "Practitioner/d1"}]),
        {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"},
         "subject": {"reference": "Patient/p1"},
         "period": {"start": "2020-01-02T08:00:00Z", "end": "2020-01-04T08:00:00Z"}},
    )  # fmt: skip
    for n in range(6):
        made.put(observation(f"a{n}", "p1", "8302-2", f"2020-01-{n + 1:02d}T10:00:00Z", n))
        made.put(observation(f"b{n}", "p2", "29463-7", f"2020-01-{n + 1:02d}", n))
    made.put(observation("c0", "p1", "718-7", None, 9, encounter={"reference": "Encounter/e1"}))
    return made
