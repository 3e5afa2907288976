"""The searches of published FHIR benchmarks, with values that the record holds: what the figures of search are made of.

W3 are the six families of the k6 scripts of Health Samurai's comparison (24 parameters, each with several modifiers or
prefixes); W5 the thirty queries of mock.health; the others are shapes that are known to be hard.
"""

# ruff: noqa: E501
# Tables of queries: a line is a row.

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from fhir_server.search.engine import SearchEngine
from fhir_server.store import Session
from resources.repository import WHOLE_RECORD, Caller, SearchPage, SearchRequest

CALLER = Caller("bench", client="bench", grants=WHOLE_RECORD)


@dataclass(frozen=True, slots=True)
class Shape:
    """One search: ``family`` groups them, ``name`` is short, ``query`` what follows the base address."""

    family: str
    name: str
    query: str

    @property
    def request(self) -> SearchRequest:
        type, _, text = self.query.partition("?")
        return SearchRequest(type, tuple(parse_qsl(text, keep_blank_values=True)))


def _of(family: str, name: str, head: str, values: Sequence[str]) -> Iterator[Shape]:
    for value in values:
        text = f"{head}{value}"
        yield Shape(family, name, text + ("&" if "?" in text else "?") + "_count=20")


DATES = ("2015-03-02", "eq2016", "lt2012-06", "gt2018-01-01", "ge2020", "le2005", "sa2017-05", "eb2010", "gt2030")
BORN = ("1965-04-12", "eq1950", "lt1940-06", "gt1990-01-01", "ge2005", "le1925", "sa1999", "eb1930", "gt2030")
LOINC = ("8480-6", "8302-2", "29463-7", "72514-3", "2339-0", "718-7", "4548-4", "2093-3", "39156-5")
NUMBERS = ("gt99999", "lt30", "ge140", "le5", "6.5", "sa100", "eb12")
CODES = tuple(dict.fromkeys(LOINC))
_PAIRS = ("8480-6$gt140", "29463-7$lt5", "8302-2$ge170", "2339-0$le90", "72514-3$gt2")
_COMPONENTS = ("8480-6$gt140", "8462-4$lt70", "8480-6$ge180")


def w3(known: Mapping[str, str]) -> list[Shape]:
    """The 24 parameters."""
    texts = (known["family"], known["family"][:3], "Zzyzx")
    parts = tuple(f":contains={text}" for text in (known["family"][1:4], known["given"][:3]))
    rows: list[tuple[str, str, str, Sequence[str]]] = [
        ("string", "Patient.name", "Patient?name", (*(f"={t}" for t in texts), *parts)),
        ("string", "Patient.address", "Patient?address", (f"={known['city']}", f"={known['city'][:3]}", f":contains={known['city'][1:4]}")),
        ("string", "Organization.name", "Organization?name", (f"={known['organization'][:5]}", "=Zzyzx", f":contains={known['organization'][2:6]}")),
        ("date", "Patient.birthdate", "Patient?birthdate=", BORN),
        ("date", "Observation.date", "Observation?date=", DATES),
        ("date", "Encounter.date", "Encounter?date=", DATES),
        ("token", "Observation.category", "Observation?category=", ("laboratory", "vital-signs", "survey", "laboratory,survey", "absent", "http://terminology.hl7.org/CodeSystem/observation-category|laboratory")),
        ("token", "Observation.code", "Observation?code=", (*CODES, "http://loinc.org|", ",".join(CODES[:4]))),
        ("token", "Encounter.status", "Encounter?status=", ("finished", "planned", "finished,planned")),
        ("token", "Encounter.class", "Encounter?class=", ("AMB", "EMER", "AMB,IMP")),
        ("quantity", "value-quantity", "Observation?value-quantity=", NUMBERS),
        ("quantity", "component-value-quantity", "Observation?component-value-quantity=", NUMBERS),
        ("quantity", "combo-value-quantity", "Observation?combo-value-quantity=", NUMBERS),
        ("composite", "code-value-quantity", "Observation?code-value-quantity=", _PAIRS),
        ("composite", "component-code-value-quantity", "Observation?component-code-value-quantity=", _COMPONENTS),
        ("composite", "combo-code-value-quantity", "Observation?combo-code-value-quantity=", (*_PAIRS[:3], *_COMPONENTS[1:])),
        ("reference", "Observation.subject", "Observation?subject=", (f"Patient/{known['patient']}", known["patient"])),
        ("reference", "Observation.encounter", "Observation?encounter=", (f"Encounter/{known['encounter']}",)),
        ("reference", "Observation.performer", "Observation?performer=", (f"Practitioner/{known['practitioner']}",)),
        ("reference", "Encounter.subject", "Encounter?subject=", (f"Patient/{known['patient']}",)),
        ("reference", "Encounter.participant", "Encounter?participant=", (f"Practitioner/{known['practitioner']}",)),
        ("reference", "MedicationRequest.subject", "MedicationRequest?subject=", (f"Patient/{known['patient']}",)),
        ("reference", "MedicationRequest.encounter", "MedicationRequest?encounter=", (f"Encounter/{known['encounter']}",)),
        ("reference", "MedicationRequest.requester", "MedicationRequest?requester=", (f"Practitioner/{known['practitioner']}",)),
    ]  # fmt: skip
    return [shape for family, name, head, values in rows for shape in _of(f"W3 {family}", name, head, values)]


