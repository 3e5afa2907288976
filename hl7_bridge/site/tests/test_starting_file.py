"""What is written of samples, and what is left to a person with the reason."""

import tomllib

import pytest

from hl7_bridge.er7 import parse
from hl7_bridge.site.profile import profile
from hl7_bridge.site.starting_file import sender_file

HEAD = "MSH|^~\\&|LAB|NORTH|||20240101||ORU^R01|1|P|2.5.1"


def written(*identifiers: str) -> str:
    learned = profile(parse(f"{HEAD}\rPID|1||{each}||Doe\r".encode()) for each in identifiers)
    return sender_file(learned, lambda name: "" if name == "?" else f"system {name}")


def test_the_file_is_readable_and_tells_what_was_sent() -> None:
    assert tomllib.loads(written("1^^^HOSP^MR", "2^^^NAME&1.2.3&ISO^SS")) == {
        "applications": ["LAB"],
        "facilities": ["NORTH"],
        "processing_ids": ["P"],
        "types": ["ORU^R01"],
        "authorities": {"HOSP": "system HOSP", "1.2.3": "system 1.2.3"},
    }


def test_two_that_assign_the_same_type_are_left_to_a_person() -> None:
    text = written("1^^^HOSP^MR", "2^^^CLINIC^MR", "3^^^SSA^SS")
    assert tomllib.loads(text)["authorities"] == {"SSA": "system SSA"}
    assert "# Identifiers of type MR are assigned by HOSP and CLINIC in these samples" in text


@pytest.mark.parametrize(
    ("identifiers", "authority", "why"),
    [
        (("1^^^HOSP^MR", "2^^^^MR"), "system HOSP", "HOSP is the only one"),
        (("1^^^HOSP^MR", "2"), "system HOSP", "HOSP is the only one"),
        (("1^^^HOSP^MR", "2^^^^PI"), None, "nobody is named"),
        (("1",), None, "nobody is named"),
        (("1^^^HOSP^MR", "2^^^SSA^SS", "3"), None, "HOSP and SSA assign"),
        (("1^^^HOSP^MR",), None, "[authorities]"),
    ],
)
def test_bare_identifiers_are_those_of_the_only_one(identifiers: tuple[str, ...], authority: str, why: str) -> None:
    text = written(*identifiers)
    assert tomllib.loads(text).get("authority") == authority and why in text


def test_names_are_quoted_and_make_no_line_of_their_own() -> None:
    odd = 'a "b" \\n c'
    assert tomllib.loads(written(f"1^^^{odd}^MR"))["authorities"] == {odd: f"system {odd}"}
    assert tomllib.loads(written(f"1^^^{odd}^MR", "2^^^D^MR"))["authorities"] == {}


def test_what_a_name_does_not_tell_is_left_to_a_person() -> None:
    text = written("1^^^?^MR", "2^^^^MR")
    assert tomllib.loads(text)["authorities"] == {} and "authority" not in tomllib.loads(text)
    assert "# The next name alone tells no system" in text
