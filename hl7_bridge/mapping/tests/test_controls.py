"""No control character reaches a resource."""

from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.mapping.controls import without_controls
from hl7_bridge.mapping.tests.messages_of import entries, mapped, message
from resources.validation import check


def test_a_clean_message_is_itself() -> None:
    clean = message("ADT^A08", "PID|1||100||DOE^JANE")
    assert without_controls(clean) is clean


def test_controls_go_and_line_ends_stay() -> None:
    found = without_controls(message("ADT^A08", "PID|1||100||D\x01OE^A\\X0D0A\\B\\X00\\C\\X41\\"))
    assert found.segments[1].text(5) == "DOE"
    assert found.segments[1].text(5, 2) == "A\nBCA"


@given(st.text(alphabet="\x00\x01\x7f\x85\u2028\\X0D^&~ a\t", max_size=20))
def test_whatever_is_written_is_valid(text: str) -> None:
    line = f"OBX|1|CE|{text}^{text}|{text}|{text}^{text}|{text}|||||F|||||||||{text}"
    for entry in entries(mapped("ORU^R01", f"PID|1||100||{text}", "OBR|1||F1|X", line), "Observation"):
        check(entry.resource)
