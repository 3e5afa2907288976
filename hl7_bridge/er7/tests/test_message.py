"""Reading tokens: components, repetitions, null, escapes, and what is beyond the end."""

from hl7_bridge.er7 import parse
from hl7_bridge.errors import Place

MESSAGE = parse(
    b"MSH|^~\\&|LAB^1.2.3^ISO|A|HEARTH|B|20260102||ORU^R01^ORU_R01|id\\T\\1|P|2.5.1^DE\r"
    b'PID|1||123^^^MRN&1.2&ISO^MR~456^^^SSA~""||Doe^John\\S\\Q||""||^|~|a&b^c\r'
    b"OBX|1|ST|x||one~two\rOBX|2|TX|y||\\.br\\|"
)
PID = MESSAGE.segments[1]


def test_header() -> None:
    assert (MESSAGE.type, MESSAGE.event, MESSAGE.structure) == ("ORU", "R01", "ORU_R01")
    assert (MESSAGE.control_id, MESSAGE.version) == ("id&1", "2.5.1")
    assert MESSAGE.msh[1] == "|" and MESSAGE.msh[2] == "^~\\&"
    assert MESSAGE.msh.first(2).raw == "^~\\&" == MESSAGE.msh.all(2)[0].raw
    assert list(MESSAGE.msh.populated())[:3] == [3, 4, 5]


def test_repetitions_components_and_subcomponents() -> None:
    first, second = PID.all(3)
    assert (first.text(1), first.text(5), second.text(1)) == ("123", "MR", "456")
    assert [first.part(4).text(n) for n in (1, 2, 3, 4)] == ["MRN", "1.2", "ISO", ""]
    assert (first.text(4), first.text(4, 2), first.text(1, 2)) == ("MRN", "1.2", "")
    assert len(first) == 5 and first.text(9) == ""
    assert PID.first(3).raw == "123^^^MRN&1.2&ISO^MR"


def test_leaves_are_unescaped() -> None:
    assert PID.text(5, 2) == "John^Q"
    assert MESSAGE.all("OBX")[1].text(5) == "\n"


def test_null_empty_and_absent() -> None:
    assert PID.is_null(7) and PID.has(7) and PID.all(7) == [] and PID.text(7) == ""
    assert PID.first(7).is_null and PID.first(7).whole == "" and not PID.first(7)
    assert PID.all(9) == [] == PID.all(10) and PID.has(9)
    assert not PID.has(99) and PID[99] == "" and not PID.first(99)
    assert list(PID.populated()) == [1, 3, 5, 7, 9, 10, 11]


def test_places() -> None:
    second = MESSAGE.all("OBX")[1]
    assert MESSAGE.place(second, 5, component=2) == Place("OBX", 2, 5, 0, 2)
    assert str(MESSAGE.place(second, 5)) == "OBX[2]-5"
    assert MESSAGE.first("OBX") is MESSAGE.segments[2] and MESSAGE.first("ZZZ") is None


def test_nothing_of_a_patient_in_a_representation() -> None:
    assert "Doe" not in repr(PID) + repr(PID.first(5)) + repr(MESSAGE)
