"""Batches, files and continuations: every message comes out, and every count that is wrong is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.er7 import parse
from hl7_bridge.er7.batch import continues, enveloped, filed, is_several, joined, pointer, split
from hl7_bridge.er7.serializer import as_it_came
from hl7_bridge.errors import Malformed, Unreadable


def message(number: int, *more: str) -> str:
    return "\r".join([f"MSH|^~\\&|A|B|C|D|2026||ADT^A08|{number}|P|2.5", f"PID|{number}", *more, ""])


ONE, TWO, THREE = (message(number) for number in (1, 2, 3))
BHS, FHS = "BHS|^~\\&|A|B|C|D|2026||||b1\r", "FHS|^~\\&|A|B|C|D|2026||f1\r"


def texts(raw: str) -> tuple[list[str], list[str]]:
    file = split(raw.encode())
    return [piece.decode() for piece in file.messages], [error.text for error in file.problems]


def test_a_whole_file() -> None:
    file = split(f"{FHS}{BHS}{ONE}{TWO}BTS|2\r{BHS}{THREE}BTS|1\rFTS|2\r".encode())
    assert [len(batch.messages) for batch in file.batches] == [2, 1]
    assert [piece.decode() for piece in file.messages] == [ONE, TWO, THREE]
    assert not file.problems and not file.loose
    assert file.header and file.header[9] == "f1" and file.batches[1].header and file.batches[1].header[11] == "b1"


@pytest.mark.parametrize("around", ["", "\x0b", "\ufeff", "\r\n\r\n"])
def test_one_message_is_itself(around: str) -> None:
    file = split(f"{around}{ONE}".encode())
    assert [parse(raw).control_id for raw in file.messages] == ["1"] and not file.problems


def test_several_are_told_from_one() -> None:
    assert is_several((FHS + ONE).encode()) and is_several(("\ufeff" + BHS).encode())
    assert is_several((ONE + TWO).encode()) and is_several((ONE + TWO).replace("\r", "\n").encode())
    assert not is_several(ONE.encode()) and not is_several((ONE + "MSHA and more\r").encode()) and not is_several(b"")
    assert len(split((ONE + "MSHA and more\rMSH\tx\r").encode()).messages) == 1


def test_messages_one_after_the_other_need_no_envelope() -> None:
    assert texts(f"{ONE}\r\n{TWO.replace(chr(13), chr(10))}{THREE}") == (
        [ONE + "\r\n", TWO.replace("\r", "\n"), THREE],
        [],
    )


@pytest.mark.parametrize(
    ("raw", "count", "problems"),
    [
        (f"{BHS}{ONE}{TWO}BTS|3\r", 2, ["BTS-1 says 3, there are 2."]),
        (f"{BHS}{ONE}BTS|x\r", 1, ["BTS-1 is no number."]),
        (f"{BHS}{ONE}BTS\r", 1, []),
        (f"{BHS}{ONE}", 1, ["The batch has no end: BTS is missing."]),
        (f"{BHS}{ONE}{BHS}{TWO}BTS|1\r", 2, ["The batch has no end: BTS is missing."]),
        (f"{ONE}BTS|1\r", 1, ["BTS ends a batch that no BHS began."]),
        (f"{FHS}{BHS}{ONE}BTS|1\r", 1, ["The file has no end: FTS is missing."]),
        (f"{FHS}{BHS}{ONE}BTS|1\rFTS|2\r", 1, ["FTS-1 says 2, there are 1."]),
        (f"{BHS}{ONE}BTS|1\rFTS|1\r", 1, ["FTS ends a file that no FHS began."]),
        (f"{ONE}{FHS}{TWO}FTS\r", 2, ["FHS stands within the file."]),
        (f"note\r{ONE}", 1, ["1 lines belong to no message."]),
        (f"{BHS}lost\rPID|9\r{ONE}BTS|1\r", 1, ["2 lines belong to no message."]),
        (f"{BHS}BTS|0\r", 0, []),
    ],
)
def test_what_is_wrong_is_told_and_the_messages_are_there(raw: str, count: int, problems: list[str]) -> None:
    found, told = texts(raw)
    assert (len(found), told) == (count, problems)


@pytest.mark.parametrize("raw", [b"", b"PID|1\r", b"  MS", b"\xff\xfe\x00"])
def test_bytes_without_any_message(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        split(raw)


def test_two_bytes_a_character() -> None:
    found = split((ONE + TWO).encode("utf-16")).messages
    assert [parse(raw).control_id for raw in found] == ["1", "2"]


@given(
    st.lists(
        st.sampled_from([BHS, FHS, ONE, TWO, "BTS|1\r", "FTS|1\r", "x\r", "\r\n", "BHS\r", "FHSx", "MSH"]), max_size=9
    )
)
def test_no_line_is_lost(pieces: list[str]) -> None:
    raw = "".join(pieces).encode()
    try:
        file = split(raw)
    except Unreadable:
        return
    envelopes = sum(
        bool(re.match(rb"[BF][HT]S(?![A-Za-z0-9 ])", line)) for line in raw.replace(b"\n", b"\r").split(b"\r")
    )
    lines = sum(len(piece.split()) for piece in file.messages) + len(file.loose) + envelopes
    assert lines == len(raw.split())


def test_an_envelope_is_written_with_its_count() -> None:
    batch = enveloped({3: "HEARTH", 11: "b|1"}, [ONE.encode(), TWO.encode()], "all & well")
    assert batch == b"BHS|^~\\&|HEARTH||||||||b\\F\\1\r" + (ONE + TWO).encode() + b"BTS|2|all \\T\\ well\r"
    file = split(filed({9: "f"}, [batch, batch]))
    assert len(file.messages) == 4 and not file.problems


def test_continued_messages_are_joined() -> None:
    first = parse(message(1, "OBX|1|TX|a||begin", "ADD|", "DSC|p1|F").encode())
    second = parse(
        message(2).replace("|P|2.5", "|P|2.5||p1").replace("PID|2", "ADD| and end|mg|").encode() + b"OBX|2\r"
    )
    assert (pointer(first), continues(first), pointer(second), continues(second)) == ("p1", "", "", "p1")
    whole = joined([first, second])
    assert as_it_came(whole).decode() == message(1, "OBX|1|TX|a||begin and end|mg|", "OBX|2")
    assert [segment.index for segment in whole.segments] == [0, 1, 2, 3]
    assert as_it_came(joined([parse(ONE.encode())])) == ONE.encode()


def test_pieces_that_do_not_fit_are_not_joined() -> None:
    with pytest.raises(Malformed):
        joined([parse(message(1, "DSC|p1|F").encode()), parse(TWO.encode())])
