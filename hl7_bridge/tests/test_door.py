import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.door import Arrival, Caps, arrive, incoming, lanes
from hl7_bridge.er7 import parse
from hl7_bridge.ports import State
from hl7_bridge.site.model import Sender

LAB = Sender("lab", authority="urn:lab", authorities={"HOSP": "urn:hosp"}, types=("ORU", "ADT^A08"))
HEAD = "MSH|^~\\&|LAB|A|||20260101||ORU^R01|7|P|2.5.1\r"


def at_the_door(text, sender=LAB, caps=Caps(segments=50, repetitions=20)):  # noqa: B008 frozen
    raw = text if isinstance(text, bytes) else text.encode()
    return arrive(raw, lambda application, facility: sender if application == "LAB" else None, caps)


def test_a_good_message_becomes_a_row():
    found = at_the_door(HEAD + "PID|||5^^^HOSP~6\rORC|RE|P1|F1\rOBR|1|P2|F2\r")
    row = incoming(found, 9)
    assert (found.error, row.state, row.sender, row.received) == (None, State.RECEIVED, "lab", 9)
    assert (row.control_id, row.type, row.event, row.version) == ("7", "ORU", "R01", "2.5.1")
    assert row.lanes == ("urn:hosp|5", "urn:lab|6")
    assert (row.patient, row.placer, row.filler) == ("5", "P1", "F1")


def test_a_merge_waits_for_both_patients():
    message = parse(b"MSH|^~\\&|LAB||||1||ADT^A40|7|P|2.5.1\rPID|||5^^^HOSP\rMRG|8^^^&1.2.3&ISO~9^^^HOSP\r")
    assert lanes(message, LAB) == ("urn:hosp|5", "urn:hosp|9", "urn:oid:1.2.3|8")
    assert lanes(parse(b"MSH|^~\\&|LAB||||1||SIU^S12|7|P|2.5.1\rSCH|A1|B1\r"), LAB) == ()


@pytest.mark.parametrize(
    ("text", "number", "place"),
    [
        (HEAD.replace("|P|", "|T|"), "202", "MSH-11"),
        (HEAD.replace("|P|", "||"), "101", "MSH-11"),
        (HEAD.replace("2.5.1", "3.0"), "203", "MSH-12"),
        (HEAD.replace("2.5.1", ""), "101", "MSH-12"),
        (HEAD.replace("|7|", "||"), "101", "MSH-10"),
        (HEAD.replace("|7|", "|" + "7" * 200 + "|"), "104", "MSH-10"),
        (HEAD.replace("ORU^R01", ""), "101", "MSH-9"),
        (HEAD.replace("ORU^R01", "SIU^S12"), "200", "MSH-9.1"),
        (HEAD.replace("ORU^R01", "ADT^A01"), "201", "MSH-9.2"),
        (HEAD.replace("LAB|A", "XYZ|A"), "204", "MSH-3"),
        (HEAD + "NTE|1\r" * 60, "104", "None"),
        (HEAD + "PID|||" + "~" * 21 + "\r", "198", "PID-3"),
        (HEAD.replace("|2.5.1", "|2.5.1||||||8859/1x"), "102", "MSH-18"),
        (HEAD.encode() + b"NTE|1||\xff\xfe\r", "102", "NTE-3"),
        (b"PID|1", "100", "MSH"),
        (b"", "100", "MSH"),
        (b"MSH", "101", "MSH-1"),
        (b"MSH|^^^^|LAB", "101", "MSH-2"),
    ],
)
def test_what_is_not_taken(text, number, place):
    found = at_the_door(text)
    assert (found.error.code.number, str(found.error.place)) == (number, place)


def test_a_refused_message_is_kept_as_such():
    found = at_the_door(HEAD.replace("|P|", "|T|") + "PID|||5\r")
    row = incoming(found, 1, b"AR")
    assert (row.state, row.ack, row.lanes, row.control_id) == (State.REJECTED, b"AR", (), "7")
    assert "'T' is not taken" in row.reason
    garbled = at_the_door(HEAD.encode() + b"NTE|1||\xff\r")
    assert incoming(garbled, 1).control_id == "7"


@pytest.mark.parametrize("type", ["ORU^R01", "ADT^A08", "ORU"])
def test_types_taken(type):
    assert at_the_door(HEAD.replace("ORU^R01", type)).error is None


def test_a_sender_without_types_sends_anything():
    assert at_the_door(HEAD.replace("ORU^R01", "ZZZ^Z99"), Sender("any")).error is None


def test_other_delimiters_and_line_ends():
    found = at_the_door("MSH#*!\\&#LAB#A###20260101##ORU*R01#7#P#2.5.1\nPID###5***HOSP!6\n")
    assert incoming(found, 1).lanes == ("urn:hosp|5", "urn:lab|6")


LINES = (
    "PID|||5^^^HOSP~6", "MRG|7", " MRG|8", "\x0bPID|||9", "ORC|RE|P1|F1", "OBR|1|P2|F2", "pid|||3",
    "PIDX|||4", "NTE|1||x", "DSC|next", "", " ", "OBX|1|ED|||a~b", "\x0b", "SCH|A1|B1",
    "TXA|" + "|" * 12 + "P3|F3", "MSHX|1",
)  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=8), st.sampled_from(["\r", "\n", "\r\n"]), st.booleans())
def test_what_is_skimmed_is_what_the_whole_says(lines, end, is_ended):
    raw = (HEAD.rstrip("\r") + end + end.join(lines) + end * is_ended).encode()
    found = at_the_door(raw)
    read = incoming(Arrival(raw, parse(raw), LAB), 1)
    assert incoming(found, 1) == read


@pytest.mark.parametrize(
    "raw",
    [
        HEAD.replace("|P|", "|Okafor|"),
        HEAD.replace("2.5.1", "19600412"),
        HEAD.replace("ORU^R01", "Okafor^Ada"),
        HEAD.replace("ORU^R01", "ADT^Okafor"),
        HEAD.replace("^~\\&", "Okafor"),
        HEAD.strip() + "||||||Okafor\r",
    ],
)
def test_reasons_hold_nothing_that_a_sender_misplaced(raw):
    found = at_the_door(raw)
    assert found.error is not None
    for secret in ("Okafor", "Ada", "1960"):
        assert secret not in str(found.error)
