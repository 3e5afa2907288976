"""What the server puts into a resource, and that it changes nothing else."""

from fhir_server.repository.stamp import document, stamped
from resources import json_codec


def test_identity_replaces_what_was_sent_and_all_else_stays() -> None:
    sent = {
        "resourceType": "Patient",
        "meta": {"versionId": "9", "tag": [{"code": "x"}]},
        "id": "theirs",
        "active": True,
    }
    made = stamped(sent, "p1", 3, 1_700_000_000_123)
    assert list(made) == ["resourceType", "id", "meta", "active"]
    assert made["id"] == "p1" and made["active"] is True
    assert made["meta"] == {"versionId": "3", "tag": [{"code": "x"}], "lastUpdated": "2023-11-14T22:13:20.123Z"}
    assert sent["id"] == "theirs" and sent["meta"] == {"versionId": "9", "tag": [{"code": "x"}]}
    assert json_codec.decode(document(made)) == made


def test_a_resource_without_meta() -> None:
    made = stamped({"resourceType": "Patient", "meta": None}, "p1", 1, 0)
    assert made["meta"] == {"versionId": "1", "lastUpdated": "1970-01-01T00:00:00.000Z"}
