"""Search parameters that are stored, over the wire: in force at once, in the statement, reindexed when asked."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_server import indexing, wiring
from fhir_server.conftest import BASE, Client
from fhir_server.preparation import prepare
from fhir_server.settings import load
from fhir_server.store.tests.stored_parameters import parameter, patient


def _told(answer: Any) -> dict[str, Any]:
    return {p["name"]: p.get("valueCode", p.get("valueInteger")) for p in answer.json["parameter"] if "part" not in p}


def _colours(client: Client) -> list[str]:
    stated = client.send("GET", "metadata").json["rest"][0]["resource"]
    [patients] = [row for row in stated if row["type"] == "Patient"]
    return [p["definition"] for p in patients["searchParam"] if p["name"] == "colour"]


@pytest.fixture
def process(database_url: str, tmp_path: Path) -> Iterator[wiring.Process]:
    settings = load({"DATABASE": database_url, "DATA_DIR": str(tmp_path), "PUBLIC_URL": BASE, "OPEN": True}, {})
    prepare(settings)
    with wiring.Process(settings) as made:
        yield made


@pytest.fixture
def client(process: wiring.Process) -> Client:
    """The whole server, on either database."""
    return Client(wiring.compose(process))


def _work(process: wiring.Process) -> None:
    """What the worker does with what waits."""
    indexing.work(process.store, threading.Event())


def test_the_life_of_a_parameter(client: Client, process: wiring.Process) -> None:
    for n in range(4):
        assert client.send("PUT", f"Patient/p{n}", patient(n, "red" if n else "")).status == 201
    assert client.send("GET", "Patient?colour=red").status == 400
    assert _colours(client) == []
    assert client.send("PUT", "SearchParameter/colour", parameter()).status == 201
    assert _colours(client) == ["https://h.example/colour"]
    bundle = client.send("GET", "Patient?colour=red").json
    [entry] = bundle["entry"]
    assert entry["search"]["mode"] == "outcome"
    [issue] = entry["resource"]["issue"]
    assert (issue["severity"], issue["code"]) == ("warning", "incomplete")
    assert bundle["link"][0]["url"].endswith("/Patient?colour=red")
    assert _told(client.send("GET", "SearchParameter/colour/$reindex"))["status"] == "indexing"
    refused = client.send("POST", "Patient", patient(9, "red"), If_None_Exist="colour=red")
    assert refused.status == 503
    _work(process)
    assert _told(client.send("GET", "SearchParameter/colour/$reindex")) == {"status": "ready", "done": 4, "total": 4}
    bundle = client.send("GET", "Patient?colour=red&_sort=-_id").json
    assert [e["resource"]["id"] for e in bundle["entry"]] == ["p3", "p2", "p1"]
    assert _told(client.send("POST", "SearchParameter/colour/$reindex"))["status"] == "indexing"
    assert _told(client.send("POST", "$reindex"))["status"] == "indexing"
    _work(process)
    answer = client.send("GET", "$reindex")
    assert _told(answer)["status"] == "ready"
    [part] = [p["part"] for p in answer.json["parameter"] if p["name"] == "parameter"]
    assert part[0]["valueUri"] == "https://h.example/colour"
    assert client.send("DELETE", "SearchParameter/colour").status == 204
    assert client.send("GET", "Patient?colour=red").status == 400
    assert _colours(client) == []
    assert client.send("POST", "SearchParameter/colour/$reindex").status == 410
    _work(process)


def test_a_bad_one_is_refused_with_its_place(client: Client) -> None:
    answer = client.send("POST", "SearchParameter", parameter(expression="Patient.colour"))
    assert answer.status == 422
    assert answer.issue["expression"] == ["SearchParameter.expression"]
    assert "no element 'colour'" in answer.issue["details"]["text"]
    validated = client.send("POST", "SearchParameter/$validate", parameter(expression="Patient.colour"))
    assert "no element 'colour'" in validated.json["issue"][0]["details"]["text"]


def test_a_draft_is_not_in_force(client: Client) -> None:
    assert client.send("PUT", "SearchParameter/hue", parameter("hue", status="draft")).status == 201
    answer = client.send("POST", "SearchParameter/hue/$reindex")
    assert answer.status == 422
    assert "not active" in answer.issue["details"]["text"]


def test_lenient_searches_learn_of_it_too(client: Client, process: wiring.Process) -> None:
    assert client.send("PUT", "SearchParameter/tint", parameter("tint")).status == 201
    answer = client.send("GET", "Patient?tint=red", Prefer="handling=lenient")
    assert "is being built" in answer.json["entry"][0]["resource"]["issue"][0]["details"]["text"]
    assert client.send("DELETE", "SearchParameter/tint").status == 204
    _work(process)
