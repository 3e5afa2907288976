"""Requests for the fuzzer: writes, patches, bundles, searches, headers, paths and page links, all slightly wrong.

FHIR R4 RESTful API (https://hl7.org/fhir/R4/http.html) and search; one function per kind, walked as a table.
"""
# ruff: noqa: E501 rows of hostile values are kept one to a line

import json
import random
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_from_bytes

from bench.fuzz_seeds import seeds
from bench.fuzz_values import KEYS, PLANTED, SCALARS, TEXTS, encoded, hostile, mutated, spoiled
from bench.raw_http import Answer, Header, Sent

BASE = "/fhir"
MODIFIERS = (
    *("", "", "", ":missing", ":exact", ":contains", ":text", ":not", ":in", ":not-in", ":above", ":below", ":identifier"),
    *(":of-type", ":iterate", ":Patient", ":Observation", ":Nothing", ":code-text", ":text-advanced", ":", "::", ":Patient.name", ":x\x00"),
)
PREFIXES = ("", "", "", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "ap-", "xx", "EQ")
CLEAN: dict[str, tuple[str, ...]] = {
    "string": (PLANTED, "Bern", "a", "Ada"),
    "token": ("http://loinc.org|8867-4", "8867-4", "|x", "http://loinc.org|", "true", "female", "final"),
    "reference": ("Patient/seed", "seed", "http://127.0.0.1/fhir/Patient/seed", "urn:uuid:1e9fbd32-6c3c-4d5f-9c62-3d3a2a8f4f01", "http://x.org/vs|1.0"),
    "date": ("2020", "2020-02", "2020-02-03", "2020-02-03T04:05:06Z", "2020-02-03T04:05:06.789+02:00"),
    "quantity": ("1.5", "1.5|http://unitsofmeasure.org|mg", "5.40e-3||mg", "1.5|http://unitsofmeasure.org|g"),
    "number": ("0", "1", "0.02", "1e-2", "-5"),
    "uri": ("http://x.org/vs", "urn:oid:1.2.3", "http://x.org"),
    "composite": ("http://loinc.org|8867-4$1.5", "8867-4$gt1.5|http://unitsofmeasure.org|mg", "a$b", "a$b$c"),
    "special": ("42.25|-83.69|11.20|km", "1|2", "x", "Patient/seed"),
    "_filter": ("name co \"a\"", "not (code eq loinc|8867-4) and date po 2020-02", "subject[gender eq male].name sw b", "_has:Observation:patient:code ne x", "(((a eq 1", "name eq \"\\u0000\\ud800\"", "subject.subject.subject pr true", "not (" * 50, "value-quantity ap 1.5|ucum|mg or _id ne x", "_lastUpdated gt 2020 or " * 200),
}
RESULT = ("_count", "_sort", "_include", "_revinclude", "_elements", "_summary", "_total", "_contained", "_format", "_pretty", "_page", "_cursor", "_score")
HEADERS: dict[str, tuple[str, ...]] = {
    "If-Match": ('W/"1"', '"1"', "*", 'W/"x"', 'W/""', 'W/"1", W/"2"', "W/", 'W/"99999999999999999999"', 'W/"-1"', 'W/"²"'),
    "If-None-Match": ("*", 'W/"1"', "x", '"', 'W/"1'),
    "If-Modified-Since": ("Mon, 01 Jan 2024 00:00:00 GMT", "x", "Mon, 01 Jan 99999 00:00:00 GMT", "0001-01-01", "Mon, 01 Jan 0001 00:00:00 -2359"),
    "If-None-Exist": ("identifier=x", "name=", "x=y", "%zz", "identifier=http://x.org/mrn|" + PLANTED, "_id=%00", "?", "&&&"),
    "Prefer": ("return=minimal", "return=OperationOutcome", "handling=lenient", "return=x", "respond-async", "return=minimal; handling=strict", "=", ";;"),
    "Accept": ("application/fhir+xml", "application/fhir+json; fhirVersion=4.0", "text/turtle", "*/*;q=x", "a;q=1e400", ",", "application/xml;charset=\u00ff", "text/html"),
    "Accept-Encoding": ("gzip", "gzip;q=0", "gzip;q=nan", "br", "*", ";;"),
    "Content-Type": ("application/fhir+xml", "application/json; charset=utf-16", "application/fhir+json; fhirVersion=5.0", "text/plain", "multipart/form-data", "", "x", "application/json; charset=\u00e9\u00ff", "application/x-www-form-urlencoded", "application/json-patch+json", "application/xml-patch+xml"),
    "Content-Encoding": ("gzip", "identity", "br", "gzip, gzip", ""),
    "Range": ("bytes=0-1", "bytes=-5", "bytes=9-1", "x"),
    "X-Security-Context": ("Patient/seed", "x", "Patient/../x", "Nothing/1"),
    "X-Request-Id": ("abc", "a\tb", "../x", "x" * 1000),
    "Origin": ("null", "http://x.org", "\u00ff"),
    "X-HTTP-Method-Override": ("DELETE",),
    "Authorization": ("Bearer x", "Basic x", "Bearer \u00ff"),
    "X-Forwarded-For": ("127.0.0.1", "\u00ff"),
}


