"""Acknowledgements: when, with which code, to whom, and with which errors."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge import errors
from hl7_bridge.ack import Acknowledger, header_of
from hl7_bridge.er7 import Message, parse
from hl7_bridge.er7.batch import split
from hl7_bridge.errors import Code, Failed, Held, Hl7Error, Malformed, Place, Refused, Unreadable
from hl7_bridge.ports import State
from hl7_bridge.reply import read_reply
from hl7_bridge.verdict import Level, Verdict

OURS = Acknowledger(
    "HEARTH", "CLINIC", now=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), control_id=lambda: "own1"
)
CODES = [code for code in vars(errors).values() if isinstance(code, Code)]
BAD = Malformed(errors.FIELD_MISSING, "PID-3 names no authority.", Place("PID", 1, 3, 2, 4))


def raw(accept: str = "", application: str = "", version: str = "2.5.1", more: str = "") -> bytes:
    head = f"MSH|^~\\&|LAB^1.2^ISO|A&b|OUR\\T\\S|B|1||ORU^R01^ORU_R01|c\\S\\1|T|{version}|||{accept}|{application}"
    return f"{head}{more}\rPID|1\r".encode()


def answer(sent: bytes, state: State = State.APPLIED, wrong: Sequence[Hl7Error] = ()) -> Message:
    return parse(OURS(sent, parse(sent), state, wrong))


def test_the_reply_names_both_sides_the_message_and_its_version() -> None:
    assert OURS(raw(), parse(raw()), State.APPLIED, ()) == (
        b"MSH|^~\\&|OUR\\T\\S|B|LAB^1.2^ISO|A&b|20260102030405+0000||ACK^R01^ACK|own1|T|2.5.1\rMSA|AA|c\\S\\1\r"
    )


@pytest.mark.parametrize(
    ("version", "kind"), [("2.1", "ACK"), ("2.3", "ACK^R01"), ("2.3.1", "ACK^R01^ACK"), ("x", "ACK^R01^ACK")]
)
def test_the_type_is_of_the_senders_version(version: str, kind: str) -> None:
    assert answer(raw(version=version)).msh[9] == kind


def test_delimiters_and_character_set_are_the_senders() -> None:
    sent = "MSH*#!$%*Zoë******ADT#A01*1*P*2.5******8859/1\r".encode("latin-1")
    assert OURS(sent, parse(sent), State.APPLIED, ()).startswith("MSH*#!$%*HEARTH*CLINIC*Zoë**".encode("latin-1"))
    assert answer(sent).msh[18] == "8859/1"


@pytest.mark.parametrize(
    ("state", "wrong", "code"),
    [
        (State.APPLIED, (), "AA"),
        (State.APPLIED, (BAD,), "AA"),
        (State.RECEIVED, (), "AA"),
        (State.HELD, (Held(errors.UNKNOWN_KEY, "x"),), "AE"),
        (State.REJECTED, (BAD,), "AE"),
        (State.REJECTED, (Refused(errors.MESSAGE_TYPE, "x"),), "AR"),
        (State.REJECTED, (), "AR"),
        (State.DEAD, (Failed(errors.INTERNAL, "x"),), "AE"),
    ],
)
def test_codes_of_original_mode(state: State, wrong: Sequence[Hl7Error], code: str) -> None:
    assert answer(raw(), state, wrong).segments[1].text(1) == code


def test_a_held_message_can_be_accepted_with_a_warning() -> None:
    lenient = Acknowledger(held=Verdict.ACCEPTED)
    reply = parse(lenient(raw(), parse(raw()), State.HELD, (Held(errors.UNKNOWN_KEY, "No authority."),)))
    assert (reply.segments[1].text(1), reply.segments[2].text(4)) == ("AA", "W")


GOOD, WRONG = [True, False, True, False], [False, True, True, False]


def test_accept_acknowledgements() -> None:
    sent = raw("AL", "NE")
    assert parse(OURS.accept(sent, parse(sent))).segments[1].raw[1:] == ["CA", "c\\S\\1"]
    assert parse(OURS.accept(sent, parse(sent), (BAD,))).segments[1].text(1) == "CE"
    assert parse(OURS.refusal(sent, parse(sent), (Refused(errors.EVENT, "x"),))).segments[1].text(1) == "CR"
    assert OURS(sent, parse(sent), State.APPLIED, ()) == b"" and OURS.accept(raw(), parse(raw())) == b""
    assert parse(OURS.refusal(raw(), parse(raw()), (BAD,))).segments[1].text(1) == "AE"


def test_errors_since_2_5() -> None:
    found = answer(raw(), State.REJECTED, (BAD, Refused(errors.EVENT, "Event & more", None))).all("ERR")
    assert found[0].raw[1:] == [
        "", "PID^1^3^2^4", "101^Required field missing^HL70357", "E", "", "", "PID-3[2].4: PID-3 names no authority.",
        "PID-3 names no authority.",
    ]  # fmt: skip
    assert found[1].raw[2:5] == ["", "201^Unsupported event code^HL70357", "E"] and found[1].text(8) == "Event & more"


def test_errors_before_2_5() -> None:
    found = answer(raw(version="2.3.1"), State.REJECTED, (BAD, Refused(errors.EVENT, "x")))
    assert found.all("ERR")[0].raw[1:] == [
        "PID^1^3^101&Required field missing&HL70357~^^^201&Unsupported event code&HL70357"
    ]
    assert found.segments[1].raw[3:] == [BAD.text, "", "", "101^Required field missing^HL70357"]


@pytest.mark.parametrize("version", ["2.3", "2.4", "2.5.1", "2.8"])
@pytest.mark.parametrize("code", CODES, ids=lambda code: code.number)
def test_every_code_of_the_table_is_told_and_read_back(code: Code, version: str) -> None:
    reply = read_reply(answer(raw(version=version), State.REJECTED, (Malformed(code, "Text.", Place("OBX", 3, 5)),)))
    assert (reply.code, reply.control_id, reply.text) == ("AE", "c^1", "Text.")
    assert [(each.code, each.severity) for each in reply.errors] == [(code.number, "E")]
    place = reply.errors[0].place
    assert place and place[:3] == ("OBX", 3, 5)
    assert reply.errors[0].text == ("Text." if version >= "2.5" else code.text)


def test_many_errors_and_long_texts_are_cut() -> None:
    reply = answer(raw(), State.REJECTED, [Malformed(errors.OTHER, "x" * 9999)] * 99)
    assert len(reply.all("ERR")) == 20 and len(reply.segments[1][3]) == 80 and len(reply.all("ERR")[0][8]) == 250


@pytest.mark.parametrize(
    ("sent", "control_id", "receiver"),
    [
        (raw().replace(b"PID|1", b"PID|\xff"), "c^1", "LAB"),
        (b"\x0bnoise MSH|^~\\&|LAB|||||||c^1", "c^1", "LAB"),
        (b"\xff\xfe" + "MSH|^~\\&|LAB|||||||7".encode("utf-16-le"), "7", "LAB"),
        (b"PID|1", "", ""),
        (b"", "", ""),
        (b"MSH", "", ""),
    ],
)
def test_bytes_that_are_no_message_are_answered_too(sent: bytes, control_id: str, receiver: str) -> None:
    unreadable = Unreadable(errors.DATA_TYPE, "Not decodable.", Place("PID", 1, 3))
    reply = parse(OURS(sent, None, State.REJECTED, (unreadable,)))
    assert (reply.msh.text(3), reply.msh.text(5)) == ("OUR&S" if b"OUR" in sent else "HEARTH", receiver)
    assert (reply.segments[1].text(1), reply.segments[1].first(2).whole) == ("AR", control_id)
    assert reply.all("ERR")[0].text(3) == "102"


@given(st.binary(max_size=100) | st.binary(max_size=100).map(b"MSH|^~\\&|".__add__))
def test_any_bytes_can_be_answered_with_a_message(sent: bytes) -> None:
    header_of(sent)
    reply = OURS.reply(header_of(sent), Level.APPLICATION, Verdict.REJECTED, (BAD,), "ascii")
    assert [segment.name for segment in parse(reply).segments][:2] == ["MSH", "MSA"]


def test_a_batch_is_answered_with_a_batch() -> None:
    one, two = raw(), raw("NE", "NE")
    file = split(b"BHS|^~\\&|LAB|A|HEARTH|B|1||||b1\r" + one + two + b"BTS|3\r")
    replies = [OURS(each, parse(each), State.APPLIED, ()) for each in file.messages]
    found = split(OURS.batch(file, replies))
    assert found.header is None and len(found.messages) == 1 and not found.problems
    header = found.batches[0].header
    assert header and header.raw[2:] == [
        "^~\\&", "HEARTH", "B", "LAB", "A", "20260102030405+0000", "", "", "", "own1", "b1",
    ]  # fmt: skip
    trailer = found.batches[0].trailer
    assert trailer and trailer.raw[1:] == ["1", "BTS-1 says 3, there are 2."]


def test_a_file_is_answered_with_a_file() -> None:
    batch = b"BHS|^~\\&|LAB|A|||1||||b1\r" + raw() + b"BTS|1\r"
    file = split(b"FHS|^~\\&|LAB|A|||1||||f1\r" + batch + batch + b"FTS|2\r")
    found = split(OURS.batch(file, [OURS(each, parse(each), State.APPLIED, ()) for each in file.messages]))
    assert [len(each.messages) for each in found.batches] == [1, 1] and not found.problems
    assert found.header and found.header[12] == "f1" and found.header[3] == "HEARTH"
    assert split(OURS.batch(split(b"FHS|^~\\&|L\rFTS|0\r"), [])).messages == []


FIELDS = ("", "LAB^1.2^ISO", "A&b", "\\T\\x", '""', "ORU^R01", "2.3", "AL", "Zo\xeb", "a~b", "HEARTHxTIME")


@given(
    st.lists(st.sampled_from(FIELDS), min_size=15, max_size=15),
    st.sampled_from(["1", "a.b-c_9", "", "c^d", "c\\S\\1", '""', "Zo\xeb", "7" * 199]),
    st.sampled_from(["", "8859/1", "UNICODE UTF-8"]),
)
def test_an_answer_of_pieces_is_the_one_that_is_built(fields: list[str], control_id: str, charset: str) -> None:
    fields[7] = control_id
    sent = "|".join(["MSH", "^~\\&", *fields]).replace("\r", "")
    header = parse(f"{sent}|{charset}\r".encode("utf-8" if charset != "8859/1" else "latin-1"))
    for level in Level:
        whole = OURS._reply(header.msh, level, Verdict.ACCEPTED, (), header.charset)
        assert OURS.reply(header.msh, level, Verdict.ACCEPTED, (), header.charset) == whole


def test_our_control_ids_differ() -> None:
    made = Acknowledger()
    assert len({made.control_id() for _ in range(1000)}) == 1000
    assert len(made.control_id()) == 20
