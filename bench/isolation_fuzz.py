"""Differential fuzz of the restriction: the answer to a restricted caller is that of a server which never had the rest.

For each caller a twin holds only what an independent oracle shows them, and is asked without restriction. Chains, _has,
includes, totals, sorts and pages must be the same; of plain searches also: the unrestricted answer, filtered.
"""

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import psycopg

from bench import isolation_parameters as stored
from bench.bar import Bar, Figure, Profile
from bench.isolation_record import CATEGORIES, CATEGORY, PATIENTS, SIZES, Oracle, Resource, Rule, record
from fhir_server.search import SearchEngine
from fhir_server.store import Integrity, Store, Write, open_store
from resources import json_codec
from resources.errors import FhirError, Forbidden
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants, SearchRequest
from resources.search_param import extract

QUERIES = 10_000
NOW = 1_700_000_000_000
OPEN = Caller("open", grants=WHOLE_RECORD)
Answer = tuple[Any, ...]


class Twin:
    """A store with some of the resources; times and order are those of the whole record."""

    def __init__(self, store: Store, resources: list[Resource], shown: list[Resource]) -> None:
        self.store, self.engine = store, SearchEngine(store, b"link key of the fuzz")
        stored.put(store, NOW - 1000)
        ids = {id(each) for each in shown}
        with store.parameters.pinned():
            for n, resource in enumerate(resources):
                if id(resource) in ids:
                    self._put(resource, NOW + n * 1000)

    def _put(self, resource: Resource, updated: int) -> None:
        body = {**resource, "meta": {**resource.get("meta", {}), "versionId": "1"}}
        write = Write(
            resource["resourceType"], resource["id"], "PUT", 1, updated, json_codec.encode(body), extract(body)
        )
        self.store.session().write(write, integrity=Integrity(False, False))

    def pages(self, caller: Caller, type: str, query: str, of: tuple[str, str] | None) -> list[Answer]:
        """Matches in order, includes and total of each page; or the error."""
        found: list[Answer] = []
        try:
            while True:
                params = tuple(parse_qsl(query, keep_blank_values=True))
                page = self.engine.search(self.store.session(), caller, SearchRequest(type, params, of))
                matches = tuple(hit.version.reference for hit in page.hits if hit.mode == "match")
                included = frozenset(hit.version.reference for hit in page.hits if hit.mode == "include")
                found.append((matches, included, page.total))
                if "next" not in page.links:
                    return found
                query = page.links["next"]
        except FhirError as error:
            return [*found, (type_name(error), str(error))]


def type_name(error: FhirError) -> str:
    return type(error).__name__


def _grants(rules: tuple[Rule, ...]) -> Grants:
    return Grants(
        Grant(
            type,
            "rs",
            (("category", ",".join(f"{CATEGORY}|{code}" for code in rule.categories)),) if rule.categories else (),
            ("Patient", rule.patient) if rule.patient else None,
            rule.labelled,
        )
        for rule in rules
        for type in rule.types
    )


CALLERS: dict[str, tuple[Rule, ...]] = {
    "patient": (Rule(("*",), "p1"),),
    "patient in a staff member's app": (Rule(("*",), "p2", labelled=False),),
    "some types": (
        Rule(("Patient", "Observation", "Condition", "Practitioner", "Provenance", "List"), "p1"),
        Rule(("ValueSet", "CodeSystem", "Location"), labelled=False),
    ),
    "staff": (Rule(("*",), labelled=False),),
    "granular": (Rule(("Observation",), "p1", CATEGORIES[:2]), Rule(("Patient", "Condition", "Provenance"), "p1")),
    "granular union": (
        Rule(("Observation",), "p1", CATEGORIES[:1]),
        Rule(("Observation",), "p3", CATEGORIES[1:3]),
        Rule(("Patient", "Encounter"), "p3"),
        Rule(("Organization", "Practitioner", "Medication", "ValueSet", "CodeSystem"), labelled=False),
    ),
    "granular staff": (
        Rule(("Observation",), "", CATEGORIES[:1], labelled=False),
        Rule(("Patient", "Encounter", "List", "ValueSet", "Location")),
    ),
}
GRANULAR = tuple(name for name in CALLERS if name.startswith("granular"))