class Requests:
    """Makes one request after another from one source of chance and learns ids and links from the answers."""

    def __init__(self, seed: int, parameters: dict[str, dict[str, str]]) -> None:
        self.chance = random.Random(seed)
        self.parameters = parameters
        self.types = sorted(type for type in parameters if type)
        self.seeds = seeds()
        self.stored: deque[str] = deque(["Patient/seed"], 300)
        self.links: deque[str] = deque(maxlen=100)

    def next(self) -> Sent:
        """A request of a kind taken by weight, sometimes with hostile headers more."""
        make = self.chance.choices(_KINDS, _WEIGHTS)[0]
        sent = make(self)
        return self._with_headers(sent) if self.chance.random() < 0.3 else sent

    def learn(self, sent: Sent, answer: Answer) -> None:
        """Remember where a resource was stored and what links a page gave."""
        place = answer.headers.get("location", "").partition(f"{BASE}/")[2]
        if answer.status == 201 and place.count("/") >= 3:
            self.stored.append("/".join(place.split("/")[:2]))
        if answer.status == 200 and b'"next"' in answer.body[:5000]:
            self._learn_links(answer.body)

    def _learn_links(self, body: bytes) -> None:
        try:
            found = json.loads(body).get("link", [])
        except ValueError:
            return
        self.links.extend(link["url"].partition(BASE)[2] for link in found if link.get("relation") == "next")

    def type(self) -> str:
        return self.chance.choice(self.types)

    def place(self) -> str:
        return self.chance.choice(self.stored)

    def _with_headers(self, sent: Sent) -> Sent:
        names = self.chance.sample(list(HEADERS), self.chance.randint(1, 3))
        added = {name: self._header(name) for name in names}
        kept = tuple((name, value) for name, value in sent.headers if name not in added)
        return Sent(sent.method, sent.target, (*kept, *added.items()), sent.body)

    def _header(self, name: str) -> str:
        if self.chance.random() < 0.7:
            return self.chance.choice(HEADERS[name])
        return hostile(self.chance)[:5000].replace("\r", "").replace("\n", "").replace("\x00", "\x01")


# --- Writes -------------------------------------------------------------------------------------------------------


def _resource(requests: Requests) -> Any:
    chance = requests.chance
    return mutated(chance, chance.choice(requests.seeds), chance.choice((0, 1, 1, 1, 2, 3, 8)))


def _typed(requests: Requests, resource: Any) -> str:
    type = resource.get("resourceType") if isinstance(resource, dict) else None
    if isinstance(type, str) and type in requests.parameters:
        return type
    return quote(type[:200], safe="") if isinstance(type, str) and type.isascii() and type else requests.type()


