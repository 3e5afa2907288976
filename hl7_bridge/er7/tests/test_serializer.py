"""What is written holds what was given, and nothing given becomes structure."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.er7 import parse
from hl7_bridge.er7.delimiters import Delimiters
from hl7_bridge.er7.serializer import DELETE, Fields, as_it_came, build, encoded, line, msh_18

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('|^~\\&\r\n\x0b\x1c"MSHOBX'), max_size=20)
OWN = Delimiters("*", "#", "!", "$", "%")
MSH: tuple[str, Fields] = ("MSH", {3: "HEARTH", 9: ("ORU", "R01", "ORU_R01"), 10: "1"})


def test_segments_by_fields() -> None:
    fields: Fields = {1: 1, 3: [("7", None, None, ("MRN", "1.2", "ISO")), "8"], 5: ("Doe", "John"), 7: DELETE, 9: None}
    assert line("PID", fields) == 'PID|1||7^^^MRN&1.2&ISO~8||Doe^John||""'
    assert line("OBX", {5: Decimal("1E+2"), 6: (("mg", "x"), None)}) == "OBX|||||100|mg&x"
    assert line("MSH", {3: "A"}, OWN) == "MSH*#!$%*A"
    assert line("OBR", {}) == "OBR"


def test_messages_end_every_segment() -> None:
    assert build([MSH, ("PID", {1: 1})]) == b"MSH|^~\\&|HEARTH||||||ORU^R01^ORU_R01|1\rPID|1\r"


@given(TEXT, TEXT, TEXT, st.sampled_from([Delimiters(), OWN]), st.sampled_from(["utf-8", "latin-1", "ascii"]))
def test_no_leaf_becomes_structure_or_is_lost(one: str, two: str, three: str, marks: Delimiters, codec: str) -> None:
    pid: Fields = {3: [(one, (two, three)), three], 5: two}
    message = parse(build([MSH, ("PID", pid), ("OBX", {5: one})], marks, codec), codec)
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "OBX"]
    value = message.segments[1].first(3)
    assert (value.text(1), value.text(2, 1), value.text(2, 2)) == (one, two, three)
    assert [each.text() for each in message.segments[1].all(3)][1:] == ([three] if three else [])
    assert message.segments[1].first(5).whole == two and message.segments[2].first(5).whole == one


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("PID\r", {1: 1}),
        ("pid", {}),
        ("PI", {}),
        ("MSH", {1: "|"}),
        ("MSH", {2: "^"}),
        ("PID", {0: "x"}),
        ("PID", {1000: 1}),
    ],
)
def test_faults_of_the_caller_are_refused(name: str, fields: Fields) -> None:
    with pytest.raises(ValueError):
        line(name, fields)


@pytest.mark.parametrize("value", [1.5, True, b"x", {"a": 1}])
def test_leaves_are_texts_and_numbers(value: object) -> None:
    with pytest.raises(TypeError):
        line("PID", {1: value})  # type: ignore[dict-item]


def test_characters_a_set_does_not_have_are_written_as_sequences() -> None:
    assert encoded("Zoë 李", "latin-1") == b"Zo\xeb \\XE69D8E\\"
    assert (msh_18("latin-1"), msh_18("utf-8"), msh_18("ascii")) == ("8859/1", "UNICODE UTF-8", None)


@given(TEXT, TEXT)
def test_another_reader_finds_the_same(one: str, two: str) -> None:
    hl7 = pytest.importorskip("hl7")
    found = hl7.parse(build([MSH, ("PID", {3: [(one, "x"), "y"], 5: two}), ("OBX", {5: 1})]).decode())
    assert [str(segment[0]) for segment in found] == ["MSH", "PID", "OBX"]
    assert [str(field) for field in found[1][3]][-1] == "y" and len(found[1]) == (6 if two else 4)


def test_a_message_is_written_as_it_came() -> None:
    raw = b'MSH|^~\\\\&|A||B|||\rPID|1||x~y^z&q|||""||\rbroken|line\r ZZ1|\\.br\\ \\Q\\|\r'
    assert as_it_came(parse(raw)) == raw
    assert as_it_came(parse(b"\x0b" + raw.replace(b"\r", b"\r\n") + b"\x1c\r")) == raw
    latin = "MSH|^~\\&|A|||||||||||||||8859/1\rNTE|1||Zoë\r".encode("latin-1")
    assert as_it_came(parse(latin)) == latin
