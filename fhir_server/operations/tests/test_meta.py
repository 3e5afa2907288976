"""$meta, $meta-add and $meta-delete."""

from typing import Any

from fhir_server.conftest import Client
from fhir_server.operations.meta import added, removed

A, B = {"system": "urn:t", "code": "a"}, {"system": "urn:t", "code": "b"}


def meta_of(answer: Any) -> dict[str, Any]:
    [part] = answer.json["parameter"]
    assert part["name"] == "return"
    found: dict[str, Any] = part["valueMeta"]
    return found


def given(**meta: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def test_instance(client: Client) -> None:
    id = client.create({"resourceType": "Patient", "meta": {"tag": [A]}})
    found = meta_of(client.send("GET", f"Patient/{id}/$meta"))
    assert (found["tag"], found["versionId"]) == ([A], "1")
    assert client.send("GET", "Patient/absent/$meta").status == 404


def test_add_and_delete(client: Client) -> None:
    id = client.create({"resourceType": "Patient", "meta": {"tag": [A]}})
    more = meta_of(client.send("POST", f"Patient/{id}/$meta-add", given(tag=[A, B], profile=["http://x/p"])))
    assert (more["tag"], more["profile"]) == ([A, B], ["http://x/p"])
    less = meta_of(client.send("POST", f"Patient/{id}/$meta-delete", given(tag=[A], profile=["http://x/p"])))
    assert less["tag"] == [B]
    assert "profile" not in less
    assert client.send("GET", f"Patient/{id}").json["meta"]["tag"] == [B]


def test_in_use(client: Client) -> None:
    client.create({"resourceType": "Group", "type": "person", "actual": True, "meta": {"tag": [A, B]}})
    client.create({"resourceType": "Group", "type": "person", "actual": True, "meta": {"tag": [B]}})
    in_use = meta_of(client.send("GET", "Group/$meta"))
    assert sorted(tag["code"] for tag in in_use["tag"]) == ["a", "b"]
    assert "versionId" not in in_use
    assert A in meta_of(client.send("GET", "$meta"))["tag"]


def test_wrong_calls(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    assert client.send("GET", f"Patient/{id}/$meta-add").status == 405
    assert client.send("POST", f"Patient/{id}/$meta-add").status == 400
    assert client.send("POST", "Patient/$meta-add", given(tag=[A])).status == 404


def test_added_and_removed() -> None:
    assert added({}, {"tag": [A]}) == {"tag": [A]}
    assert added({"tag": [A]}, {"tag": [A]}) == {"tag": [A]}
    assert removed({"tag": [A], "versionId": "1"}, {"tag": [A]}) == {"versionId": "1"}


def test_what_is_no_meta_is_refused(client: Client) -> None:
    id = client.create({"resourceType": "Patient"})
    for operation in ("$meta-add", "$meta-delete"):
        for wrong in ({"tag": ["x"]}, {"tag": {}}, {"profile": 1}, {"security": [None]}):
            assert client.send("POST", f"Patient/{id}/{operation}", given(**wrong)).status == 400
