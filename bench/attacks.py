"""Requests made to exhaust a server: each must be refused, or answered, in bounded time and memory.

Bodies are made when they are needed, as some are large. Rows: name, request, the statuses that are right.
"""
# ruff: noqa: E501 rows of hostile values are kept one to a line

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bench.fuzz_requests import BASE
from bench.raw_http import Header, Sent

JSON: tuple[Header, ...] = (("Content-Type", "application/fhir+json"),)
XML: tuple[Header, ...] = (("Content-Type", "application/fhir+xml"),)
GZIP: Header = ("Content-Encoding", "gzip")
_MB = 1 << 20
_NS = 'xmlns="http://hl7.org/fhir"'


class Attack(NamedTuple):
    """``statuses`` are the right answers."""

    name: str
    make: Callable[[], Sent]
    statuses: frozenset[int]


_BAD = frozenset({400, 413})
_FITS = frozenset({200, 201, 400, 403, 404, 406, 413, 414, 422, 431})


def _post(body: Callable[[], bytes], *headers: Header, target: str = f"{BASE}/Patient") -> Callable[[], Sent]:
    return lambda: Sent("POST", target, headers or JSON, body())


def _patient(member: str) -> bytes:
    return b'{"resourceType":"Patient",%s}' % member.encode("utf-8", "surrogatepass")


def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(_MB)) for _ in range(megabytes)) + packer.flush()


def _members() -> bytes:
    return gzip.compress(b"") * 500_000


def _attributes() -> bytes:
    return f"<Patient {_NS} {' '.join(f'a{i}=' + repr('') for i in range(100_000))}/>".encode()


def _laughs() -> bytes:
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha"}">' for i in range(10))
    return f'<!DOCTYPE Patient [{entities}]><Patient {_NS}><id value="&e9;"/></Patient>'.encode()