def _json(requests: Requests, value: Any, *extra: Header) -> tuple[tuple[Header, ...], bytes]:
    return (("Content-Type", "application/fhir+json"), *extra), encoded(requests.chance, value)


def _create(requests: Requests) -> Sent:
    resource = _resource(requests)
    return Sent("POST", f"{BASE}/{_typed(requests, resource)}", *_json(requests, resource))


def _update(requests: Requests) -> Sent:
    resource, chance = _resource(requests), requests.chance
    id = requests.place().partition("/")[2] if chance.random() < 0.5 else f"f{chance.randrange(50)}"
    if isinstance(resource, dict) and chance.random() < 0.9:
        resource["id"] = id
    version = (("If-Match", f'W/"{chance.randint(1, 3)}"'),) if chance.random() < 0.2 else ()
    return Sent("PUT", f"{BASE}/{_typed(requests, resource)}/{id}", *_json(requests, resource, *version))


def _conditional(requests: Requests) -> Sent:
    resource, chance = _resource(requests), requests.chance
    type = _typed(requests, resource)
    target = f"{BASE}/{type}?{_query(requests, type)}"
    headers, body = _json(requests, resource)
    method = chance.choice(("PUT", "PATCH", "DELETE"))
    return Sent(method, target, headers, b"" if method == "DELETE" else body)


def _xml(requests: Requests) -> Sent:
    text = f'<Patient xmlns="http://hl7.org/fhir"><id value="x"/><name><family value="{PLANTED}"/></name></Patient>'
    value = _escaped(hostile(requests.chance)[:200], " /:|") if requests.chance.random() < 0.5 else "x"
    body = text.replace('"x"', f'"{value}"').encode("utf-8", "surrogatepass")
    if requests.chance.random() < 0.6:
        body = spoiled(requests.chance, body)
    return Sent("POST", f"{BASE}/Patient", (("Content-Type", "application/fhir+xml"),), body)


def _validate(requests: Requests) -> Sent:
    resource, chance = _resource(requests), requests.chance
    if chance.random() < 0.3:
        part = {"name": "resource", "resource": resource}
        resource = mutated(chance, {"resourceType": "Parameters", "parameter": [part]}, 1)
    place = requests.place() if chance.random() < 0.2 else requests.type()
    return Sent("POST", f"{BASE}/{place}/$validate?{_some(chance, 'mode=create', 'profile=x', '')}", *_json(requests, resource))


def _operation(requests: Requests) -> Sent:
    chance = requests.chance
    name = chance.choice(("$everything", "$meta", "$meta-add", "$meta-delete", "$validate", "$nothing", "$"))
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "s", "code": PLANTED}]}}]}
    headers, body = _json(requests, mutated(chance, parameters, chance.randint(0, 2)))
    query = _escaped(hostile(chance)[:500])
    target = f"{BASE}/{requests.place()}/{name}?{_some(chance, '', '_count=1', 'start=' + query, '_since=' + query, '_type=' + query)}"
    return Sent("GET", target) if chance.random() < 0.4 else Sent("POST", target, headers, body)


def _some(chance: random.Random, *choices: str) -> str:
    return chance.choice(choices)


# --- Patches ------------------------------------------------------------------------------------------------------

_POINTERS = ("", "/", "/name", "/name/0/family", "/name/-", "/name/99", "/~2", "/id", "/resourceType", "/meta/versionId", "/extension/0", "//", "/name/0/given/-1")
_PATHS = (
    *("Patient", "Patient.name", "Patient.name.first().family", "Patient.birthDate", "Patient.name.where(family.matches('(a+)+$'))", "name[99]", "%x", "((((", "''"),
    *("Patient.name.repeat($this)", "Patient.descendants()", "Patient.where(1/0 = 1)", "1 + 'a'", "@2020-99-99", "Patient.name.aggregate($total + 1, 0)", "today()", "{}"),
    *("Patient.name.select(given.first() & '" + "x" * 50 + "')", "iif(" * 50, "'a'.replaceMatches('(', 'x')", "Patient.name.skip(9999999999999999999999)", "2147483648.power(99999)", "Patient.extension[0].value"),
)


