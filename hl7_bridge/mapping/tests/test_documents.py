"""Document messages to DocumentReferences."""

import base64
from pathlib import Path

import pytest

from hl7_bridge.er7 import parse
from hl7_bridge.errors import Malformed
from hl7_bridge.mapping.account import account
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.mapping.model import Entry, Key, Mapped, Policy
from hl7_bridge.mapping.tests.pharmacy_messages import PID, PV1, SENDER, entries, only
from resources.validation import check

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/hl7v2"
PARENT = "|D0^EHR"
EVN = "EVN||20260101120000+0000"


def txa(number: str = "D1^EHR", parent: str = "", completion: str = "AU", availability: str = "AV") -> str:
    people = "5^Writer^Ann|6^Signer^Bob"
    return (
        f"TXA|1|PN|TX|20260101100000+0000||20260101110000+0000|||{people}||{number}|{parent}|||note.txt"
        f"|{completion}|R|{availability}||||||Visit note"
    )


def documents(event: str, *segments: str) -> Mapped:
    """What one message comes to, every resource checked."""
    head = f"MSH|^~\\&|DOCS|HOSP|HEARTH|HOSP|20260101120000+0000||MDM^{event}^MDM_T02|C1|P|2.6"
    found = map_message(parse(("\r".join([head, EVN, *segments]) + "\r").encode()), SENDER)
    for entry in found.entries:
        check(entry.resource)
    return found


def document(event: str, *segments: str) -> Entry:
    return entries(documents(event, PID, PV1, *segments), "DocumentReference")[0]


def texts(entry: Entry) -> list[str]:
    return [base64.b64decode(each["attachment"].get("data", "")).decode() for each in entry.resource["content"]]


def test_a_note_with_its_lines() -> None:
    lines = ("OBX|1|TX|N^Note||first", "OBX|2|TX|N^Note||second \\T\\ last~third", "OBX|3|FT|O^Other||a\\.br\\b")
    entry = document("T02", txa(), *lines)
    made = entry.resource
    assert (entry.keys, entry.policy) == ((Key("urn:id:EHR", "D1"),), Policy.RESULT)
    assert texts(entry) == ["first\nsecond & last\nthird", "a\nb"]
    assert [each["attachment"]["title"] for each in made["content"]] == ["Note", "Other"]
    assert (made["status"], made["docStatus"], made["description"]) == ("current", "final", "Visit note")
    assert made["type"]["coding"][0]["system"].endswith("v2-0270")
    assert made["securityLabel"][0]["coding"][0]["code"] == "R"
    assert len(made["author"]) == 1 and "reference" in made["authenticator"]
    assert made["context"]["period"] == {"start": "2026-01-01T10:00:00+00:00"}
    assert len(made["context"]["encounter"]) == 1


def test_files_are_passed_on_as_they_are() -> None:
    files = ("OBX|1|ED|R^Report||^AP^PDF^Base64^JVBERi0=", "OBX|2|RP|I^Image||http://x/y^^IM^JPEG")
    first, second = document("T02", txa(), *files).resource["content"]
    assert first["attachment"] == {"contentType": "application/pdf", "data": "JVBERi0=", "title": "Report"}
    assert second["attachment"]["url"] == "http://x/y"


@pytest.mark.parametrize("event", ["T01", "T03", "T05", "T07", "T09", "T11"])
def test_what_is_only_announced_leaves_the_content_alone(event: str) -> None:
    assert document(event, txa()).defaults == {"content"}


@pytest.mark.parametrize(
    ("event", "completion", "availability", "status", "state"),
    [
        ("T02", "PA", "AV", "current", "preliminary"),
        ("T02", "LA", "", "current", "final"),
        ("T08", "AU", "AV", "current", "amended"),
        ("T04", "AU", "OB", "superseded", "final"),
        ("T11", "AU", "AV", "entered-in-error", "entered-in-error"),
    ],
)
def test_states(event: str, completion: str, availability: str, status: str, state: str) -> None:
    made = document(event, txa(completion=completion, availability=availability)).resource
    assert (made["status"], made["docStatus"]) == (status, state)
    assert ("_status" in made) == (availability == "OB")


def test_a_document_in_error_does_not_come_back() -> None:
    assert document("T02", txa()).as_of < document("T08", txa()).as_of < document("T11", txa()).as_of


@pytest.mark.parametrize(("event", "code"), [("T06", "appends"), ("T08", "replaces"), ("T10", "replaces")])
def test_what_it_belongs_to(event: str, code: str) -> None:
    entry = document(event, txa(parent="D0^EHR"), "OBX|1|TX|N||more")
    assert entry.resource["relatesTo"][0]["code"] == code
    assert entry.pending == (Key("urn:id:EHR", "D0"),)
    assert "relatesTo" not in document(event, txa(parent="D1^EHR")).resource


def test_what_is_replaced_is_current_no_more() -> None:
    _, before = entries(documents("T10", PID, PV1, txa(parent="D0^EHR"), "OBX|1|TX|N||new"), "DocumentReference")
    assert (before.resource["status"], before.policy) == ("superseded", Policy.REGISTER)
    assert before.defaults == {"subject", "content", "masterIdentifier"}


def test_the_orders_it_answers() -> None:
    found = documents("T02", PID, "ORC|RE|P1^EHR|F1^LAB", "OBR|1|P1^EHR|F1^LAB|X^Scan", txa(), "OBX|1|TX|N||seen")
    assert only(found, "DocumentReference").resource["context"]["related"] == [only(found, "ServiceRequest").reference]
    assert entries(found, "Observation") == []


def test_a_visit_that_nothing_names_is_not_referred_to() -> None:
    found = documents("T02", PID, "PV1|1|N", txa(), "OBX|1|TX|N||seen")
    assert "encounter" not in only(found, "DocumentReference").resource["context"]


def test_a_message_without_txa_or_patient_is_malformed() -> None:
    for segments in ((PID,), (txa(),)):
        with pytest.raises(Malformed):
            documents("T02", *segments)


def test_all_samples_are_mapped_and_valid() -> None:
    if not SAMPLES.exists():
        pytest.skip("no sample data")
    paths = [each for each in sorted(SAMPLES.rglob("*")) if each.is_file() and each.suffix in (".hl7", ".txt")]
    messages = [parse(each.read_bytes()) for each in paths if b"|MDM^" in each.read_bytes()[:400]]
    for message in messages:
        for entry in map_message(message, SENDER).entries:
            check(entry.resource)
        places = {trace.place for trace in account(message, SENDER)}
        assert len(places) >= sum(len(list(segment.populated())) for segment in message.segments)
    assert len(messages) > 10