def w5(known: Mapping[str, str]) -> list[Shape]:
    """The thirty queries but metadata and read, which are no searches; R4 knows no :text of strings, so :contains."""
    patient, day = known["patient"], "2020-01-01"
    rows = (
        "Observation?_count=10", "Observation?_count=10&_total=accurate",
        *(f"Observation?code={code}&_total=accurate" for code in CODES[:4]), f"Observation?combo-code={CODES[0]}",
        f"Observation?date=ge{day}", f"Observation?patient=Patient/{patient}", "Patient?gender=female&_total=accurate",
        f"Patient?family={known['family']}", f"Patient?given={known['given']}", f"Patient?gender=male&family={known['family'][:2]}",
        f"Patient?family:exact={known['family']}", f"Condition?patient={patient}", f"Condition?code={known['condition']}",
        f"Procedure?code={known['procedure']}", f"Encounter?patient={patient}", f"Encounter?participant=Practitioner/{known['practitioner']}",
        f"Encounter?location=Location/{known['location']}", f"MedicationRequest?patient={patient}",
        f"Patient?_text={known['family']}", "Condition?_text=disorder", f"Patient?name:contains={known['family'][1:5]}",
        f"Patient?address:contains={known['city'][1:5]}", "Observation?code:text=body", "Condition?code:text=disorder",
    )  # fmt: skip
    return [_w5(row) for row in rows]


def _w5(row: str) -> Shape:
    return Shape("W5", row.partition("&_total")[0][:60], row if "_count" in row else f"{row}&_count=20")