def _patch(requests: Requests) -> Sent:
    kind = requests.chance.choice((_json_patch, _fhirpath_patch, _xml_patch))
    headers, body = kind(requests)
    return Sent("PATCH", f"{BASE}/{requests.place()}", headers, body)


def _json_patch(requests: Requests) -> tuple[tuple[Header, ...], bytes]:
    chance = requests.chance
    made = []
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        operation: dict[str, Any] = {"op": chance.choice(("add", "remove", "replace", "move", "copy", "test", "x", None))}
        operation["path"] = chance.choice(_POINTERS) if chance.random() < 0.8 else hostile(chance)
        operation["from"] = chance.choice(_POINTERS)
        operation["value"] = chance.choice(SCALARS) if chance.random() < 0.5 else hostile(chance)
        made.append(operation)
    document = mutated(chance, made, 1) if chance.random() < 0.3 else made
    return (("Content-Type", "application/json-patch+json"),), encoded(chance, document)


def _fhirpath_patch(requests: Requests) -> tuple[tuple[Header, ...], bytes]:
    chance = requests.chance
    path = chance.choice(_PATHS) if chance.random() < 0.7 else hostile(chance)
    part = [
        {"name": "type", "valueCode": chance.choice(("add", "insert", "delete", "replace", "move", "x"))},
        {"name": "path", "valueString": path},
        {"name": "name", "valueString": chance.choice(KEYS) if chance.random() < 0.7 else hostile(chance)},
        {"name": "value", chance.choice(("valueString", "valueDate", "valueHumanName", "valueInteger")): chance.choice(TEXTS)},
        {"name": chance.choice(("index", "source", "destination")), "valueInteger": chance.choice((0, 1, -1, 2**31, 10**30))},
    ]
    document = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    return _json(requests, mutated(chance, document, chance.choice((0, 0, 1, 2))))


def _xml_patch(requests: Requests) -> tuple[tuple[Header, ...], bytes]:
    chance = requests.chance
    selector = chance.choice(("f:Patient/f:name", "/*", "//*", "id('x')", "document('/etc/passwd')", "f:Patient/f:birthDate/@value", "count(//*)", "f:Patient[", "name", "/f:Patient/f:name[1]/f:family/@value"))
    operation = chance.choice(("add", "replace", "remove", "x"))
    content = chance.choice(("", "<f:active value='true'/>", "x", "<a:b xmlns:a='x'/>", "<f:name><f:family value='x'/></f:name>"))
    extra = chance.choice(("", ' pos="before"', ' pos="x"', ' type="@value"', ' type="namespace::x"', ' ws="both"'))
    body = f"<diff xmlns:f='http://hl7.org/fhir'><{operation} sel=\"{selector}\"{extra}>{content}</{operation}></diff>".encode()
    body = spoiled(chance, body) if chance.random() < 0.3 else body
    return (("Content-Type", "application/xml-patch+xml"),), body


# --- Bundles ------------------------------------------------------------------------------------------------------


def _bundle(requests: Requests) -> Sent:
    chance = requests.chance
    entries = [_entry(requests) for _ in range(chance.choice((0, 1, 2, 5)))]
    bundle = {"resourceType": "Bundle", "type": chance.choice(("transaction", "batch")), "entry": entries}
    return Sent("POST", BASE + chance.choice(("", "/")), *_json(requests, mutated(chance, bundle, chance.choice((0, 0, 1, 3)))))


