"""Characters, line ends, delimiters and escapes of messages, as the record then holds them."""

from collections.abc import Callable

import pytest

from conformance_tests.client import Client
from conformance_tests.hl7.bridge import found
from conformance_tests.hl7.messages import HOSPITAL, adt, obx, oru
from conformance_tests.hl7.wire import Problem, Wire

requirement = pytest.mark.requirement
New = Callable[[], str]
NAME = "Søndergård"


def family(record: Client, id: str) -> str:
    [patient] = found(record, "Patient", identifier=f"{HOSPITAL}|{id}")
    return str(patient["name"][0]["family"])


CHARSETS = {
    "silent": ("", "utf-8"),
    "UNICODE UTF-8": ("UNICODE UTF-8", "utf-8"),
    "8859/1": ("8859/1", "latin-1"),
    "UNICODE": ("UNICODE", "utf-16"),
    "a repetition": ("8859/1~UNICODE", "latin-1"),
}


@requirement("hl7:2.15.9.18")
@pytest.mark.parametrize("charset", CHARSETS)
def test_characters_are_read_as_msh_18_says(wire: Wire, record: Client, new: New, charset: str) -> None:
    said, codec = CHARSETS[charset]
    id = new()
    answer = wire.ask(adt(id, "A04", id, name=f"{NAME}^Ada", charset=said).encode(codec))
    if codec == "utf-16":
        assert f"MSA|AA|{id}".encode("utf-16-le") in answer.raw or b"MSA|AA" in answer.raw
    else:
        assert answer.code == "AA"
    assert family(record, id) == NAME


@requirement("hl7:2.15.9.18")
def test_a_sender_has_its_own_character_set_when_msh_18_is_silent(wire: Wire, record: Client, new: New) -> None:
    id = new()
    text = adt(id, "A04", id, name=f"{NAME}€^Ada", app="WESTERN")
    assert wire.ask(text.encode("cp1252")).code == "AA"
    assert family(record, id) == NAME + "€"


@requirement("hl7:2.15.9.18")
@pytest.mark.parametrize("said", ["", "UNICODE UTF-8", "ASCII"])
def test_bytes_of_another_character_set_are_refused(wire: Wire, record: Client, new: New, said: str) -> None:
    id = new()
    answer = wire.ask(adt(id, "A04", id, name=f"{NAME}^Ada", charset=said).encode("latin-1"))
    assert answer.code in ("AE", "AR")
    assert [(problem.code, problem.severity) for problem in answer.problems] == [("102", "E")]
    assert not found(record, "Patient", identifier=id)


@requirement("hl7:2.5.4")
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r", "\n\r"])
def test_line_ends_of_other_systems(wire: Wire, record: Client, new: New, end: str) -> None:
    id = new()
    assert wire.ask(adt(id, "A04", id, name=NAME).replace("\r", end)).code == "AA"
    assert family(record, id) == NAME


@requirement("hl7:2.5.4")
def test_a_byte_order_mark_and_no_end_of_the_last_line(wire: Wire, record: Client, new: New) -> None:
    id = new()
    assert wire.ask(b"\xef\xbb\xbf" + adt(id, "A04", id, name=NAME).rstrip("\r").encode()).code == "AA"
    assert family(record, id) == NAME


@requirement("hl7:2.5.4")
def test_other_delimiters_are_taken_and_answered_with(wire: Wire, record: Client, new: New) -> None:
    id = new()
    table = str.maketrans("|^~\\&", "!@*?%")
    answer = wire.ask(adt(id, "A04", id, name="Okafor^Ada").translate(table))
    assert answer.raw.startswith(b"MSH!@*?%!")
    assert f"\rMSA!AA!{id}".encode() in answer.raw
    assert family(record, id) == "Okafor"


@requirement("hl7:2.5.4")
def test_the_fifth_delimiter_of_version_2_7(wire: Wire, record: Client, new: New) -> None:
    id = new()
    text = adt(id, "A04", id, name="Okafor^Ada", version="2.7").replace("|^~\\&|", "|^~\\&#|")
    assert wire.ask(text).code == "AA"
    assert family(record, id) == "Okafor"


@requirement("hl7:2.7.1")
def test_escapes_are_values_not_structure(wire: Wire, record: Client, new: New) -> None:
    id = new()
    assert wire.ask(adt(id, "A04", id, name="A\\T\\B\\S\\C\\F\\D\\R\\E\\E\\F\\X41\\^Ada")).code == "AA"
    assert family(record, id) == "A&B^C|D~E\\FA"


@requirement("hl7:2.7.1")
def test_line_breaks_in_text_make_no_segment(wire: Wire, record: Client, new: New) -> None:
    id = new()
    text = oru(id, id) + obx(2, "one\\.br\\PID|1||x\\X0D\\OBX|9", code="8251-1^Comment^LN", type="TX").replace(
        "PID|1||x", "PID\\F\\1\\F\\\\F\\x"
    ).replace("OBX|9", "OBX\\F\\9")
    assert wire.ask(text).code == "AA"
    values = [each.get("valueString", "") for each in found(record, "Observation", **{"patient.identifier": id})]
    [value] = filter(None, values)
    assert value.startswith("one") and "PID|1||x" in value and value.endswith("OBX|9")


@requirement("hl7:2.5.3")
def test_trailing_delimiters_and_unknown_segments_do_no_harm(wire: Wire, record: Client, new: New) -> None:
    id = new()
    text = adt(id, "A04", id, "ZPI|1|own^thing", name="Okafor^Ada").replace("\rPV1", "||||\rXX9|new\rPV1")
    assert wire.ask(text).code == "AA"
    assert family(record, id) == "Okafor"


@requirement("hl7:2.15.5")
def test_the_refusal_says_where(wire: Wire, new: New) -> None:
    id = new()
    answer = wire.ask(oru(id, id, version="9.9"))
    assert answer.problems == [Problem("MSH^1^12", "203", "E")]
