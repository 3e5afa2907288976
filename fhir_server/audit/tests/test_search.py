"""Tests of AuditEvent read and search, on both databases."""

import json
import time
from base64 import b64decode
from urllib.parse import parse_qsl

import msgspec
import pytest

from fhir_server.audit.chain import Chain
from fhir_server.audit.record import Interaction, Outcome, event
from fhir_server.audit.render import event_id
from fhir_server.audit.search import PARAMETERS, AuditEvents
from fhir_server.search.cursor import Cursors
from fhir_server.store.audit_sql import SqlTrail
from resources.errors import BadSearch, Forbidden, NotFound
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants, SearchRequest

AUDITOR = Caller("Practitioner/auditor", grants=WHOLE_RECORD)
NOW = int(time.time()) * 1_000_000
YEAR = 365 * 24 * 3_600_000_000

EVENTS = [
    (0, Interaction.READ, "Practitioner/1", "Patient/1", "Observation/1/_history/1", 0),
    (1, Interaction.SEARCH_TYPE, "Practitioner/1", "Patient/1", "Observation", 0),
    (2, Interaction.SEARCH_TYPE, "Practitioner/1", "Patient/2", "Observation", 0),
    (3, Interaction.CREATE, "Practitioner/2", "Patient/2", "Observation/10/_history/1", 0),
    (4, Interaction.READ, "Practitioner/2", "", "Patient/3", 4),
    (5, Interaction.LOGIN, "Dr. Åse", "", "", 0),
    (6, Interaction.DELETE, "Practitioner/2", "Patient/1", "Observation/1/_history/2", 0),
]


@pytest.fixture
def rows(store):
    """One event a year, oldest first, the last of them now; one of another tenant."""
    chain = Chain(b"k" * 32)
    made = []
    for year, interaction, who, patient, entity, outcome in EVENTS:
        caller = Caller(who, "app" if year else "Device/9", address=f"10.0.0.{year}")
        about = {"patient": patient, "entity": entity, "detail": f"n={year}"}
        record = event(caller, interaction, outcome=Outcome(outcome), **about)
        made += chain.extend([msgspec.structs.replace(record, recorded=NOW - (6 - year) * YEAR)])
    foreign = chain.extend([msgspec.structs.replace(record, tenant=5)])
    SqlTrail(store.session()).insert([*made, *foreign])
    return made


@pytest.fixture
def events(store, rows):
    return AuditEvents(store.session, Cursors(b"p" * 32), "https://fhir.example.org/fhir")


def ask(events, query, caller=AUDITOR, **fields):
    return events.search(caller, SearchRequest("AuditEvent", tuple(parse_qsl(query, keep_blank_values=True)), **fields))


def found(rows, page):
    ids = {event_id(row.chain, row.n): place for place, row in enumerate(rows)}
    return [ids[hit.version.id] for hit in page.hits]


QUERIES = [
    ("", [6, 5, 4, 3, 2, 1, 0]),
    ("_sort=date", [0, 1, 2, 3, 4, 5, 6]),
    ("_sort=-date&_count=2", [6, 5]),
    ("patient=Patient/1", [6, 1, 0]),
    ("patient=1,2", [6, 3, 2, 1, 0]),
    ("patient:Patient=2", [3, 2]),
    ("patient=", [6, 5, 4, 3, 2, 1, 0]),
    ("agent=Practitioner/1", [2, 1, 0]),
    ("agent=1", [2, 1, 0]),
    ("agent=Device/9", [0]),
    ("agent-name=dr", [5]),
    ("address=10.0.0.3", [3]),
    ("action=D", [6]),
    ("action=http://hl7.org/fhir/audit-event-action|E", [5, 2, 1]),
    ("action=http://example.org|E", []),
    ("action:not=E,R", [6, 3]),
    ("outcome=4", [4]),
    ("outcome=0,4&action=R", [4, 0]),
    ("entity=Observation/1", [6, 0]),
    ("entity=Observation/1/_history/2", [6]),
    ("entity=Patient/1", [6, 1, 0]),
    ("entity=Patient/3", [4]),
    ("type=rest", [6, 4, 3, 2, 1, 0]),
    ("type=http://dicom.nema.org/resources/ontology/DCM|110114", [5]),
    ("type:not=rest", [5]),
    ("subtype=search-type", [2, 1]),
    ("subtype=http://hl7.org/fhir/restful-interaction|read,110122", [5, 4, 0]),
    ("subtype=nothing", []),
    ("patient=1&action=E", [1]),
]