def _entry(requests: Requests) -> dict[str, Any]:
    chance = requests.chance
    resource = mutated(chance, chance.choice(requests.seeds), chance.choice((0, 0, 0, 1)))
    type = resource.get("resourceType", "Patient") if isinstance(resource, dict) else "Patient"
    method = chance.choice(("POST", "POST", "PUT", "GET", "DELETE", "PATCH", "HEAD"))
    query = _query(requests, requests.type())
    url = {"POST": f"{type}", "PUT": f"{type}/f{chance.randrange(50)}"}.get(method, chance.choice((requests.place(), f"{requests.type()}?{query}", "Patient/$validate", f"{requests.place()}/_history", "_history", "metadata", "/", "http://x.org/Patient/1", hostile(chance))))
    request: dict[str, Any] = {"method": method, "url": url}
    for name in chance.sample(("ifMatch", "ifNoneMatch", "ifModifiedSince", "ifNoneExist"), chance.choice((0, 0, 1, 2))):
        request[name] = chance.choice(('W/"1"', "*", "2020-01-01T00:00:00Z", "identifier=x", hostile(chance)))
    entry: dict[str, Any] = {"fullUrl": f"urn:uuid:1e9fbd32-6c3c-4d5f-9c62-3d3a2a8f4f{chance.randrange(16):02x}", "request": request}
    if method in ("POST", "PUT", "PATCH"):
        entry["resource"] = resource
    return entry


# --- Searches -----------------------------------------------------------------------------------------------------


def _search(requests: Requests) -> Sent:
    chance = requests.chance
    type = requests.type() if chance.random() < 0.9 else ""
    query = _query(requests, type)
    place = chance.choice((type, type, type, type, "Patient/seed/" + (type or "*"), "Encounter/x/*", "Device/1/Observation"))
    if chance.random() < 0.2:
        headers: tuple[Header, ...] = (("Content-Type", "application/x-www-form-urlencoded"),)
        return Sent("POST", f"{BASE}/{place}/_search".replace("//", "/").replace("/*", ""), headers, query.encode("utf-8", "surrogatepass"))
    return Sent("GET", f"{BASE}/{place}?{query}")


def _query(requests: Requests, type: str) -> str:
    chance = requests.chance
    pairs = [_pair(requests, type) for _ in range(chance.choice((1, 1, 1, 2, 3, 6)))]
    return "&".join(f"{_quoted(chance, name)}={_quoted(chance, value)}" for name, value in pairs)[:60_000]


def _quoted(chance: random.Random, text: str) -> str:
    text = text[:3000]
    if chance.random() < 0.02:
        return quote_from_bytes(spoiled(chance, text.encode("utf-8", "surrogatepass")))
    return _escaped(text, ":.|,$" if chance.random() < 0.5 else "")


def _pair(requests: Requests, type: str) -> tuple[str, str]:
    chance = requests.chance
    kind = chance.random()
    if kind < 0.55:
        return _parameter(requests, type)
    if kind < 0.65:
        return _chain(requests, type)
    if kind < 0.75:
        other = requests.type()
        name, value = _parameter(requests, other)
        reference = chance.choice(_references(requests, other))
        return f"_has:{other}:{reference}:{name}", value
    if kind < 0.97:
        return chance.choice(RESULT), _result_value(requests, type)
    return hostile(chance), hostile(chance)


def _parameter(requests: Requests, type: str) -> tuple[str, str]:
    chance = requests.chance
    name, kind = chance.choice(list(requests.parameters.get(type, requests.parameters[""]).items()))
    if name == "_filter":
        return name, chance.choice(CLEAN[name]) if chance.random() < 0.7 else hostile(chance)
    return name + chance.choice(MODIFIERS), _value(chance, kind)


def _value(chance: random.Random, kind: str) -> str:
    values = CLEAN.get(kind, CLEAN["token"])
    value = hostile(chance) if chance.random() < 0.5 else chance.choice(values)
    value = chance.choice(PREFIXES) + value if chance.random() < 0.4 else value
    return ",".join([value] + [chance.choice(values)] * chance.choice((1, 5, 300))) if chance.random() < 0.15 else value


def _references(requests: Requests, type: str) -> list[str]:
    return [name for name, kind in requests.parameters.get(type, {}).items() if kind == "reference"] or ["subject"]


