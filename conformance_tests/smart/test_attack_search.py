"""Attacks on the record with a patient's token: another patient's data, and every oracle about it."""

import re
from typing import Any

import pytest

from conformance_tests.client import Client, Json
from conformance_tests.smart.app import App
from conformance_tests.smart.provider import Provider

requirement = pytest.mark.requirement

FORM = "application/x-www-form-urlencoded"
ABSENT = "zzzzzz"


@pytest.fixture
def ada_s(standalone: Json, growth: App) -> Client:
    """The record as Ada's app sees it."""
    return growth.record(standalone["access_token"])


def answer(record: Client, path: str, **more: Any) -> tuple[int, str]:
    """Status and body, without what differs from request to request."""
    got = record.get(f"{record.base}/{path}", expect=tuple(range(200, 600)), **more)
    text = re.sub(r'"(timestamp|lastUpdated)":"[^"]*"', "", got.text)
    return got.status_code, re.sub(r'"(id|url)":"[0-9a-f-]{36}[^"]*"', "", text)


def _without_links(text: str) -> str:
    """Page links are sealed: any three letters may turn up in them."""
    return re.sub(r'"link":\[.*?\]', "", text)


@requirement("attack:21 direct reads")
@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("Patient/{}", "bob"),
        ("Patient/{}/_history", "bob"),
        ("Patient/{}/_history/1", "bob"),
        ("Patient/{}/$everything", "bob"),
        ("Observation/{}", "laboratory-bob"),
        ("Observation/{}/_history", "laboratory-bob"),
        ("Observation/{}/_history/1", "laboratory-bob"),
        ("Encounter/{}/$everything", "visit-of-bob"),
    ],
)
def test_what_is_anothers_answers_as_what_is_not_there(ada_s: Client, path: str, id: str) -> None:
    theirs = answer(ada_s, path.format(id))
    nobodys = answer(ada_s, path.format(ABSENT))
    assert theirs[0] == nobodys[0] in (403, 404)
    assert theirs[1].replace(id, "-") == nobodys[1].replace(ABSENT, "-")


@requirement("attack:23 histories")
@pytest.mark.parametrize("path", ["_history", "Patient/_history", "Observation/_history"])
def test_no_history_shows_anothers_data(ada_s: Client, path: str) -> None:
    status, text = answer(ada_s, path)
    assert status in (200, 403)
    assert "bob" not in _without_links(text) and "Babbage" not in text


ORACLES = (
    ("Observation?subject:Patient.name={}", "Babbage"),
    ("Observation?patient={}", "bob"),
    ("Observation?patient=Patient/{}", "bob"),
    ("Observation?subject={}", "Patient/bob"),
    ("Observation?subject={base}/Patient/{}", "bob"),
    ("Observation?subject=Patient/{}/_history/1", "bob"),
    ("Observation?subject=PATIENT/{}", "bob"),
    ("Observation?subject=//Patient/{}", "bob"),
    ("Observation?subject:identifier=urn:x-clinic|{}", "MRN-bob"),
    ("Observation?subject:Patient.identifier=urn:x-clinic|{}", "MRN-bob"),
    ("Observation?_id={}", "laboratory-bob"),
    ("Observation?_id={},laboratory-ada&_id=laboratory-bob", "laboratory-bob"),
    ("Observation?value-string={}", "of bob"),
    ("Patient?_has:Observation:patient:_id={}", "laboratory-bob"),
    ("Patient?_has:Observation:patient:value-string={}", "of bob"),
    ("Practitioner?_has:Observation:performer:_id={}", "laboratory-bob"),
    ("Practitioner?_has:Observation:performer:patient={}", "bob"),
    ("Practitioner?_has:Patient:general-practitioner:name={}", "Babbage"),
    ("Patient?name={}", "Babbage"),
    ("Patient?identifier=urn:x-clinic|{}", "MRN-bob"),
    ("Patient?link={}", "Patient/bob"),
    ("Encounter?_id={}", "visit-of-bob"),
    ("Encounter?subject:Patient.family={}", "Babbage"),
    ("?_type=Observation,Patient&_id={}", "laboratory-bob"),
)


@requirement("attack:24 chains")
@requirement("attack:25 oracles")
@requirement("attack:31 references")
@pytest.mark.parametrize(("query", "secret"), ORACLES, ids=lambda text: text)
@pytest.mark.parametrize("shape", ["", "&_summary=count", "&_total=accurate", "&_sort=-_lastUpdated"])
def test_no_search_tells_of_anothers_data(ada_s: Client, query: str, secret: str, shape: str) -> None:
    """A search for what another has answers as the search for what nobody has."""
    asked = query.replace("{base}", ada_s.base)
    theirs = answer(ada_s, asked.format(secret) + shape)
    nobodys = answer(ada_s, asked.format(ABSENT) + shape)
    assert theirs[0] == nobodys[0]
    assert _without_echo(theirs[1], secret) == _without_echo(nobodys[1], ABSENT)


