"""Transactions: all or nothing, references among entries, every kind of entry."""

from typing import Any

import pytest

from fhir_server.conftest import BASE, Answer, Client
from fhir_server.repository import transaction

URN = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"


def entry(method: str, url: str, resource: Any = None, **more: Any) -> dict[str, Any]:
    request = {"method": method, "url": url, **more.pop("request", {})}
    return {"request": request, **({"resource": resource} if resource else {}), **more}


def send(client: Client, *entries: Any, **headers: str) -> Answer:
    return client.send("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}, **headers)


def observation(subject: str) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": subject}}


def test_references_among_entries(client: Client) -> None:
    answer = send(
        client,
        entry("POST", "Observation", observation(URN)),
        entry("POST", "Patient", {"resourceType": "Patient"}, fullUrl=URN),
    )
    assert answer.status == 200, answer.body
    first, second = (e["response"] for e in answer.json["entry"])
    assert first["status"] == second["status"] == "201 Created"
    assert first["etag"] == 'W/"1"'
    stored = client.send("GET", first["location"]).json
    assert stored["subject"]["reference"] == second["location"].partition("/_history")[0]


def test_reads_come_after_writes(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    answer = send(
        client,
        entry("GET", f"Patient/{id}"),
        entry("GET", f"Patient?_id={id}"),
        entry("GET", f"Patient/{id}/_history/1"),
        entry("PUT", f"{BASE}/Patient/{id}", {"resourceType": "Patient", "id": id, "active": True}),
        entry("GET", f"Patient/{id}", request={"ifNoneMatch": 'W/"2"'}),
    )
    read, found, first, put, same = answer.json["entry"]
    assert read["resource"]["active"] is True
    assert found["resource"]["type"] == "searchset"
    assert found["resource"]["entry"][0]["resource"]["active"] is True
    assert "active" not in first["resource"]
    assert put["response"]["status"] == "200 OK"
    assert same["response"]["status"] == "304 Not Modified"


def test_conditional_entries(client: Client) -> None:
    who = {"resourceType": "Patient", "identifier": [{"system": "urn:t", "value": "1"}]}
    made = send(client, entry("POST", "Patient", who, request={"ifNoneExist": "identifier=urn:t|1"})).json
    again = send(
        client,
        entry("POST", "Patient", who, request={"ifNoneExist": "identifier=urn:t|1"}, fullUrl=URN),
        entry("POST", "Observation", observation(URN)),
        entry("POST", "Observation", observation("Patient?identifier=urn:t|1")),
    ).json
    assert again["entry"][0]["response"]["status"] == "200 OK"
    place = made["entry"][0]["response"]["location"].partition("/_history")[0]
    for made_entry in again["entry"][1:]:
        assert client.send("GET", made_entry["response"]["location"]).json["subject"]["reference"] == place
    changed = send(
        client,
        entry("PATCH", "Patient?identifier=urn:t|1", {
            "resourceType": "Binary", "contentType": "application/json-patch+json",
            "data": "W3sib3AiOiJhZGQiLCJwYXRoIjoiL2FjdGl2ZSIsInZhbHVlIjp0cnVlfV0=",
        }),
        Prefer="return=representation",
    ).json  # fmt: skip
    assert changed["entry"][0]["resource"]["active"] is True
    assert changed["entry"][0]["fullUrl"] == f"{BASE}/{place}"


def test_prefer_outcome(client: Client) -> None:
    answer = send(client, entry("POST", "Patient", {"resourceType": "Patient"}), Prefer="return=OperationOutcome")
    assert answer.json["entry"][0]["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_one_bad_entry_stores_nothing(client: Client) -> None:
    before = client.send("GET", "Patient?_summary=count").json["total"]
    answer = send(
        client,
        entry("POST", "Patient", {"resourceType": "Patient"}),
        entry("POST", "Patient", {"resourceType": "Patient", "gender": "blue"}),
    )
    assert answer.status == 400
    assert answer.issue["details"]["text"].startswith("Bundle.entry[1]: ")
    assert answer.issue["expression"] == ["Bundle.entry[1].resource.gender"]
    assert client.send("GET", "Patient?_summary=count").json["total"] == before


def test_all_bad_entries_are_told(client: Client) -> None:
    answer = send(client, entry("GET", "Patients/1"), entry("POST", "Patient"), entry("GET", "_history"), {})
    places = [issue["expression"][0] for issue in answer.json["issue"]]
    assert places == [f"Bundle.entry[{n}]" for n in range(4)]


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        (entry("GET", "Patient/absent"), 404),
        (entry("PUT", "Patient/x", {"resourceType": "Patient", "id": "y"}), 400),
        (entry("PUT", "Patient/x", {"resourceType": "Patient", "id": "x"}, request={"ifMatch": 'W/"4"'}), 412),
        (entry("POST", "Observation", observation("Patient/absent")), 422),
        (entry("DELETE", "Patient"), 412),
        (entry("POST", "Patient/1", {"resourceType": "Patient"}), 400),
        (entry("PUT", "", {"resourceType": "Patient"}), 400),
        (entry("GET", "Patient/$nothing"), 400),
        (entry("PATCH", "Patient/x", {"resourceType": "Binary", "contentType": "a/b"}), 415),
    ],
)
def test_a_bundle_of_one_names_its_entry(client: Client, bad: dict[str, Any], status: int) -> None:
    answer = send(client, bad)
    assert answer.status == status, answer.body
    assert answer.issue["details"]["text"].startswith("Bundle.entry[0]")


def test_same_resource_twice(client: Client) -> None:
    put = entry("PUT", "Patient/t1", {"resourceType": "Patient", "id": "t1"})
    assert send(client, put, entry("DELETE", "Patient/t1")).issue["code"] == "duplicate"


def test_a_duplicate_is_named_beside_what_else_is_wrong(client: Client) -> None:
    put = entry("PUT", "Patient/t1", {"resourceType": "Patient", "id": "t1"})
    answer = send(client, put, put, entry("POST", "ValueSet/$lookup", {"resourceType": "Parameters"}))
    assert answer.status == 400
    assert sorted(issue["code"] for issue in answer.json["issue"]) == ["duplicate", "not-supported"]


def test_deletes(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    answer = send(client, entry("DELETE", f"Patient/{id}"), entry("DELETE", "Patient/never"))
    assert [e["response"]["status"] for e in answer.json["entry"]] == ["204 No Content", "204 No Content"]
    assert client.send("GET", f"Patient/{id}").status == 410


def test_thousands_of_entries(client: Client) -> None:
    answer = send(
        client, *(entry("POST", "Basic", {"resourceType": "Basic", "code": {"text": str(n)}}) for n in range(2000))
    )
    assert answer.status == 200
    assert len(answer.json["entry"]) == 2000


def test_what_is_read_has_a_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    id = client.create({"resourceType": "Patient", "name": [{"text": "x" * 2000}]})
    asked = [entry("GET", f"Patient?_id={id}"), entry("GET", f"Patient/{id}"), entry("GET", f"Patient?_id={id}")]
    stored = entry("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}})
    assert send(client, *asked, stored).status == 200
    before = client.send("GET", "Basic?_summary=count").json["total"]
    monkeypatch.setattr(transaction, "MOST_READ", 5000)
    refused = send(client, *asked, stored)
    assert (refused.status, refused.issue["code"]) == (422, "too-costly")
    assert refused.issue["diagnostics"].startswith("Bundle.entry[2]: ")
    assert client.send("GET", "Basic?_summary=count").json["total"] == before