def _chain(requests: Requests, type: str) -> tuple[str, str]:
    chance, parts, at = requests.chance, [], type
    for _ in range(chance.choice((1, 1, 2, 3, 12))):
        target = requests.type()
        parts.append(chance.choice(_references(requests, at)) + chance.choice(("", f":{target}", f":{hostile(chance)[:50]}" if chance.random() < 0.1 else "")))
        at = target
    name, value = _parameter(requests, at)
    return ".".join([*parts, name]), value


def _result_value(requests: Requests, type: str) -> str:
    chance = requests.chance
    names = list(requests.parameters.get(type, requests.parameters[""]))
    clean = (
        *("1", "0", "-1", "20", "1000000", "true", "false", "count", "data", "text", "accurate", "estimate", "none", "xml", "json", "*"),
        *(chance.choice(names), "-" + chance.choice(names), f"{type}:{chance.choice(names)}", f"{type}:{chance.choice(names)}:Patient", "*:*", f"{type}:*", "_id,-_lastUpdated"),
    )
    return chance.choice(clean) if chance.random() < 0.7 else hostile(chance)


def _escaped(text: str, safe: str = "") -> str:
    return quote(text, safe=safe, errors="surrogatepass")


# --- Everything else ----------------------------------------------------------------------------------------------


def _page(requests: Requests) -> Sent:
    chance = requests.chance
    if not requests.links:
        return Sent("GET", f"{BASE}/{chance.choice(('Patient', 'Observation', '_history', 'Patient/_history'))}?_count=1")
    link = chance.choice(requests.links)
    at = chance.randrange(len(link))
    link = chance.choice((link, link[:at], link[:at] + chance.choice("Aa0_-%&=~") + link[at + 1 :], link + "x", link.replace("Patient", "Observation"), link + "&_count=5"))
    return Sent("GET", BASE + link)


def _read(requests: Requests) -> Sent:
    chance = requests.chance
    text = _escaped(hostile(chance)[:300])
    place = chance.choice((requests.place(), requests.place(), f"{requests.type()}/{text}", f"{text}/1"))
    tail = chance.choice(("", "", "/_history", "/_history/1", "/_history/2", f"/_history/{text}", "/_history/99999999999999999", "/*", "/Observation", f"/{text}", "?_elements=id,name", "?_summary=true", "?_summary=text", "?_format=xml", f"?_format={text}", f"?_elements={text}", f"/_history?_since={text}&_count={text}", f"/_history?_at={text}"))
    return Sent(chance.choice(("GET", "GET", "GET", "HEAD", "DELETE")), f"{BASE}/{place}{tail}")


def _path(requests: Requests) -> Sent:
    chance = requests.chance
    parts = [chance.choice(("Patient", "seed", "_history", "_search", "$validate", "..", ".", "", "%2e%2e", "%00", "%ff", "%2f", "*", "metadata", _escaped(hostile(chance)[:200]))) for _ in range(chance.randint(1, 6))]
    root = chance.choice((BASE, BASE, BASE, "", "/metrics", "/openapi.json", "/health/ready", "/static", "/.well-known"))
    return Sent(chance.choice(("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "FOO")), "/".join([root, *parts]) or "/")


def _binary(requests: Requests) -> Sent:
    chance = requests.chance
    body = encoded(chance, chance.choice(TEXTS))
    type = chance.choice(("text/html", "application/pdf", "application/json", "application/xml", "image/svg+xml", "x", hostile(chance)[:100].replace("\r", "").replace("\n", "").replace("\x00", "")))
    return Sent(chance.choice(("POST", "PUT")), f"{BASE}/Binary" + chance.choice(("", "/b1", "/b2")), (("Content-Type", type),), body)


Make = Callable[[Requests], Sent]
KINDS: dict[Make, int] = {
    _create: 20, _update: 12, _conditional: 6, _xml: 3, _validate: 6, _operation: 4, _patch: 10, _bundle: 10,
    _search: 30, _page: 4, _read: 8, _path: 3, _binary: 2,
}
_KINDS, _WEIGHTS = list(KINDS), list(KINDS.values())