# --- queries

_FILTERS: dict[str, tuple[str, ...]] = {
    "Patient": ("name=smith", "gender=male", "gender:not=male", "organization.name=clinic", "link:missing=false",
                "_has:Observation:patient:code=urn:code|a", "_has:Condition:asserter:code=urn:code|b",
                "_has:Group:member:_id=group1", "general-practitioner.name=jones",
                "name:contains=row", "name:exact=Jones", "_list=LIST", "_has:Observation:patient:code:text=a",
                "_has:Observation:patient:_has:Provenance:target:_lastUpdated=ge2000",
                "_has:Condition:patient:_text=arm",
                "_has:Observation:performer:subject:Patient.name=brown", "_has:List:source:_id=list1",
                "identifier:of-type=urn:type|MR|1", "_has:Observation:patient:code:in=urn:vs1",
                "_has:Observation:patient:code:below=urn:code|b"),
    "Observation": ("code=urn:code|a", "code:not=urn:code|a", "category=laboratory", "category:not=laboratory",
                    "category:missing=true", "date=ge2014", "date=lt2016-05", "status=final", "value-quantity=gt4",
                    "subject.name=smith", "subject:Patient.gender=female", "patient.organization.name=ward",
                    "performer:Practitioner.name=jones", "performer:Patient.name=brown", "focus=Patient/PATIENT",
                    "derived-from.code=urn:code|c", "derived-from.subject:Patient.name=jones",
                    "_has:Observation:derived-from:code=urn:code|d", "_has:Provenance:target:_lastUpdated=ge2000",
                    "encounter.date=ge2015", "performer:missing=false", "encounter:missing=false",
                    "code:text=b", "_text=fever", "_text=cough fev*", "_content=broken&patient=Patient/PATIENT",
                    "_list=LIST", "code-value-quantity=urn:code|a$gt4", "subject.name:contains=own",
                    "subject._has:Condition:asserter:code=urn:code|b", "performer:identifier=urn:x|1",
                    "_source=urn:nowhere", "value-quantity=lt5||kg", "subject:Patient.organization.name:exact=Ward",
                "code:in=urn:vs1", "code:in=urn:vs2|1", "code:not-in=urn:vs3", "code:in=ValueSet/valueset2",
                "code:below=urn:code|a", "code:above=urn:code|c", "derived-from.code:in=urn:vs2",
                "subject:Patient.identifier:of-type=urn:type|SS|2", "derived-from.code:not-in=urn:vs1",
                "encounter.location:below=Location/location0"),
    "Condition": ("_list=$current-problems&patient=Patient/PATIENT", "_text=arm", "code:text=c", "_list=LIST",
                  "code:in=urn:vs1", "code:not-in=urn:vs2", "code:below=urn:code|d",
                  "code=urn:code|b", "subject.name=smith", "asserter:Patient.name=jones",
                  "evidence-detail:missing=true",
                  "evidence-detail:Observation.code=urn:code|a", "encounter.subject:Patient.gender=male"),
    "Encounter": ("location:below=Location/location0", "location:above=Location/location4",
                  "date=ge2014", "_has:Observation:encounter:code=urn:code|a", "subject.name=brown"),
    "MedicationRequest": ("medication.code=urn:drug|a", "requester:Patient.name=smith", "status=active"),
    "Appointment": ("actor=Patient/PATIENT", "actor:Patient.name=smith", "status=proposed"),
    "Communication": ("recipient=Patient/PATIENT", "sender:Patient.name=smith"),
    "DocumentReference": ("author=Patient/PATIENT", "status=current", "location:missing=false"),
    "Binary": (),
    "Device": ("patient.name=smith", "patient:missing=true"),
    "Task": ("focus:Observation.code=urn:code|a", "status=draft"),
    "Group": ("member=Patient/PATIENT",),
    "List": ("source=Patient/PATIENT", "item:Observation.code=urn:code|a", "subject.name=jones"),
    "Schedule": ("actor=Patient/PATIENT", "actor:Practitioner.name=jones", "_has:Slot:schedule:status=free"),
    "Slot": ("status=free", "_has:Appointment:slot:status=proposed",
             "schedule.actor:Practitioner.name=jones", "schedule.actor:Patient.name=smith"),
    "Provenance": ("target=Patient/PATIENT", "target:Observation.code=urn:code|b", "target:Condition.code=urn:code|a"),
    "Practitioner": ("name=jones", "_has:Observation:performer:code=urn:code|a",
                     "_has:Patient:general-practitioner:name=smith"),
    "Organization": ("name=clinic", "_has:Patient:organization:name=jones",
                     "_has:Patient:organization:_has:Observation:patient:code=urn:code|c"),
    "Location": ("name=room", "near=52.3|13|20|km", "near=52.9|13|5", "_text=arm", "name:contains=oo",
                 "partof:below=Location/location0", "partof:above=Location/location3",
                 "_has:Appointment:actor:status=proposed"),
    "CodeSystem": ("code=a", "url=urn:code"),
    "ValueSet": ("url=urn:vs1", "reference=urn:vs2", "code=b"),
    "Medication": ("code=urn:drug|b", "_has:MedicationRequest:medication:status=active"),
}  # fmt: skip
_EXPRESSIONS: dict[str, tuple[str, ...]] = {
    "Patient": ("not (_has:Observation:patient:code eq urn:code|a)", "name eq smith or organization.name sw clinic",
                "not (organization.name sw clinic) and gender ne male", "organization pr false or family gt m",
                "_has:Observation:patient:subject.name eq brown or gender eq male", "link.name eq jones",
                "not (link.name eq jones or _has:Condition:asserter:code eq urn:code|b)"),
    "Observation": ("not (subject.name eq brown)", "subject.name eq brown or performer.name eq jones",
                    "not (performer.name eq jones or encounter.status eq finished)", "not (code ne urn:code|a)",
                    "derived-from.code eq urn:code|d or code eq urn:code|a", "focus pr true",
                    "code in urn:vs1 or subject.name eq brown", "not (code ni urn:vs2)", "code ss urn:code|b",
                    "subject[gender eq male].name co o", "not (_has:Provenance:target:_lastUpdated ge 2000)",
                    "subject._has:Condition:asserter:code eq urn:code|b"),
    "Encounter": ("not (_has:Observation:encounter:code eq urn:code|a)", "subject.name eq brown or status ne finished"),
    "Organization": ("not (_has:Patient:organization:name eq jones)",),
    "Practitioner": ("not (_has:Patient:general-practitioner:name eq smith) or name eq jones",),
}  # fmt: skip
"""What ``_filter`` asks."""
_INCLUDES: dict[str, tuple[str, ...]] = {
    "": ("_include=*", "_include=*&_include:iterate=*", "_revinclude=Provenance:target"),
    "Patient": ("_include=Patient:organization", "_revinclude=Observation:subject", "_revinclude=Condition:asserter",
                "_revinclude=Group:member", "_revinclude=List:source", "_revinclude=Observation:performer",
                "_revinclude=Observation:subject&_revinclude:iterate=Provenance:target", "_revinclude=Patient:link",
                "_include:iterate=Patient:organization&_revinclude:iterate=Patient:organization",
                "_revinclude=Appointment:actor&_include:iterate=Appointment:actor", "_revinclude=*"),
    "Observation": ("_include=Observation:subject", "_include=Observation:derived-from", "_include=Observation:focus",
                    "_include=Observation:derived-from&_include:iterate=Observation:derived-from",
                    "_include=Observation:performer", "_revinclude=Observation:derived-from", "_revinclude=Task:focus",
                    "_revinclude=Condition:evidence-detail&_include:iterate=Condition:asserter",
                    "_revinclude=Provenance:target&_include:iterate=Provenance:target"),
    "Condition": ("_include=Condition:evidence-detail", "_include=Condition:asserter", "_include=Condition:encounter"),
    "Provenance": ("_include=Provenance:target", "_include=Provenance:target&_include:iterate=Observation:subject"),
    "Practitioner": ("_revinclude=Observation:performer", "_revinclude=Patient:general-practitioner"),
    "Organization": ("_revinclude=Patient:organization&_revinclude:iterate=Observation:subject",),
    "Medication": ("_revinclude=MedicationRequest:medication&_include:iterate=MedicationRequest:subject",),
    "MedicationRequest": ("_include=MedicationRequest:medication", "_include=MedicationRequest:requester"),
    "Appointment": ("_include=Appointment:actor",),
    "List": ("_include=List:item", "_include=List:source"),
    "Task": ("_include=Task:focus&_include:iterate=Observation:subject",),
    "Encounter": ("_revinclude=Observation:encounter",),
}  # fmt: skip
_SORTS = ("_sort=_id", "_sort=-_id", "_sort=_lastUpdated", "_sort=-_lastUpdated", "_sort=_security,-_id")
_OTHERS = (
    "_total=accurate",
    "_total=estimate",
    "_summary=count",
    "_lastUpdated=ge2000",
    "_security:missing=false",
    "_elements=id",
    "_summary=true",
    "_total=none",
)
_PLAIN = ("_sort", "_count", "_total", "_summary")