def test_each_parameter(events, rows):
    for query, expected in QUERIES:
        assert found(rows, ask(events, query)) == expected, query


def stamp(micros):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(micros // 1_000_000))


PREFIXES = [
    ("", [3]),
    ("eq", [3]),
    ("ne", [6, 5, 4, 2, 1, 0]),
    ("gt", [6, 5, 4]),
    ("ge", [6, 5, 4, 3]),
    ("lt", [2, 1, 0]),
    ("le", [3, 2, 1, 0]),
    ("sa", [6, 5, 4]),
    ("eb", [2, 1, 0]),
]


def test_each_date_prefix(events, rows):
    moment = stamp(rows[3].recorded)
    for prefix, expected in PREFIXES:
        assert found(rows, ask(events, f"date={prefix}{moment}")) == expected, prefix
        assert found(rows, ask(events, f"_lastUpdated={prefix}{moment}")) == expected, prefix


def test_date_ranges_and_alternatives(events, rows):
    assert found(rows, ask(events, f"date=ge{stamp(rows[2].recorded)}&date=lt{stamp(rows[4].recorded)}")) == [3, 2]
    assert found(rows, ask(events, f"date={stamp(rows[1].recorded)},{stamp(rows[5].recorded)}")) == [5, 1]
    assert 3 in found(rows, ask(events, f"date=ap{stamp(rows[3].recorded)}"))


def test_ids_are_read_and_searched(events, rows):
    ids = [event_id(row.chain, row.n) for row in rows]
    assert json.loads(events.read(AUDITOR, ids[2]).doc)["id"] == ids[2]
    assert found(rows, ask(events, f"_id={ids[2]},{ids[4]},other")) == [4, 2]
    for absent in ("other", ids[0][:-1] + "99"):
        with pytest.raises(NotFound):
            events.read(AUDITOR, absent)


def test_pages_meet_without_gap_or_double(events, rows):
    for query in ("", "_sort=date&", "patient=1&", "action=E,R,C&"):
        for size in (1, 2, 3):
            walk_there_and_back(events, rows, query, size)


def walk_there_and_back(events, rows, query, size):
    whole = found(rows, ask(events, query.rstrip("&")))
    page = ask(events, f"{query}_count={size}")
    seen, pages = found(rows, page), [page]
    while "next" in page.links:
        page = ask(events, page.links["next"])
        seen += found(rows, page)
        pages.append(page)
    assert seen == whole
    for earlier in reversed(pages[:-1]):
        page = ask(events, page.links["previous"])
        assert found(rows, page) == found(rows, earlier)
    assert "previous" not in page.links


def test_new_events_do_not_disturb_the_pages(events, rows, store):
    page = ask(events, "_count=3")
    SqlTrail(store.session()).insert(Chain(b"x" * 32).extend([event(AUDITOR, Interaction.READ)]))
    assert found(rows, ask(events, page.links["next"])) == [3, 2, 1]


def test_total_and_count(events, rows):
    assert ask(events, "patient=1").total is None
    page = ask(events, "patient=1&_total=accurate&_count=1")
    assert (page.total, len(page.hits)) == (3, 1)
    page = ask(events, "action=E&_summary=count")
    assert (page.total, page.hits, page.summary) == (3, (), "count")
    assert ask(events, "_elements=id,agent").elements == ("id", "agent")


def test_the_self_link_shows_what_was_applied(events, rows):
    assert ask(events, "patient=1&_format=json&_count=2").links["self"] == "patient=1&_count=2"


def test_a_page_link_is_for_its_caller_and_query(events, rows):
    link = ask(events, "_count=2").links["next"]
    with pytest.raises(Forbidden):
        ask(events, link, Caller("Practitioner/other", grants=WHOLE_RECORD))
    with pytest.raises(BadSearch):
        ask(events, link.replace("_count=2", "_count=3"))


REFUSED = [
    "patent=1",
    "patient:exact=1",
    "date=yesterday",
    "action=X",
    "outcome=9",
    "entity=1",
    "_count=-1",
    "_sort=agent",
    "_total=maybe",
    "_summary=most",
    "site=x",
    "patient.name=a",
    "_cursor=abc",
]


def test_what_is_not_understood_is_refused(events, rows):
    for query in REFUSED:
        with pytest.raises(BadSearch):
            ask(events, query)


def test_a_lenient_search_says_what_it_ignored(events, rows):
    page = ask(events, "patent=1&action=D", lenient=True)
    assert found(rows, page) == [6]
    assert "patent" in page.issues[0].text and "patent" not in page.links["self"]


def test_a_patient_sees_the_own_trail_only(events, rows):
    patient = Caller("Patient/2", grants=Grants((Grant("AuditEvent", "rs", compartment=("Patient", "2")),)))
    assert found(rows, ask(events, "", patient)) == [3, 2]
    assert found(rows, ask(events, "patient=1", patient)) == []
    assert found(rows, ask(events, f"_id={event_id(rows[0].chain, rows[0].n)}", patient)) == []
    assert events.read(patient, event_id(rows[2].chain, rows[2].n))
    with pytest.raises(NotFound):
        events.read(patient, event_id(rows[0].chain, rows[0].n))
    for act in (lambda c: ask(events, "", c), lambda c: events.read(c, event_id(rows[0].chain, rows[0].n))):
        with pytest.raises(Forbidden):
            act(Caller("Practitioner/1", grants=Grants((Grant("*", "rs", compartment=("Practitioner", "1")),))))
        with pytest.raises(Forbidden):
            act(Caller("Practitioner/1", grants=Grants((Grant("AuditEvent", "rs", (("action", "R"),)),))))


def test_what_others_searched_for_is_not_told_to_a_patient(events, rows):
    def asked(hit):
        [entity] = [each for each in json.loads(hit.doc)["entity"] if "query" in each]
        return b64decode(entity["query"])

    id = event_id(rows[2].chain, rows[2].n)  # a search that named several patients is in the trail of each
    assert asked(events.read(AUDITOR, id)) == b"Observation?n=2"
    patient = Grants((Grant("AuditEvent", "rs", compartment=("Patient", "2")),))
    assert asked(events.read(Caller("Patient/2", grants=patient), id)) == b"Observation"
    assert [asked(hit.version) for hit in ask(events, f"_id={id}", Caller("Patient/2", grants=patient)).hits] == [
        b"Observation"
    ]
    assert asked(events.read(Caller("Practitioner/1", grants=patient), id)) == b"Observation?n=2"  # the own search


def test_another_tenant_sees_nothing_of_it(events, rows):
    assert len(ask(events, "", Caller("a", tenant=5, grants=WHOLE_RECORD)).hits) == 1
    with pytest.raises(NotFound):
        events.read(Caller("a", tenant=5, grants=WHOLE_RECORD), event_id(rows[0].chain, rows[0].n))


def test_compartments(events, rows):
    assert found(rows, ask(events, "", compartment=("Patient", "1"))) == [6, 1, 0]
    assert found(rows, ask(events, "action=E", compartment=("Practitioner", "1"))) == [2, 1]
    assert found(rows, ask(events, "", compartment=("Device", "9"))) == [0]
    with pytest.raises(BadSearch):
        ask(events, "", compartment=("Encounter", "1"))


def test_the_parameters_are_those_of_the_definitions():
    from resources.definitions import search_params

    assert set(search_params("AuditEvent")) | {"_id", "_lastUpdated"} >= PARAMETERS
