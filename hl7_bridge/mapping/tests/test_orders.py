"""The flattening of groups: what belongs to which patient and order."""

from hl7_bridge.mapping.orders import subjects
from hl7_bridge.mapping.tests.messages_of import message
from hl7_bridge.structure.walker import walk


def shape(kind: str, *lines: str) -> list[list[tuple[bool, int, int, int]]]:
    """Per patient and order: whether it has an ORC, and how many results, specimens and notes."""
    found = subjects(walk(message(kind, *lines)))
    return [
        [(o.orc is not None, len(o.results), len(o.materials), len(o.notes)) for o in each.orders] for each in found
    ]


def test_results() -> None:
    lines = ("PID|1", "ORC|RE", "OBR|1", "NTE|1", "OBX|1", "NTE|1", "OBX|2", "SPM|1", "OBX|1", "OBR|2", "OBX|1")
    assert shape("ORU^R01", *lines) == [[(True, 2, 1, 1), (False, 1, 0, 0)]]


def test_two_patients() -> None:
    assert shape("ORU^R01", "PID|1", "OBR|1", "OBX|1", "PID|2", "OBR|1") == [[(False, 1, 0, 0)], [(False, 0, 0, 0)]]


def test_z_segments_come_between_nothing() -> None:
    assert shape("ORU^R01", "PID|1", "OBR|1", "ZZZ|1", "OBX|1", "ZZZ|1", "OBX|2") == [[(False, 2, 0, 0)]]


def test_every_result_is_somewhere() -> None:
    (about,) = subjects(walk(message("ORU^R01", "PID|1", "OBX|1", "OBR|1", "OBX|2")))
    assert len(about.results) + sum(len(order.results) for order in about.orders) == 2


def test_specimen_before_order() -> None:
    assert shape("OUL^R22^OUL_R22", "PID|1", "SPM|1", "OBR|1", "ORC|RE", "OBX|1") == [[(True, 1, 1, 0)]]