def query(chance: random.Random, open: list[str]) -> tuple[str, str, tuple[str, str] | None]:
    """Type, query string and compartment of a search, mostly of a type that is ``open``."""
    if chance.random() < 0.05:
        types = ",".join(chance.sample(open, min(3, len(open))))
        return "", f"_type={types}&_lastUpdated=ge2000&_count=20", None
    weighted = [*open, *(["Observation", "Patient"] * (len(open) // 4))]
    type = chance.choice(sorted(SIZES) if chance.random() < 0.1 else weighted)
    filters = _FILTERS[type] + stored.FILTERS.get(type, ())
    expressions = _EXPRESSIONS.get(type, ()) + stored.EXPRESSIONS.get(type, ())
    parts = [f for f in filters if chance.random() < 1 / (len(filters) + 1)]
    parts += [f"_filter={chance.choice(expressions)}"] if expressions and chance.random() < 0.25 else []
    includes = _INCLUDES.get(type, ()) + stored.INCLUDES.get(type, ()) + _INCLUDES[""]
    parts += [chance.choice(includes)] if chance.random() < 0.4 else []
    parts += [chance.choice(_SORTS)] if chance.random() < 0.25 else []
    parts += [chance.choice(_OTHERS)] if chance.random() < 0.4 else []
    parts += [f"_id={_some_ids(chance, type)}"] if chance.random() < 0.1 else []
    parts.append(f"_count={chance.choice((1, 3, 10, 1000))}" if chance.random() < 0.5 else "_count=50")
    of = ("Patient", chance.choice(PATIENTS)) if type in _COMPARTMENT and chance.random() < 0.15 else None
    return (
        type,
        "&".join(parts).replace("PATIENT", chance.choice(PATIENTS)).replace("LIST", f"list{chance.randrange(12)}"),
        of,
    )


_COMPARTMENT = ("Observation", "Condition", "Encounter", "Communication", "Appointment", "Patient", "List")


def _some_ids(chance: random.Random, type: str) -> str:
    prefix = "p" if type == "Patient" else type.lower()
    return ",".join(f"{prefix}{chance.randrange(SIZES[type])}" for _ in range(3))


_AFAR = (
    ".",
    "_has:",
    "_include",
    "_revinclude",
    "_summary",
    "_list",
    "in=",
    ":above",
    ":below",
    " in ",
    " ni ",
    " ss ",
)
"""What asks of more than the resources that are found."""

# --- the comparison


@contextmanager
def stores(profile: Profile, dialect: str, count: int) -> Iterator[list[Store]]:
    """``count`` new stores on one kind of database."""
    with tempfile.TemporaryDirectory(prefix="hearth-isolation-") as folder:
        made = []
        for n in range(count):
            url = f"sqlite:///{Path(folder) / f'{n}.db'}" if dialect == "sqlite" else _database(profile.postgresql, n)
            store = open_store(url, key=b"hash key of the fuzz, 32 bytes..")
            store.migrate()
            made.append(store)
        try:
            yield made
        finally:
            for store in made:
                store.close()
            if dialect == "postgresql":
                _drop(profile.postgresql, count)


def _database(server: str, n: int) -> str:
    name = f"isolation_{os.getpid()}_{n}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        admin.execute(f"CREATE DATABASE {name}".encode())
    return server.rpartition("/")[0] + f"/{name}"


def _drop(server: str, count: int) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        for n in range(count):
            admin.execute(f"DROP DATABASE IF EXISTS isolation_{os.getpid()}_{n} WITH (FORCE)".encode())


def differences(profile: Profile, dialect: str, names: tuple[str, ...], count: int, seed: int = 7) -> list[str]:
    """Of ``count`` random searches by the callers ``names`` those whose answers differ."""
    resources = record(seed)
    oracles = {name: Oracle(resources, CALLERS[name]) for name in names}
    with stores(profile, dialect, len(names) + 1) as made:
        whole = Twin(made[0], resources, resources)
        twins = {
            name: Twin(store, resources, oracles[name].visible()) for name, store in zip(names, made[1:], strict=True)
        }
        callers = {name: Caller(name, grants=_grants(CALLERS[name])) for name in names}
        chance, found = random.Random(seed), []
        for _ in range(count):
            name = chance.choice(names)
            asked = query(chance, [type for type in sorted(SIZES) if oracles[name].grants(type)])
            problem = _compared(whole, twins[name], callers[name], oracles[name], asked)
            found += [f"{name}: {asked}: {problem}"] if problem else []
        return found


def _compared(
    whole: Twin, twin: Twin, caller: Caller, oracle: Oracle, asked: tuple[str, str, tuple[str, str] | None]
) -> str:
    """What is wrong, or ''."""
    mine = whole.pages(caller, *asked)
    if mine and mine[-1][0] == Forbidden.__name__:
        refused = mine[-1][1].partition(":")[0]
        return "" if refused in SIZES and not oracle.grants(refused) else f"refused: {mine[-1][1]}"
    theirs = twin.pages(OPEN, *asked)
    if mine != theirs:
        return f"{mine} instead of {theirs}"
    if mine and len(mine[-1]) == 2:  # refused alike
        return ""
    if any(mark in asked[1] for mark in _AFAR):
        return ""
    full = [name for page in whole.pages(OPEN, *asked) for name in page[0]]
    filtered = [name for name in full if oracle.sees(oracle.known[name])]
    return "" if filtered == [name for page in mine for name in page[0]] else "not the full answer, filtered"


def _measure(names: tuple[str, ...], share: float) -> Callable[[Profile], Figure]:
    def measure(profile: Profile) -> Figure:
        found: list[str] = []
        count = profile.size(int(QUERIES * share), 100)
        for dialect in profile.databases:
            found += [f"{dialect}: {text}" for text in differences(profile, dialect, names, count)]
        text = f"{len(found)} differences in {count} searches on each of {', '.join(profile.databases)}"
        return Figure(text, not found, tuple(found[:10]))

    return measure


BARS = [
    Bar("restriction: differential fuzz", "no difference in 10,000 searches", _measure(tuple(CALLERS), 1.0)),
    Bar("restriction: granular scopes", "no difference in 3,000 searches", _measure(GRANULAR, 0.3)),
]