def _without_echo(text: str, asked: str) -> str:
    """Without the query, which the self link repeats."""
    return re.sub(r'"link":\[.*?\]', "", text).replace(asked, "-")


@requirement("attack:26 includes")
@pytest.mark.parametrize(
    "query",
    [
        "Practitioner?_id=grace&_revinclude=*",
        "Practitioner?_id=grace&_revinclude=Patient:general-practitioner",
        "Practitioner?_id=grace&_revinclude=Observation:performer",
        "Practitioner?_id=grace&_revinclude:iterate=Observation:performer&_include:iterate=Observation:subject",
        "Observation?performer=Practitioner/grace&_include=*",
        "Observation?_include=Observation:subject&_revinclude:iterate=Condition:subject",
        "Patient?_id=ada&_include=*&_revinclude=*&_include:iterate=*&_revinclude:iterate=*",
        "Practitioner/grace/Observation?",
    ],
)
def test_nothing_of_another_comes_along(ada_s: Client, query: str) -> None:
    status, text = answer(ada_s, query)
    assert status in (200, 400, 403, 404)
    assert "-bob" not in text and "Babbage" not in text and "Patient/bob" not in text


@requirement("attack:29 compartments")
@pytest.mark.parametrize("path", ["Patient/{}/Observation", "Patient/{}/*", "Patient/{}/Condition?_summary=count"])
def test_anothers_compartment_answers_as_nobodys(ada_s: Client, path: str) -> None:
    theirs, nobodys = (answer(ada_s, path.format(id)) for id in ("bob", ABSENT))
    assert theirs[0] == nobodys[0]
    assert _without_echo(theirs[1], "bob") == _without_echo(nobodys[1], ABSENT)
    assert answer(ada_s, path.format("ada"))[0] == 200


@requirement("attack:30 conflicting parameters")
@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("patient=ada", "patient=bob"),
        ("patient=bob", "patient=ada"),
        ("", "patient=bob"),
        ("patient=bob", ""),
        ("patient=ada,bob", "patient=bob,ada"),
        ("subject=Patient/ada", "patient=bob"),
    ],
)
def test_no_mix_of_query_and_body_reaches_another(ada_s: Client, query: str, body: str) -> None:
    path = "Observation/_search" + (f"?{query}" if query else "")
    got = ada_s.request("POST", path, body, type=FORM, expect=(200, 400))
    assert "-bob" not in got.text and "of bob" not in got.text


@requirement("attack:20 shared caches")
@pytest.mark.parametrize("path", ["Patient/ada", "Observation?patient=ada", "Patient/ada/_history", "Patient/bob"])
def test_no_shared_cache_keeps_an_answer(ada_s: Client, path: str) -> None:
    headers = ada_s.get(path, expect=(200, 404)).headers
    directives = {word.strip() for word in headers["cache-control"].split(",")}
    assert "no-store" in directives or "private" in directives
    assert "authorization" in headers.get("vary", "").lower() or "no-store" in directives


@requirement("attack:19 page tokens")
def test_a_page_of_another_caller_is_not_mine(provider: Provider, ada_s: Client, launched: Json, growth: App) -> None:
    """A link of a search by Grace, who sees all, gives Ada's app nothing of Bob."""
    grace_s = growth.record(launched["access_token"])
    first = grace_s.search("Observation", {"_count": "2"})
    following = next(each["url"] for each in first["link"] if each["relation"] == "next")
    got = ada_s.get(following, expect=(200, 400, 403, 404, 410))
    assert "-bob" not in got.text and "of bob" not in got.text


@requirement("attack:43 audit trail")
@pytest.mark.parametrize("path", ["AuditEvent", "AuditEvent?entity=Patient/bob"])
def test_the_audit_trail_is_not_a_patients(ada_s: Client, path: str) -> None:
    status, text = answer(ada_s, path)
    assert status in (200, 403) and "bob" not in _without_links(text)


@requirement("attack:35 groups")
def test_a_list_of_others_shows_no_members(ada_s: Client, provider: Provider, growth: App, tag: str) -> None:
    members = [{"entity": {"reference": f"Patient/{id}"}} for id in ("ada", "bob")]
    group = {"resourceType": "Group", "id": tag, "type": "person", "actual": True, "member": members}
    provider.operator.put(f"Group/{tag}", group, expect=201)
    status, text = answer(ada_s, f"Group/{tag}")
    assert status in (200, 403, 404) and "Patient/bob" not in text
    status, text = answer(ada_s, f"Patient?_has:Group:member:_id={tag}")
    assert "Babbage" not in text