def _chunked(size: int) -> Sent:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    headers = (*JSON, ("Transfer-Encoding", "chunked"))
    return Sent("POST", f"{BASE}/Patient", headers, chunk * (size // 65536) + b"0\r\n\r\n")


BODIES: tuple[Attack, ...] = tuple(
    Attack(name, make, _BAD)
    for name, make in (
        ("10,000 nested arrays", _post(lambda: _patient('"name":' + "[" * 10_000 + "]" * 10_000))),
        ("10,000 nested objects", _post(lambda: _patient('"name":' + '{"a":' * 10_000 + "1" + "}" * 10_000))),
        ("10,000 nested extensions", _post(lambda: _patient('"extension":[{"url":"x",' * 10_000 + '"id":"x"' + "}]" * 10_000))),
        ("60 MB of opening brackets", _post(lambda: b"[" * (60 * _MB))),
        ("60 MB of brackets in a string", _post(lambda: _patient('"id":"' + "[" * (60 * _MB) + '"'))),
        ("10,000 nested XML elements", _post(lambda: b"<Patient>" * 10_000 + b"</Patient>" * 10_000, *XML)),
        ("200,000-digit integer", _post(lambda: _patient('"multipleBirthInteger":' + "9" * 200_000))),
        ("200,000-digit decimal", _post(lambda: _patient('"x":0.' + "1" * 200_000))),
        ("200,000-digit exponent", _post(lambda: _patient('"x":1e' + "9" * 200_000))),
        ("exponent of 999,999,999", _post(lambda: _patient('"multipleBirthInteger":1e999999999'))),
        ("200,000-digit XML value", _post(lambda: f'<Patient {_NS}><multipleBirthInteger value="{"9" * 200_000}"/></Patient>'.encode(), *XML)),
        ("a duplicate key", _post(lambda: _patient('"active":true,"active":false'))),
        ("an escaped duplicate key", _post(lambda: _patient('"active":true,"\\u0061ctive":false'))),
        ("500,000 duplicate keys", _post(lambda: _patient(",".join(['"a":1'] * 500_000)))),
        ("NaN", _post(lambda: _patient('"x":NaN'))),
        ("Infinity", _post(lambda: _patient('"x":-Infinity'))),
        ("a lone surrogate, escaped", _post(lambda: _patient('"id":"\\ud800"'))),
        ("a lone surrogate, as bytes", _post(lambda: _patient('"id":"\ud800"'))),
        ("100 MB body", _post(lambda: _patient('"id":"' + "x" * (100 * _MB) + '"'))),
        ("100 MB body, chunked", lambda: _chunked(100 * _MB)),
        ("64 MB of text", _post(lambda: _patient('"id":"' + "x" * (63 * _MB) + '"'))),
        ("2,900,000 small values", _post(lambda: _patient('"x":[' + ",".join(["{}"] * 1_450_000) + "]"))),
        ("60 MB of numbers", _post(lambda: _patient('"x":[' + "1," * (30 * _MB) + "1]"))),
        ("200,000 unknown elements", _post(lambda: _patient(",".join(f'"a{i}":1' for i in range(200_000))))),
        ("200,000 wrong names", _post(lambda: _patient('"name":[' + ",".join(['{"famly":1}'] * 200_000) + "]"))),
        ("an unknown name of 10 MB", _post(lambda: _patient('"' + "a" * (10 * _MB) + '":1'))),
        ("gzip bomb of 2 GB", _post(lambda: _bomb(2048), *JSON, GZIP)),
        ("500,000 gzip members", _post(_members, *JSON, GZIP)),
        ("gzip in gzip", _post(lambda: gzip.compress(_bomb(512)), *JSON, GZIP)),
        ("XML entity bomb", _post(_laughs, *XML)),
        ("XML external entity", _post(lambda: f'<!DOCTYPE P [<!ENTITY x SYSTEM "file:///etc/passwd">]><Patient {_NS}><id value="&x;"/></Patient>'.encode(), *XML)),
        ("XML external DTD", _post(lambda: f'<!DOCTYPE P SYSTEM "http://127.0.0.1:9/x.dtd"><Patient {_NS}/>'.encode(), *XML)),
        ("XML parameter entity", _post(lambda: f'<!DOCTYPE P [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><Patient {_NS}/>'.encode(), *XML)),
        ("XML quadratic entity", _post(lambda: f'<!DOCTYPE P [<!ENTITY x "{"a" * 100_000}">]><Patient {_NS}><id value="{"&x;" * 50_000}"/></Patient>'.encode(), *XML)),
        ("100,000 XML attributes", _post(_attributes, *XML)),
        ("1,000,000 XML elements", _post(lambda: f"<Patient {_NS}>{'<active/>' * 1_000_000}</Patient>".encode(), *XML)),
        ("XInclude", _post(lambda: f'<Patient {_NS} xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd"/></Patient>'.encode(), *XML)),
        ("a stylesheet instruction", _post(lambda: f'<?xml-stylesheet href="file:///etc/passwd"?><Patient {_NS}><x/></Patient>'.encode(), *XML)),
        ("UTF-16 XML", _post(lambda: f'<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE P><Patient {_NS}/>'.encode("utf-16"), *XML)),
    )
)


# --- Well-formed, but costly --------------------------------------------------------------------------------------


def _get(place: str) -> Callable[[], Sent]:
    return lambda: Sent("GET", f"{BASE}/{place}")


def _form(place: str, query: Callable[[], str]) -> Callable[[], Sent]:
    kind = (("Content-Type", "application/x-www-form-urlencoded"),)
    return lambda: Sent("POST", f"{BASE}/{place}/_search", kind, query().encode())


def _values(name: str, form: str, count: int) -> str:
    return f"{name}=" + ",".join(form.format(number % 1000, number // 1000 + 1) for number in range(count))


def _patched(kind: str, body: Callable[[], bytes]) -> Callable[[], Sent]:
    return lambda: Sent("PATCH", f"{BASE}/Patient/seed", (("Content-Type", kind),), body())


def _json_patch(*operations: Any) -> Callable[[], Sent]:
    return _patched("application/json-patch+json", lambda: json.dumps(operations).encode())


def _fhirpath(*paths: str) -> Callable[[], Sent]:
    def body() -> bytes:
        parts = [[{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}] for path in paths]
        parameters = [{"name": "operation", "part": part} for part in parts]
        return json.dumps({"resourceType": "Parameters", "parameter": parameters}).encode()

    return _patched("application/fhir+json", body)


def _xml_patch(selector: str) -> Callable[[], Sent]:
    body = f'<diff xmlns:f="http://hl7.org/fhir"><remove sel="{selector}"/></diff>'
    return _patched("application/xml-patch+xml", body.encode)


def _bundle(entries: Callable[[], Iterator[dict[str, Any]]], kind: str = "batch") -> Callable[[], Sent]:
    def body() -> bytes:
        return json.dumps({"resourceType": "Bundle", "type": kind, "entry": list(entries())}).encode()

    return _post(body, target=BASE)


def _asks(url: str, times: int) -> Iterator[dict[str, Any]]:
    return ({"request": {"method": "GET", "url": url}} for _ in range(times))


def _links(count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        resource = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": f"urn:uuid:{number + 1:036}"}}
        yield {"fullUrl": f"urn:uuid:{number:036}", "resource": resource, "request": {"method": "POST", "url": "Basic"}}


_COPIES = [{"op": "add", "path": "/contact", "value": [{"name": {"text": "x" * 1000}}]}]
_COPIES += [{"op": "copy", "from": "/contact", "path": "/contact/-"} for _ in range(60)]
_DOUBLES = [{"op": "copy", "from": "/name", "path": "/extension/-"} for _ in range(30_000)]
_EVIL = "a" * 40 + "!"

COSTLY: tuple[Attack, ...] = tuple(
    Attack(name, make, _FITS)
    for name, make in (
        ("_count of a billion", _get("Patient?_count=1000000000")),
        ("_count beyond 64 bits", _get("Patient?_count=99999999999999999999999")),
        ("everything included", _get("Patient?_include=*&_revinclude=*&_include:iterate=*&_revinclude:iterate=*&_count=1000")),
        ("a chain of 100", _get("Observation?" + "subject:Patient.general-practitioner:Practitioner." * 50 + "name=x")),
        ("a chain around a cycle", _get("Organization?" + "partof." * 100 + "name=x")),
        ("_has in _has, 60 deep", _get("Patient?" + "_has:Observation:subject:_has:Patient:link:" * 30 + "name=x")),
        ("10,000 values", _form("Observation", lambda: _values("code", "c{}-{}", 10_000))),
        ("2,500 values", _form("Observation", lambda: _values("code", "c{}-{}", 2_500))),
        ("2,500 values, negated", _form("Observation", lambda: _values("code:not", "c{}-{}", 2_500))),
        ("2,500 dates", _form("Observation", lambda: _values("date", "ap1{:03}-0{}", 2_500))),
        ("2,500 quantities", _form("Observation", lambda: _values("value-quantity", "ap{}.{}||mg", 2_500))),
        ("9,000 parameters", _form("Patient", lambda: "&".join(f"name=x{i}" for i in range(9_000)))),
        ("9,000 parameters of the same", _form("Patient", lambda: "&".join(["name=x"] * 9_000))),
        ("100,000 parameters", _form("Patient", lambda: "&".join(["name=x"] * 100_000))),
        ("9,000 sort keys", _form("Patient", lambda: "_sort=" + ",".join(["name", "-birthdate"] * 4_500))),
        ("9,000 chains", _form("Observation", lambda: "&".join(f"subject:Patient.name=x{i}" for i in range(9_000)))),
        ("3,000 _has", _form("Patient", lambda: "&".join(f"_has:Observation:subject:code=x{i}" for i in range(3_000)))),
        ("5,000 includes", _form("Patient", lambda: "&".join(["_revinclude:iterate=Observation:subject"] * 5_000))),
        ("a value of 10 MB", _form("Patient", lambda: "name:contains=" + "%25_" * (3 * _MB))),
        ("10 MB of commas", _form("Patient", lambda: "name=" + "," * (10 * _MB))),
        ("10 MB of backslashes", _form("Patient", lambda: "name=" + "\\" * (10 * _MB))),
        ("a number of 100,000 digits", _form("RiskAssessment", lambda: "probability=" + "9" * 100_000)),
        ("a number of 1e-999999999", _get("RiskAssessment?probability=ap1e-999999999")),
        ("a unit of 100,000 powers", _form("Observation", lambda: "value-quantity=1||" + "m2." * 33_000)),
        ("a unit 5,000 deep", _form("Observation", lambda: "value-quantity=1||" + "(" * 5_000 + "m" + ")" * 5_000)),
        ("_elements of 100,000", _form("Patient", lambda: "_elements=" + ",".join(f"e{i}" for i in range(100_000)))),
        ("_id of 10,000", _form("Patient", lambda: "_id=" + ",".join(f"p{i}" for i in range(10_000)))),
        ("a path of 50,000 segments", _get("x/" * 50_000)),
        ("1,000 headers", lambda: Sent("GET", f"{BASE}/Patient", tuple((f"X-{i}", "x") for i in range(1000)))),
        ("a header of 1 MB", lambda: Sent("GET", f"{BASE}/Patient", (("Accept", "a/b," * 250_000),))),
        ("50,000 Accept ranges", lambda: Sent("GET", f"{BASE}/Patient", (("Accept", "a/b,," * 10_000),))),
        ("matches() that backtracks", _fhirpath(f"Patient.name.where('{_EVIL}'.matches('^(a+)+$'))")),
        ("replaceMatches() that backtracks", _fhirpath(f"Patient.name.where('{_EVIL * 50}'.replaceMatches('(a|a)*b', 'x') = 'x')")),
        ("matches() with nested counts", _fhirpath("Patient.name.where('a'.matches('((a{1,1000}){1,1000}){1,1000}'))")),
        ("repeat() without end", _fhirpath("Patient.name.repeat($this | $this)")),
        ("a product of unions", _fhirpath("Patient" + ".descendants().descendants()" * 20)),
        ("powers of powers", _fhirpath("Patient.name.where(" + "9.9.power(" * 20 + "9" + ")" * 20 + " > 1)")),
        ("doubled strings", _fhirpath("Patient.name.where(" + "('x'" + " & 'xxxxxxxxxx'" * 5000 + ").length() > 1)")),
        ("replaced strings", _fhirpath("Patient.name.where('aaaaaaaaaa'" + ".replace('a','aaaaaaaaaa')" * 12 + ".length() > 1)")),
        ("100,000 brackets", _fhirpath("(" * 100_000 + "Patient" + ")" * 100_000)),
        ("10,000 steps", _fhirpath("Patient" + ".name" * 10_000)),
        ("aggregate that grows", _fhirpath("Patient.descendants().aggregate($total & $total & 'x', 'x')")),
        ("combinations", _fhirpath("Patient.descendants()" + ".select(%context.descendants())" * 6)),
        ("500 FHIRPath operations", _fhirpath(*["Patient.descendants().where(descendants().exists())"] * 500)),
        ("JSON Patch copies that double", _json_patch(*_COPIES)),
        ("30,000 JSON Patch copies", _json_patch(*_DOUBLES)),
        ("a JSON pointer of 1 MB", _json_patch({"op": "add", "path": "/a" * 500_000, "value": 1})),
        ("nested by JSON Patch", _json_patch(*[{"op": "move", "from": "/name", "path": "/contact"}] * 9_000)),
        ("an XPath that counts", _xml_patch("//*[count(//*[count(//*[count(//*) &gt; 1]) &gt; 1]) &gt; 1]")),
        ("an XPath that reads a file", _xml_patch("document('file:///etc/passwd')")),
        ("an XPath 50,000 steps deep", _xml_patch("/*" * 50_000)),
        ("an XML patch with entities", _patched("application/xml-patch+xml", _laughs)),
        ("5,000 reads in a batch", _bundle(lambda: _asks("Patient/seed", 5_000))),
        ("50 searches in a batch", _bundle(lambda: _asks("Patient?_include=*&_revinclude=*&_count=1000", 50))),
        ("a transaction of 2,000 in a line", _bundle(lambda: _links(2_000), "transaction")),
        ("bundles in bundles", _bundle(lambda: iter([{"resource": {"resourceType": "Bundle", "type": "batch", "entry": list(_asks("Patient", 5))}, "request": {"method": "POST", "url": "/"}}]))),
        ("everything of a patient", _get("Patient/seed/$everything?_count=1000")),
        ("_since of year 0", _get("_history?_since=0000-01-01T00:00:00Z")),
    )
)
