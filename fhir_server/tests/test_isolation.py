"""Two patients' data of every type with a patient compartment, a caller bound to one of them: no leaks, no oracles.

SMART App Launch 2.2 (patient/ scopes), FHIR R4 CompartmentDefinition patient. Each request is made twice: of the other
patient's resource and of one that never was; the two answers are compared byte by byte but for the name that was asked.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_server import wiring
from fhir_server.conftest import BASE, Answer, Client
from fhir_server.preparation import prepare
from fhir_server.search.restriction import SHARED
from fhir_server.settings import load
from fhir_server.tests.every_type import PATIENT, TYPES, instance
from resources.repository import WHOLE_RECORD, Caller, Grant, Grants

ANN = Caller("Patient/ann", grants=Grants((Grant("*", "cruds", compartment=("Patient", "ann"), confidential=True),)))
ALL = Caller("open", grants=WHOLE_RECORD)
CLOSED = ("Group",)
"""Never open to a patient, their own included: it shows its other members."""


_MOMENT = re.compile(rb'"lastUpdated":"[^"]*Z"')
"""When a Bundle was made."""
_CURSOR = re.compile(rb"(?<=_cursor=)[\w-]+")
"""Sealed, so that any three letters may turn up in it."""


class Two:
    """A server with two patients, asked as one of them or as who may see all."""

    def __init__(self, client: Client) -> None:
        self.client, self.caller = client, ANN
        client.application._caller_of = lambda request: self.caller

    def whole(self, method: str, path: str, body: Any = None, /, **headers: str) -> Answer:
        self.caller = ALL
        try:
            return self.client.send(method, path, body, **headers)
        finally:
            self.caller = ANN

    def fill(self) -> None:
        for name in ("ann", "bob"):
            for type in ["Patient", *(type for type in TYPES if type != "Patient")]:
                body = instance(type, f"Patient/{name}") if type != "Patient" else {"resourceType": "Patient"}
                id = _id(type, name)
                answer = self.whole("PUT", f"{type}/{id}", {**body, "id": id})
                assert answer.status == 201, (type, answer.body)

    def same(self, method: str, path: str, body: Any = None, /, **headers: str) -> int:
        """The status of both answers; ``NAME`` is the name asked for."""
        one, other = (self._asked(name, method, path, body, headers) for name in ("bob", "xyz"))
        assert one == other, (method, path)
        return one[0]

    def _asked(
        self, name: str, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        text = json.dumps(body).replace("NAME", name).encode() if body is not None else None
        given = {key: value.replace("NAME", name) for key, value in headers.items()}
        answer = self.client.send(method, path.replace("NAME", name), text, **given)
        told = {key: value for key, value in answer.headers.items() if key != "x-request-id"}
        if answer.status == 201:  # a resource of their own with an id and a time of its own
            return 201, {}, b""
        assert b"bob" not in _CURSOR.sub(b"", answer.body.replace(name.encode(), b"NAME")), (method, path, answer.body)
        return answer.status, told, _MOMENT.sub(b"", answer.body.replace(name.encode(), b"NAME"))

    def clean(self, path: str) -> Any:
        """An answer that tells nothing of the other patient."""
        answer = self.client.send("GET", path)
        assert answer.status == 200, (path, answer.body)
        assert b"bob" not in _CURSOR.sub(b"", answer.body), path
        return answer.json

    def ids(self, path: str) -> list[str]:
        entries = self.clean(path).get("entry", [])
        return [entry["resource"]["id"] for entry in entries if entry["search"]["mode"] == "match"]


def _id(type: str, name: str) -> str:
    return name if type == "Patient" else f"{type}-{name}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    from conftest import drop_postgresql, fresh_postgresql

    folder: Path = tmp_path_factory.mktemp("data")
    url = fresh_postgresql() if request.param == "postgresql" else ""
    values = {"DATA_DIR": str(folder), "PUBLIC_URL": BASE, "OPEN": True} | ({"DATABASE": url} if url else {})
    settings = load(values, {})
    prepare(settings)
    with wiring.Process(settings) as process:
        made = Two(Client(wiring.compose(process)))
        made.fill()
        yield made
    if url:
        drop_postgresql(url)


@pytest.mark.parametrize("type", TYPES)
def test_what_is_anothers_answers_as_what_never_was(two: Two, type: str) -> None:
    place = f"{type}/{_id(type, 'NAME')}"
    body = {**instance(type, "Patient/ann"), "id": _id(type, "NAME")}
    patch = [{"op": "add", "path": "/language", "value": "en"}]
    with_id = f"{type}?_id={_id(type, 'NAME')}"
    for path in ("", "/_history", "/_history/1", "/$meta"):
        assert two.same("GET", place + path) == 404
    assert two.same("GET", f"{place}/$validate?mode=delete") == 404
    assert two.same("GET", with_id) == 200
    for more in ("_summary=count", "_total=accurate", "_sort=_lastUpdated", "_include=*", "_count=1"):
        assert two.same("GET", f"{with_id}&{more}") == 200
    assert two.same("PUT", place, body) == 404
    assert two.same("PUT", place, body, If_Match='W/"1"') == 412
    assert two.same("PUT", place, {**instance(type, "Patient/bob"), "id": _id(type, "NAME")}) == 404
    assert two.same("PUT", with_id, body) == 404
    assert two.same("PATCH", place, patch, Content_Type="application/json-patch+json") == 404
    assert two.same("PATCH", with_id, patch, Content_Type="application/json-patch+json") == 404
    assert two.same("DELETE", place) == 204
    assert two.same("DELETE", place, If_Match='W/"1"') == 412
    assert two.same("DELETE", with_id) == 204
    assert two.same("POST", f"{place}/$meta-add", _LABEL) == 404
    created = two.same("POST", type, _of_ann(type), If_None_Exist=f"_id={_id(type, 'NAME')}")
    assert created == (403 if type in (*CLOSED, "Patient", "Schedule") else 201)
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": "Patient/ann"}}
    for reference in (place, f"{place}/_history/1", f"{BASE}/{place}"):
        linked = {**basic, "extension": [{"url": "urn:x", "valueReference": {"reference": reference}}]}
        assert two.same("POST", "Basic", linked) == 422
        assert two.same("POST", "", _bundle("transaction", "POST", "Basic", linked)) == 422
    for kind in ("batch", "transaction"):
        for method, url, resource in (
            ("GET", place, None), ("GET", with_id, None), ("PUT", place, body), ("DELETE", place, None),
        ):  # fmt: skip
            two.same("POST", "", _bundle(kind, method, url, resource))
    assert two.whole("GET", f"{type}/{_id(type, 'bob')}").headers["etag"] == 'W/"1"'


@pytest.mark.parametrize("type", TYPES)
def test_searches_find_the_own_and_nothing_of_the_other(two: Two, type: str) -> None:
    own = _id(type, "ann")
    for query in ("", "?_sort=_id", "?_sort=-_lastUpdated", "?_lastUpdated=ge2000", "?_include=*&_include:iterate=*"):
        found = two.ids(f"{type}{query}")
        assert (own in found) is (type not in CLOSED), query
    total = len(two.ids(f"{type}?_count=1000"))
    for query in ("_summary=count", "_total=accurate", "_total=estimate"):
        assert two.clean(f"{type}?{query}")["total"] == total
    two.clean(f"{type}/_history")
    for code in PATIENT[type]:
        reverse = f"Patient?_has:{type}:{code}"
        assert two.same("GET", f"{type}?{code}=Patient/NAME") == 200
        assert two.same("GET", f"{type}?{code}:Patient._id=NAME&_total=accurate") == 200
        assert two.same("GET", f"{reverse}:_id={_id(type, 'NAME')}") == 200
        assert two.ids(f"{reverse}:_lastUpdated=ge2000") == ([] if type in (*CLOSED, "Patient") else ["ann"])
        included = {e["resource"]["id"] for e in two.clean(f"Patient?_revinclude={type}:{code}").get("entry", [])}
        assert (own in included) is (type not in CLOSED)
        two.clean(f"{type}?_include={type}:{code}&_revinclude:iterate={type}:{code}")
    assert two.same("GET", f"Patient/NAME/{type}") == 200
    if type not in CLOSED:
        assert two.client.send("GET", f"{type}/{own}").status == 200
        assert two.clean(f"{type}/{own}/_history")["total"] == 1
        assert two.client.send("GET", f"{type}/{own}/_history/1").status == 200
        assert own in two.ids(f"Patient/ann/{type}") or type == "Schedule"


def test_what_spans_types_tells_nothing_of_the_other(two: Two) -> None:
    expected = {_id(type, "ann") for type in TYPES if type not in CLOSED}
    assert expected <= {e["resource"]["id"] for e in two.clean("_history?_count=1000")["entry"]}
    assert expected <= set(two.ids("?_count=1000"))
    assert expected - {"Schedule-ann"} <= {e["resource"]["id"] for e in two.clean("Patient/ann/$everything")["entry"]}
    two.clean("Patient/ann/*?_count=1000")
    two.clean("Patient?_revinclude=*&_include:iterate=*")
    two.clean("$meta")
    assert two.same("GET", "Patient/NAME/$everything") == 404
    assert two.same("GET", "Patient/NAME/*") == 200


def test_page_links_lead_nowhere_else(two: Two) -> None:
    page = two.clean("_history?_count=7")
    seen = 0
    while following := [link["url"] for link in page["link"] if link["relation"] == "next"]:
        seen += len(page["entry"])
        page = two.clean(following[0].removeprefix(f"{BASE}/"))
    assert seen + len(page["entry"]) == len(two.clean("_history?_count=1000")["entry"])
    foreign = next(link["url"] for link in two.whole("GET", "Observation?_count=1").json["link"] if
                   link["relation"] == "next")  # fmt: skip
    assert two.client.send("GET", foreign.removeprefix(f"{BASE}/")).status == 403


@pytest.mark.parametrize("type", sorted(SHARED & {"Practitioner", "Organization", "Location", "Medication"}))
def test_shared_types_are_read_under_a_scope_that_names_them(two: Two, type: str) -> None:
    named = {"name": "Clinic"} if type == "Organization" else {}
    assert two.whole("PUT", f"{type}/shared", {"resourceType": type, "id": "shared", **named}).status == 201
    for granted, status in ((type, 200), ("Observation", 403)):
        grants = Grants((Grant(granted, "rs", compartment=("Patient", "ann")),))
        two.caller = Caller("Patient/ann", grants=grants)
        try:
            assert two.client.send("GET", f"{type}/shared").status == status
            assert two.client.send("GET", type).status == status
        finally:
            two.caller = ANN


_LABEL = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"code": "x"}]}}]}


def _of_ann(type: str) -> dict[str, Any]:
    return {"resourceType": "Patient"} if type == "Patient" else instance(type, "Patient/ann")


def _bundle(kind: str, method: str, url: str, resource: dict[str, Any] | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"request": {"method": method, "url": url}}
    return {"resourceType": "Bundle", "type": kind, "entry": [entry | ({"resource": resource} if resource else {})]}
