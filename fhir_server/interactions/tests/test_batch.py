"""Batches: each entry alone."""

from dataclasses import replace
from typing import Any

import pytest

from fhir_server.conftest import Answer, Client

BASIC = {"resourceType": "Basic", "code": {"text": "x"}}


def send(client: Client, *entries: Any) -> Answer:
    return client.send("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": list(entries)})


def entry(method: str, url: str, resource: Any = None) -> dict[str, Any]:
    return {"request": {"method": method, "url": url}, **({"resource": resource} if resource else {})}


def test_failures_do_not_touch_the_others(client: Client) -> None:
    answer = send(
        client,
        entry("POST", "Patient", {"resourceType": "Patient", "gender": "blue"}),
        entry("POST", "Patient", {"resourceType": "Patient"}),
        entry("GET", "Patient/absent"),
        {"request": {"method": "GET"}},
        entry("BREW", "Patient"),
    )
    assert answer.status == 200
    statuses = [e["response"]["status"][:3] for e in answer.json["entry"]]
    assert statuses == ["400", "201", "404", "400", "400"]
    outcome = answer.json["entry"][0]["response"]["outcome"]
    assert outcome["issue"][0]["expression"] == ["Bundle.entry[0].resource.gender"]


def test_what_is_no_plain_interaction_is_done_too(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    answer = send(
        client,
        entry("GET", f"Patient/{id}/_history"),
        entry("GET", f"Patient/{id}/$meta"),
        entry("GET", "metadata"),
        entry("POST", "Patient/$validate", {"resourceType": "Patient", "gender": "blue"}),
        entry("GET", f"Patient/{id}/$nothing"),
        entry("POST", "Patient/_search"),
    )
    statuses = [e["response"]["status"][:3] for e in answer.json["entry"]]
    types = [e.get("resource", {}).get("resourceType") for e in answer.json["entry"]]
    assert statuses[:5] == ["200", "200", "200", "200", "404"]
    assert types[:4] == ["Bundle", "Parameters", "CapabilityStatement", "OperationOutcome"]


def test_no_bundle_in_a_bundle(client: Client) -> None:
    inner = {"resourceType": "Bundle", "type": "batch"}
    assert send(client, entry("POST", "", inner)).json["entry"][0]["response"]["status"][:3] == "400"


def test_what_is_read_has_a_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    id = client.create({"resourceType": "Patient", "name": [{"text": "x" * 2000}]})
    service = replace(client.application._service, body_max=4000)
    monkeypatch.setattr(client.application, "_service", service)
    asked = [entry("GET", f"Patient/{id}"), entry("GET", f"Patient?_id={id}"), entry("GET", f"Patient/{id}/$meta")]
    answer = send(client, *asked, entry("GET", f"Patient/{id}"), entry("POST", "Basic", BASIC), *asked)
    found = [(e["response"]["status"][:3], e["response"].get("outcome")) for e in answer.json["entry"]]
    assert [status for status, _ in found] == ["200", "200", "422", "422", "201", "422", "422", "422"]
    assert found[2][1]["issue"][0]["code"] == "too-costly"