def hard(known: Mapping[str, str]) -> list[Shape]:
    """What is linear elsewhere: other orders, dense intersections, many codes, chains."""
    patient = known["patient"]
    rows = {
        "newest changes of a dense list": "Observation?category=laboratory&_sort=-_lastUpdated",
        "newest changes of a code": f"Observation?code={CODES[1]}&_sort=-_lastUpdated",
        "newest changes of a rare code": f"Observation?code={known['rare']}&_sort=-_lastUpdated",
        "newest changes of a patient": f"Observation?patient={patient}&_sort=-_lastUpdated",
        "changed since, dense": f"Observation?category=laboratory&_lastUpdated=gt{known['since']}",
        "changed since": f"Observation?_lastUpdated=gt{known['since']}",
        "two dense lists": "Observation?category=laboratory&status=final",
        "two dense lists, none in both": "Observation?category=laboratory&category=vital-signs",
        "dense lists and old dates": "Observation?category=laboratory&status=final&date=lt2010",
        "dense list but a code": f"Observation?category=vital-signs&code:not={CODES[1]}",
        "all but a dense list": "Observation?category:not=laboratory",
        "patient and code": f"Observation?patient={patient}&code=http://loinc.org|{CODES[1]}",
        "hundreds of codes": f"Observation?code={known['codes']}",
        "hundreds of codes of a patient": f"Observation?patient={patient}&code={known['codes']}",
        "hundreds of codes and a dense list": f"Observation?category=laboratory&code={known['codes']}",
        "chain by name": f"Observation?patient.name={known['family']}",
        "chain by part of a name": f"Observation?patient.name={known['family'][:2]}",
        "chain by gender": "Observation?patient.gender=female",
        "chain and code": f"Observation?patient.gender=female&code={CODES[1]}",
        "_has code": f"Patient?_has:Observation:patient:code={CODES[0]}",
        "_has rare code": f"Patient?_has:Observation:patient:code={known['rare']}",
        "_has condition and gender": f"Patient?gender=female&_has:Condition:patient:code={known['condition']}",
        "sorted by name": "Patient?gender=female&_sort=family",
        "sorted by birthdate": "Patient?gender=female&_sort=birthdate",
        "a page with what it refers to": "Observation?category=laboratory&_include=Observation:patient&_include=Observation:encounter",
        "a page with what refers to it": "Encounter?status=finished&_revinclude=Observation:encounter",
    }  # fmt: skip
    return [Shape("hard", name, f"{query}&_count=20") for name, query in rows.items()]


def everything(known: Mapping[str, str]) -> list[Shape]:
    return [*w3(known), *w5(known), *hard(known)]


# --- Values that the record holds


def known(engine: SearchEngine, session: Session) -> dict[str, str]:
    """Names, ids and codes of a patient in the midst of the record; a name that no one has where there is none."""
    ask: Callable[[str], list[dict[str, Any]]] = lambda query: _found(engine, session, query)  # noqa: E731
    encounter = _first(
        [e for e in ask("Encounter?date=lt2018&_count=50") if "participant" in e] or ask("Encounter?_count=1")
    )
    patient = _first(ask(f"Patient?_id={_target(encounter.get('subject')) or 'none'}") or ask("Patient?_count=1"))
    name, address = patient["name"][0], patient.get("address", [{}])[0]
    individual = next((p.get("individual") for p in encounter.get("participant", ())), None)
    place = next((entry.get("location") for entry in encounter.get("location", ())), None)
    rows = session.query(
        "SELECT code, system FROM dic WHERE type = 'Observation' AND branch = 'Observation.code' ORDER BY code"
    )
    codes = list(dict.fromkeys(code for code, _ in islice(rows, 300)))
    organizations = ask("Organization?_count=5")
    return {
        "family": name["family"],
        "given": name["given"][0],
        "city": address.get("city", "Boston"),
        "organization": organizations[0].get("name", "General Hospital") if organizations else "General Hospital",
        "patient": patient["id"],
        "encounter": encounter.get("id", "none"),
        "practitioner": _target(individual) or "none",
        "location": _target(place) or "none",
        "condition": _code(ask("Condition?_count=1")),
        "procedure": _code(ask("Procedure?_count=1")),
        "rare": codes[len(codes) // 2] if codes else "none",
        "codes": ",".join(codes),
        "since": encounter.get("meta", {}).get("lastUpdated", "2020-01-01T00:00:00Z"),
    }


def run(engine: SearchEngine, session: Session, shape: Shape) -> SearchPage:
    """One page, as the API would make it."""
    return engine.search(session, CALLER, shape.request)


def _found(engine: SearchEngine, session: Session, query: str) -> list[dict[str, Any]]:
    page = run(engine, session, Shape("", "", query))
    return [msgspec.json.decode(hit.version.doc) for hit in page.hits]


def _first(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return found[0] if found else {}


def _target(reference: Mapping[str, str] | None) -> str:
    return (reference or {}).get("reference", "").rpartition("/")[2]


def _code(found: Sequence[dict[str, Any]]) -> str:
    return str(found[0]["code"]["coding"][0]["code"]) if found else "none"
