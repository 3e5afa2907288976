"""Every populated field has a fate, and what is not read is not called mapped."""

from hl7_bridge.mapping.account import account
from hl7_bridge.mapping.model import Fate
from hl7_bridge.mapping.tests.messages_of import SENDER, message

LINES = (
    "PID|1||100^^^HOSP^MR||DOE^JANE^^^^^L^^CTX||nonsense|F",
    "OBR|1||F1^LAB|X^Test^L|||||||||||||||||||||F",
    "OBX|1|NM|Y^Test^L||5|mg/dL|||||F||RESTRICTED",
    "ZZZ|1|own words",
)


def fates(*lines: str, kind: str = "ORU^R01") -> dict[str, tuple[Fate, str]]:
    found = account(message(kind, *lines), SENDER)
    return {each.place: (each.fate, each.target) for each in found}


def test_fates() -> None:
    found = fates(*LINES)
    assert found["PID-1"][0] is Fate.IGNORED
    assert found["PID-3"] == (Fate.MAPPED, "Patient.identifier")
    assert found["PID-5"] == (Fate.MAPPED, "Patient.name")
    assert found["PID-5.9"][0] is Fate.KEPT
    assert found["PID-7"][0] is Fate.KEPT
    assert found["OBX-5"] == (Fate.MAPPED, "Observation.value[x]")
    assert found["OBX-13"][0] is Fate.KEPT
    assert found["ZZZ-2"][0] is Fate.KEPT
    assert found["MSH-12"][0] is Fate.IGNORED


def test_all_of_an_unmapped_message_is_kept() -> None:
    assert {fate for fate, _ in fates(*LINES, kind="QBP^Q22").values()} == {Fate.KEPT}


def test_all_of_a_refused_message_is_kept() -> None:
    assert {fate for fate, _ in fates("OBR|1||F1|X").values()} == {Fate.KEPT}


def test_a_visit_that_was_left_out_is_kept() -> None:
    assert fates(*LINES[:1], "PV1|1|I", *LINES[1:])["PV1-2"][0] is Fate.KEPT
