"""Groups of the grammar: what may begin them and what they hold."""

from hl7_bridge.structure.grammar import Node, grammar


def test_openings_and_holdings() -> None:
    root = grammar("ORU_R01", "2.5.1")
    result = root.openings["PID"][0][1]
    assert isinstance(result, Node) and result.name == "PATIENT_RESULT" and result.is_repeating
    assert {"PID", "ORC", "OBR"} <= result.first and "OBX" not in result.first
    assert "OBX" not in root.openings and [group.name for _, group in root.holdings["OBX"]] == ["PATIENT_RESULT"]
    assert not result.may_be_empty


def test_a_choice_is_one_slot() -> None:
    detail = next(group for _, group in grammar("ORM_O01", "2.5.1").slots[3].groups[0].openings["OBR"] if group)
    assert detail.name == "ORDER_DETAIL" and detail.slots[0].segments == {"OBR", "RQD", "RQ1", "RXO", "ODS", "ODT"}


def test_no_structure_knows_no_segment() -> None:
    assert grammar("", "2.5.1").openings == {}
