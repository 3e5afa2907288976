"""Bytes to tokens: line ends, framing, lines without a name, and bytes that are no message."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.er7 import tokenizer
from hl7_bridge.er7.batch import split
from hl7_bridge.er7.serializer import as_it_came
from hl7_bridge.er7.tokenizer import AROUND, _large_spans, outline, parse
from hl7_bridge.errors import Unreadable

SAMPLES = Path(__file__).resolve().parents[3] / "../shared/data/hl7v2"
MSH = "MSH|^~\\&|LAB|A|HEARTH|B|20260102||ORU^R01|1|P|2.5.1"
PIECES = st.sampled_from([*"|^~\\&#\r\n\t \x0b\x1c\x00\ufeff", "\r\n", "PID|", "OBX", "MSH|^~\\&|", "Zoë", '""', "zz"])


def names(text: str) -> list[str]:
    return [segment.name for segment in parse(text.encode()).segments]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\n\r", "\r\r", "\r\r\n"])
def test_line_ends(end: str) -> None:
    assert names(end.join([MSH, "PID|1", "OBX|1", ""])) == ["MSH", "PID", "OBX"]


def test_framing_and_marks_around_the_message() -> None:
    assert names("\ufeff\x0b\r\n" + MSH + "\rPID|1\r\x1c\r") == ["MSH", "PID"]


def test_lines_without_a_name_keep_their_place_and_text() -> None:
    message = parse(f"{MSH}\rNTE|1||first\rsecond|x^y\r PV1|1\rzpd|1\rOBX\r".encode())
    assert [segment.name for segment in message.segments] == ["MSH", "NTE", "???", "PV1", "???", "OBX"]
    assert message.segments[2].raw == ["???", "second|x^y"]
    assert message.segments[2][1] == "second|x^y" and message.segments[3][1] == "1"
    assert [segment.index for segment in message.segments] == [0, 1, 2, 3, 4, 5]


def test_a_line_feed_within_a_field_of_a_message_that_ends_segments_with_cr_is_text() -> None:
    message = parse(f"{MSH}\rNTE|1||first\nsecond|RE\rOBX|1\nOBX|2\r".encode())
    assert [segment.name for segment in message.segments] == ["MSH", "NTE", "OBX", "OBX"]
    assert message.segments[1].text(3) == "first\nsecond" and message.segments[1].text(4) == "RE"


def test_headers_count_their_separator_as_the_first_field() -> None:
    assert parse(MSH.encode()).msh[3] == "LAB"
    assert parse(f"{MSH}\rBHS|^~\\&|X".encode()).segments[1][3] == "X"


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"PID|1", b"MSH", b"MSH|", b"\xff\xfe\x00", b"MSH|^~\\&|\xff", b"<xml/>"]
)
def test_bytes_that_are_no_message(raw: bytes) -> None:
    if raw == b"MSH|":
        assert parse(raw).msh.name == "MSH"
        return
    with pytest.raises(Unreadable):
        parse(raw)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(MSH.encode().__add__))
def test_any_bytes_are_a_message_or_unreadable(raw: bytes) -> None:
    try:
        parse(raw)
    except Unreadable as error:
        assert error.text


@given(st.lists(PIECES, max_size=60).map("".join))
def test_every_character_is_in_a_segment(text: str) -> None:
    message = parse(f"{MSH}\r{text}".encode())
    blank = str.maketrans("", "", AROUND)
    assert as_it_came(message).decode().translate(blank) == f"{MSH}\r{text}".translate(blank)


@given(st.lists(PIECES, max_size=60).map("".join))
def test_a_message_written_as_it_came_is_the_same_message(text: str) -> None:
    first = parse(f"{MSH}\r{text}".encode())
    again = parse(as_it_came(first))
    assert [segment.raw for segment in again.segments] == [segment.raw for segment in first.segments]


def test_caps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "SEGMENTS_MAX", 10)
    monkeypatch.setattr(tokenizer, "REPETITIONS_MAX", 10)
    with pytest.raises(Unreadable, match="segments"):
        parse((MSH + "\rOBX|1" * 10).encode())
    with pytest.raises(Unreadable, match="repetitions"):
        parse(f"{MSH}\rPID|1||{'x~' * 10}".encode())
    assert names(f"{MSH}\rPID|1|{'|x~y' * 9}") == ["MSH", "PID"]


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "utf-16"])
@pytest.mark.parametrize("around", ["{}", "é^PDF^{}^x", "{}\n{}"])
def test_large_fields_are_read_like_small_ones(monkeypatch: pytest.MonkeyPatch, charset: str, around: str) -> None:
    fields = around.format("é^x&" * 60, "q" * 300)
    raw = f"\ufeff{MSH}\rOBX|1|ED|{fields}|{fields}||F\r???{fields}\r".removeprefix("\ufeff").encode(charset)
    whole = parse(raw, charset)
    monkeypatch.setattr(tokenizer, "_LARGE", 400)
    assert [segment.raw for segment in parse(raw, charset).segments] == [segment.raw for segment in whole.segments]
    assert whole.segments[1][4] == fields


def test_a_large_field_that_cannot_be_read_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "_LARGE", 400)
    with pytest.raises(Unreadable) as caught:
        parse(f"{MSH}\rOBX|1|ED|{'x' * 500}".encode() + b"\xff|")
    assert str(caught.value.place) == "OBX-3"


def test_long_runs_of_line_ends_take_no_time() -> None:
    assert names(MSH + "\rNTE|1|" + "\n" * 300_000 + "x\rPID|1") == ["MSH", "NTE", "PID"]


@pytest.mark.samples
def test_samples_are_read_without_loss_or_refused() -> None:
    paths = [path for path in SAMPLES.rglob("*") if path.suffix in (".hl7", ".txt")]
    if not paths:
        pytest.skip("no sample data")
    refused = []
    for path in paths:
        try:
            for raw in split(path.read_bytes()).messages:
                message = parse(raw, "latin-1")
                came = raw.decode(message.charset).strip(AROUND).split()
                assert as_it_came(message).decode(message.charset).split() == came
        except Unreadable:
            refused.append(path.name)
    assert len(refused) <= 3, refused


def _document(field: bytes, segment: bytes = b"OBX|1|ED|x||") -> bytes:
    return b"MSH|^~\\&|A|B|||1||ORU^R01|1|P|2.5\rPID|||1\r" + segment + field + b"|||F\rOBX|2|ST|y||z\r"


def test_an_outline_leaves_large_documents_out_and_nothing_else() -> None:
    raw = _document(b"^pdf^^Base64^" + b"QUJD" * 100_000)
    message = outline(raw)
    assert message is not None and len("".join(message.segments[2].raw)) < 40
    assert [each.name for each in message.segments] == ["MSH", "PID", "OBX", "OBX"]
    assert [each.raw for each in message.segments[:2] + message.segments[3:]] == [
        each.raw for each in parse(raw).segments[:2] + parse(raw).segments[3:]
    ]


@pytest.mark.parametrize(
    "raw",
    [
        _document(b"small"),
        _document(b"x" * 400_000, segment=b"PV1|"),
        _document(b"x" * 399_999 + b"\xc3"),
        _document(b"x" * 65_535 + b"\xff" + b"x" * 300_000),
    ],
    ids=["small", "large elsewhere", "a character cut off", "another character set"],
)
def test_what_must_be_read_as_a_whole_has_no_outline(raw: bytes) -> None:
    assert outline(raw) is None


def test_a_character_across_two_pieces_is_sound() -> None:
    assert outline(_document(b"x" * 65_535 + "\N{EURO SIGN}".encode() * 100_000)) is not None


@given(st.lists(st.integers(0, 200), min_size=1, max_size=12), st.sampled_from([b"|", b"\r", b"\n"]))
def test_large_fields_are_found_as_an_expression_finds_them(sizes: list[int], mark: bytes) -> None:
    raw = mark.join(b"x" * size for size in sizes)
    expected = [found.span() for found in re.finditer(rb"[^|\r\n]{64,}", raw)]
    with pytest.MonkeyPatch.context() as patch:  # the expression looks at each byte as often as a large field is long
        patch.setattr(tokenizer, "_LARGE", 4 * 64)
        assert _large_spans(raw, b"|") == expected
