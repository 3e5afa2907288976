"""Search of a type, the system and a compartment; GET and POST; strict and lenient."""

from urllib.parse import urlsplit

import pytest

from fhir_server.conftest import BASE, Client

FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def patient(client: Client) -> str:
    id = client.create({"resourceType": "Patient", "name": [{"family": "Searched"}]})
    for day in range(1, 6):
        observation = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "urn:c", "code": "k"}]},
            "subject": {"reference": f"Patient/{id}"},
            "effectiveDateTime": f"2024-01-0{day}",
        }
        client.create(observation)
    return id


def test_type(client: Client, patient: str) -> None:
    bundle = client.send("GET", f"Observation?patient={patient}&code=urn:c|k&_sort=-date").json
    dates = [entry["resource"]["effectiveDateTime"] for entry in bundle["entry"]]
    assert bundle["type"] == "searchset"
    assert dates == sorted(dates, reverse=True)
    assert bundle["link"][0]["url"].startswith(f"{BASE}/Observation?")


def test_pages_by_links(client: Client, patient: str) -> None:
    place, seen = f"Observation?patient={patient}&_count=2", []
    while place:
        bundle = client.send("GET", place).json
        seen += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        parts = urlsplit(links.get("next", ""))
        place = f"Observation?{parts.query}" if parts.query else ""
    assert len(seen) == len(set(seen)) == 5


def test_post_and_get_agree(client: Client, patient: str) -> None:
    get = client.send("GET", f"Observation?patient={patient}&code=k").json
    post = client.send("POST", "Observation/_search?code=k", f"patient={patient}".encode(), Content_Type=FORM).json
    assert [e["fullUrl"] for e in get["entry"]] == [e["fullUrl"] for e in post["entry"]]


def test_post_needs_a_form(client: Client) -> None:
    assert client.send("POST", "Observation/_search", {"resourceType": "Patient"}).status == 415
    assert client.send("POST", "Observation/_search", b"\xff", Content_Type=FORM).status == 400
    assert client.send("POST", "Observation/_search").status == 200


def test_compartment(client: Client, patient: str) -> None:
    bundle = client.send("GET", f"Patient/{patient}/Observation?code=k").json
    assert len(bundle["entry"]) == 5
    assert client.send("GET", "Location/1/Observation").status == 404
    assert client.send("GET", f"Patient/{patient}/Nothing").status == 404


def test_system(client: Client, patient: str) -> None:
    bundle = client.send("GET", f"?_type=Patient&_id={patient}").json
    assert [entry["resource"]["id"] for entry in bundle["entry"]] == [patient]


def test_unknown_parameter_strict_and_lenient(client: Client) -> None:
    strict = client.send("GET", "Patient?famly=x")
    assert strict.status == 400
    assert "family" in strict.issue["details"]["text"]
    lenient = client.send("GET", "Patient?famly=x", Prefer="handling=lenient")
    assert lenient.status == 200
    assert lenient.json["entry"][-1]["search"]["mode"] == "outcome"


def test_format_stays_in_links(client: Client) -> None:
    bundle = client.send("GET", "Patient?family=Searched&_format=json").json
    assert bundle["link"][0]["url"].endswith("_format=json")


def test_xml(client: Client, patient: str) -> None:
    answer = client.send("GET", f"Patient?_id={patient}", Accept="application/fhir+xml")
    assert answer.status == 200
    assert b'<Bundle xmlns="http://hl7.org/fhir">' in answer.body
    assert b'<family value="Searched"/>' in answer.body


def test_count_only(client: Client, patient: str) -> None:
    bundle = client.send("GET", f"Observation?patient={patient}&_summary=count").json
    assert bundle["total"] == 5
    assert "entry" not in bundle


def test_numbers_beyond_those_of_the_machine(client: Client) -> None:
    text = '{"resourceType":"Observation","status":"final","code":{"text":"far"},"valueQuantity":{"value":%s}}'
    ids = [client.send("POST", "Observation", (text % n).encode()).json["id"] for n in ("1e400", "-1e400", "0.5")]
    for by in ("value-quantity", "code"):
        bundle = client.send("GET", f"Observation?_id={','.join(ids)}&_sort={by}").json
        assert sorted(entry["resource"]["id"] for entry in bundle["entry"]) == sorted(ids)
