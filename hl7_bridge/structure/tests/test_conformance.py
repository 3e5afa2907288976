"""Findings of the conformance check: each kind once, none for a clean message, and an end in time."""

import re
from pathlib import Path

import pytest

from hl7_bridge.er7 import Message, parse
from hl7_bridge.er7.batch import split
from hl7_bridge.errors import Unreadable
from hl7_bridge.structure.conformance import Finding, check

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/hl7v2"
CLEAN = [
    "MSH|^~\\&|LAB|A|HEARTH|B|20260102030405+0100||ORU^R01^ORU_R01|1|P|2.5.1",
    "PID|1||7^^^MRN&1.2&ISO^MR||Person^Test||19700101|F",
    "OBR|1||F1^LAB|24323-8^Panel^LN|||20260102",
    'OBX|1|NM|2345-7^Glucose^LN||5.1|mmol/L|""|N|||F',
    "ZAB|anything",
]


def message(*changes: tuple[str, str], add: tuple[str, ...] = ()) -> Message:
    text = "\r".join([*CLEAN, *add])
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode())


def told(read: Message) -> list[tuple[str, str, str]]:
    return [(finding.code.number, str(finding.place or ""), finding.severity) for finding in check(read)]


def test_a_clean_message_has_no_finding() -> None:
    assert told(message()) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("|2.5.1", "|2.5.9", ("203", "MSH-12", "W")),
        ("ORU^R01^ORU_R01", "ZZZ^Z01", ("200", "MSH-9", "E")),
        ("^ORU_R01", "^ORU_R99", ("103", "MSH-9.3", "W")),
        ("Person^Test", "", ("101", "PID-5", "E")),
        ("19700101", "1970-01-01", ("102", "PID-7.1", "E")),
        ("19700101", "19701301", ("102", "PID-7.1", "E")),
        ("19700101|F", "19700101|X", ("103", "PID-8", "W")),
        ("19700101|F", "19700101|F~M", ("198", "PID-8", "E")),
        ("|5.1|", "|five|", ("102", "OBX-5", "E")),
        ("|5.1|", "|<5|", ("102", "OBX-5", "E")),
        ("|NM|", "|XX|", ("103", "OBX-2", "E")),
        ("|||F\r", "|||Q\r", ("103", "OBX-11", "E")),
        ("OBR|1||", "OBR|x||", ("102", "OBR-1", "E")),
        ("Panel^LN", "Panel^LN^^^^more", ("199", "OBR-4.7", "W")),
        ("|P|2.5.1", "|P|2.5.1" + "|" * 20 + "x", ("199", "MSH-22", "W")),
        ("OBR|1||F1^LAB|", "PV1|1|I\rOBR|1||F1^LAB|", None),
        ("ZAB|", "SCH|", ("100", "SCH", "E")),
        ("ZAB|", "XYZ|", ("100", "XYZ", "W")),
        ("ZAB|anything", "free text", ("100", "???", "E")),
    ],
)
def test_each_kind_of_finding(old: str, new: str, expected: tuple[str, str, str] | None) -> None:
    found = told(message((old, new)))
    assert found == [] if expected is None else expected in found


def test_missing_and_repeated_segments() -> None:
    assert ("100", "OBX", "E") in told(message((CLEAN[2] + "\r", "")))
    assert [finding.text for finding in check(parse(CLEAN[0].encode()))] == [
        "PATIENT_RESULT is missing in the message."
    ]
    twice = parse(
        f"{CLEAN[0].replace('ORU^R01^ORU_R01', 'ADT^A01^ADT_A01')}\rEVN||2026\r{CLEAN[1]}\rPV1|1|I\rPV1|1|I".encode()
    )
    assert ("198", "PV1[2]", "E") in told(twice)


def test_no_text_quotes_what_the_message_says() -> None:
    found = check(message(("19700101|F", "Secret|Hidden"), ("|5.1|", "|Private|")))
    assert len(found) >= 3 and not re.search("Secret|Hidden|Private", " ".join(finding.text for finding in found))


def test_the_check_ends_in_time_and_number() -> None:
    bad = message(add=("OBX|x",) * 500)
    assert len(check(bad, most=10)) == 11
    ticks = iter(range(10_000))
    late = check(bad, seconds=20, clock=lambda: float(next(ticks)))
    assert late[-1] == Finding(late[-1].code, "The check ended early: there may be more.", None, "I") and len(late) < 30


@pytest.mark.samples
def test_samples_can_be_checked() -> None:
    paths = [path for path in sorted(SAMPLES.rglob("*")) if path.suffix in (".hl7", ".txt")][::5]
    if not paths:
        pytest.skip("no sample data")
    for path in paths:
        try:
            read = [parse(raw, "latin-1") for raw in split(path.read_bytes()).messages]
        except Unreadable:
            continue
        for each in read:
            check(each, seconds=60)
