"""Authorities, scopes, overrides and the time zone of a message."""

import pytest

from hl7_bridge.errors import Failed
from hl7_bridge.mapping.code_tables.tables import table
from hl7_bridge.mapping.reading import Reading, named, uri
from hl7_bridge.mapping.tests.messages_of import message
from hl7_bridge.site.model import DEFAULT, Coding, Sender


@pytest.mark.parametrize(
    ("universal", "kind", "expected"),
    [
        ("1.2.840.1", "ISO", "urn:oid:1.2.840.1"),
        ("2.16.840.1.113883.6.1", "", "http://loinc.org"),
        ("lab.example.org", "DNS", "urn:id:DNS:lab.example.org"),
        ("https://lab.example.org", "URI", "https://lab.example.org"),
        ("36D1332559", "CLIA", "urn:id:CLIA:36D1332559"),
    ],
)
def test_universal_ids(universal: str, kind: str, expected: str) -> None:
    assert uri(universal, kind) == expected


def test_senders_without_a_profile_are_told_apart() -> None:
    assert Reading(DEFAULT, message("ADT^A08", "PID|1")).scope == "LAB/CENTRAL"
    assert Reading(Sender("a b"), message("ADT^A08", "PID|1")).own("visit") == "urn:id:a%20b:visit"


def test_field_before_table_before_official() -> None:
    codes = {"0001": {"M": Coding("s", "by-table")}, "PID-8": {"M": Coding("s", "by-field")}}
    reading = Reading(Sender("x", codes=codes))
    sex = table("AdministrativeSex")
    assert reading.translate(sex, "M") == Coding("s", "by-table")
    reading.place = "PID-8"
    assert reading.translate(sex, "M") == Coding("s", "by-field")


def test_a_time_zone_that_is_none_is_our_fault() -> None:
    with pytest.raises(Failed):
        Reading(Sender("x", timezone="Mars/Base"))


@pytest.mark.parametrize("name", ["HOSP", "SSA", "2.16.840.1.113883.4.1", "1.2.3", "A B"])
def test_a_name_alone_is_taken_as_messages_have_it(name: str) -> None:
    is_oid = name[0].isdigit()
    assert named(name) == Reading(Sender("x")).authority(*(("", name, "ISO") if is_oid else (name,)))


def test_what_depends_on_more_than_the_name_is_left_open() -> None:
    assert named("lab.example.org") == named("https://example.org/mrn") == ""
