"""$everything of a patient and of an encounter."""

from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from fhir_server.conftest import Client


def reference(type: str, id: str) -> dict[str, str]:
    return {"reference": f"{type}/{id}"}


@pytest.fixture(scope="module")
def record(client: Client) -> dict[str, str]:
    """A patient with an encounter, three observations and a practitioner, and somebody else's chart."""
    patient, other = (client.create({"resourceType": "Patient"}) for _ in range(2))
    doctor = client.create({"resourceType": "Practitioner"})
    encounter = client.create(
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": reference("Patient", patient),
            "participant": [{"individual": reference("Practitioner", doctor)}],
        }
    )
    for year in (2021, 2022, 2023):
        observe(client, patient, f"{year}-06-01", encounter)
    observe(client, other, "2022-06-01")
    return {"patient": patient, "other": other, "doctor": doctor, "encounter": encounter}


def observe(client: Client, patient: str, date: str, encounter: str = "") -> None:
    seen = {"encounter": reference("Encounter", encounter)} if encounter else {}
    client.create(
        {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "effectiveDateTime": date,
         "subject": reference("Patient", patient), **seen}
    )  # fmt: skip


def types(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["resourceType"] for entry in bundle.get("entry", [])]


def test_patient(client: Client, record: dict[str, str]) -> None:
    bundle = client.send("GET", f"Patient/{record['patient']}/$everything").json
    assert types(bundle) == ["Patient", "Encounter", "Observation", "Observation", "Observation", "Practitioner"]
    assert bundle["entry"][-1]["search"]["mode"] == "include"
    assert record["other"] not in str(bundle)


def test_types_and_dates(client: Client, record: dict[str, str]) -> None:
    place = f"Patient/{record['patient']}/$everything"
    assert types(client.send("GET", f"{place}?_type=Observation").json) == ["Observation"] * 3
    dated = client.send("GET", f"{place}?_type=Observation&start=2022-01-01&end=2022-12-31").json
    assert [e["resource"]["effectiveDateTime"] for e in dated["entry"]] == ["2022-06-01"]
    assert types(client.send("GET", f"{place}?_since=2100-01-01T00:00:00Z&_type=Observation").json) == []


def test_post(client: Client, record: dict[str, str]) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "_type", "valueCode": "Encounter"}]}
    assert types(client.send("POST", f"Patient/{record['patient']}/$everything", body).json) == ["Encounter"]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_pages(client: Client, record: dict[str, str], count: int) -> None:
    start = f"Patient/{record['patient']}/$everything"
    place, seen = f"{start}?_count={count}", []
    while place:
        bundle = client.send("GET", place).json
        matches = [e["resource"]["id"] for e in bundle.get("entry", []) if e["search"]["mode"] == "match"]
        assert len(matches) <= count
        seen += matches
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        query = urlsplit(links.get("next", "")).query
        place = f"{start}?{query}" if query else ""
    assert len(seen) == len(set(seen)) == 5


def test_encounter(client: Client, record: dict[str, str]) -> None:
    found = types(client.send("GET", f"Encounter/{record['encounter']}/$everything").json)
    assert found[0] == "Encounter"
    assert found.count("Observation") == 3
    assert {"Patient", "Practitioner"} <= set(found)


def test_wrong_calls(client: Client, record: dict[str, str]) -> None:
    place = f"Patient/{record['patient']}/$everything"
    assert client.send("GET", "Patient/absent/$everything").status == 404
    assert client.send("GET", f"{place}?_type=Patients").status == 400
    assert client.send("GET", f"{place}?_cursor=Nothing").status == 400
    assert client.send("GET", f"{place}?colour=red").status == 400
    assert client.send("GET", f"Encounter/{record['encounter']}/$everything?start=2022").status == 400


@pytest.mark.parametrize(
    "link", ["x", "_count=1", "_count=x&_cursor=y", "_cursor=y", "_count=1&_cursor=y", "_count=5&code=1&_cursor=y"]
)
def test_a_link_that_the_server_did_not_make(client: Client, record: dict[str, str], link: str) -> None:
    answer = client.send("GET", f"Patient/{record['patient']}/$everything?_cursor={quote('Observation?' + link)}")
    assert answer.status == 400, answer.json


def test_pages_of_a_narrowed_record(client: Client, record: dict[str, str]) -> None:
    start, seen = f"Patient/{record['patient']}/$everything", 0
    place = f"{start}?_type=Observation&_since=2020-01-01T00:00:00Z&start=2021-01-01&end=2022-12-31&_count=1"
    while place:
        bundle = client.send("GET", place).json
        seen += sum(entry["search"]["mode"] == "match" for entry in bundle.get("entry", ()))
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        query = urlsplit(links.get("next", "")).query
        place = f"{start}?{query}" if query else ""
    assert seen == 2
