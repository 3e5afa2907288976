"""Recordings on their way into a record in memory: in parts, once, erased when all is there, kept while it is not."""

import base64
from pathlib import Path
from typing import Any

import pytest

from resources.errors import FhirError, Unavailable
from resources.repository import Put
from resources.validation import check
from video.ports import Captured, Fact, FactKind, Recorded, Recording, Role, Source
from video.recording.vault import Vault, finished
from video.signalling.tests.consult import AesSealer
from video.visit.archive import Archive
from video.visit.consent import consent, consent_id, holds
from video.visit.tests.script import ADA, DOC, START, fact

MEMBERS = (Recorded("m1", Role.PATIENT, ADA, 3), Recorded("m2", Role.PRACTITIONER, DOC, 4))
RECORDING = Recording("room", 7, START, "Encounter/9", "Appointment/8", ADA, DOC, MEMBERS)


class Kept:
    """A record that keeps what is put; ``trouble`` is raised before a commit, or after it."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.marks: set[tuple[str, int]] = set()
        self.trouble: list[tuple[bool, FhirError] | None] = []

    def commit(self, commands: Any, marks: Any, told: Any) -> None:
        trouble = self.trouble.pop(0) if self.trouble else None
        if trouble and not trouble[0]:
            raise trouble[1]
        for put in commands:
            assert isinstance(put, Put) and put.if_none_match and put.id not in self.stored
            check(put.resource)
            self.stored[put.id] = put.resource
        self.marks |= {(mark.params["room"], mark.params["number"]) for mark in marks}
        if trouble:
            raise trouble[1]

    def written(self, facts: Any) -> frozenset[int]:
        return frozenset(one.number for one in facts if (one.room, one.number) in self.marks)

    def of(self, type: str) -> list[dict[str, Any]]:
        return [one for one in self.stored.values() if one["resourceType"] == type]


def write(folder: Path, seconds: int = 4, whole: bool = True, member: str = "m1") -> None:
    """Pictures that are key frames once a second, in two packets each."""
    vault = Vault(folder, AesSealer(), RECORDING, 100.0)
    for number in range(seconds * 10):
        key = number % 10 == 0
        frame = (b"\0" if key else b"\1") + b"\0\0\x9d\x01\x2a\x40\0\x30\0" + b"x" * 500
        packets = []
        for half, body in enumerate((b"\x10" + frame[:250], b"\0" + frame[250:])):
            head = b"\x80" + (b"\xe0" if half else b"\x60") + (2 * number + half).to_bytes(2, "big")
            packet = head + (number * 9000).to_bytes(4, "big") + b"cam!" + body
            packets.append(Captured(member, Source.CAMERA, "vp8", packet, None, 100 + number / 10))
        vault.add(packets)
    vault.close() if whole else vault.abandon()


def archive(folder: Path, record: Kept, largest: int = 1 << 24) -> Archive:
    return Archive(folder, AesSealer(), record, lambda: START + 60_000, largest)  # type: ignore[arg-type]


def test_a_recording_comes_in_parts_that_each_begin_with_a_key_frame(tmp_path: Path) -> None:
    record = Kept()
    write(tmp_path)
    assert archive(tmp_path, record, largest=6000).step() and list(tmp_path.iterdir()) == []
    [document], [provenance] = record.of("DocumentReference"), record.of("Provenance")
    attachments = [content["attachment"] for content in document["content"]]
    assert [one["title"] for one in attachments] == ["Recording, part 1 of 2", "Recording, part 2 of 2"]
    assert document["context"]["period"] == {"start": "2025-12-17T19:33:20.000Z", "end": "2025-12-17T19:33:23.900Z"}
    assert "description" not in document
    for one in attachments:
        content = base64.b64decode(record.stored[one["url"].removeprefix("Binary/")]["data"])
        assert content[:4] == b"\x1a\x45\xdf\xa3" and len(content) == one["size"]
    assert len(provenance["target"]) == 3
    assert [one["what"]["identifier"]["value"] for one in provenance["entity"]] == ["room.3", "room.4"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_whatever_fails_in_between_it_is_there_once(tmp_path: Path, after: bool, step: int) -> None:
    record = Kept()
    record.trouble = [None] * step + [(after, Unavailable("gone"))]
    write(tmp_path)
    once = archive(tmp_path, record, largest=6000)
    assert not once.step() and len(list(tmp_path.iterdir())) == 1
    assert once.step() and list(tmp_path.iterdir()) == []
    assert [len(record.of(type)) for type in ("Binary", "DocumentReference", "Provenance")] == [2, 1, 1]


def test_one_that_a_crash_cut_says_so_and_one_without_a_picture_makes_nothing(tmp_path: Path) -> None:
    record = Kept()
    write(tmp_path, whole=False)
    assert archive(tmp_path, record).step()
    assert "missing" in record.of("DocumentReference")[0]["description"]
    write(tmp_path, seconds=0)
    assert archive(tmp_path, other := Kept()).step() and other.stored == {} and list(tmp_path.iterdir()) == []


def test_what_is_not_ours_waits_for_a_person(tmp_path: Path) -> None:
    write(tmp_path)
    assert list(finished(tmp_path, AesSealer(b"x" * 32))) == []
    assert [path.suffix for path in tmp_path.iterdir()] == [".damaged"]


def given(number: int = 3, role: Role = Role.PATIENT) -> Fact:
    return fact(FactKind.CONSENT_GIVEN, number, 0, role)


def withdrawn() -> Fact:
    return fact(FactKind.CONSENT_WITHDRAWN, 9, 5, Role.PATIENT, agreement=3)


@pytest.mark.parametrize("role", Role)
def test_an_agreement_is_an_active_consent_of_who_gave_it(role: Role) -> None:
    made = consent(given(role=role), None)
    check(made)
    assert holds(made) and made["id"] == consent_id("room", 3)
    assert ("reference" in made["performer"][0]) == (role in (Role.PATIENT, Role.PRACTITIONER, Role.RELATED))
    assert made["provision"]["data"][0]["reference"] == {"reference": "Encounter/9"}


def test_what_is_withdrawn_stays_so_in_whatever_order_it_is_told() -> None:
    first, second = (consent(withdrawn(), consent(given(), None)), consent(given(), consent(withdrawn(), None)))
    for made in (first, second):
        check(made)
        assert made["status"] == "inactive" and not holds(made) and "end" in made["provision"]["period"]
    rejected = consent(given(), None) | {"status": "rejected"}
    assert consent(withdrawn(), rejected) == rejected and not holds(rejected)


def test_a_consent_that_denies_does_not_hold() -> None:
    made = consent(given(), None)
    assert not holds(made | {"provision": {"type": "deny"}})
