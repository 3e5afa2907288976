"""FHIR data types as HL7 v2 ones."""

import pytest

from hl7_bridge.outbound.datatypes import Authorities, cq, cwe, dtm, xad, xpn, xtn
from hl7_bridge.site.model import Site

NAMED = Authorities(Site(authorities={"HOSP": "urn:oid:1.2.3"}), {})


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026", "2026"),
        ("2026-01", "202601"),
        ("2026-01-02", "20260102"),
        ("2026-01-02T03:04:05Z", "20260102030405+0000"),
        ("2026-01-02T03:04:05.1234567-05:00", "20260102030405.1234-0500"),
        ("", ""),
        ("tomorrow", ""),
    ],
)
def test_times_keep_precision_and_offset(moment: str, expected: str) -> None:
    assert dtm(moment) == expected


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("urn:oid:1.2.3", ("HOSP", "1.2.3", "ISO")),
        ("urn:oid:9.9", ("", "9.9", "ISO")),
        ("urn:uuid:00000000-0000-0000-0000-000000000001", ("", "00000000-0000-0000-0000-000000000001", "UUID")),
        ("urn:id:LAB%20A", ("LAB A",)),
        ("http://x.org/ids", ("", "http://x.org/ids", "URI")),
        ("", ("",)),
    ],
)
def test_an_identifier_system_is_an_assigning_authority(system: str, expected: tuple[str, ...]) -> None:
    assert NAMED.hd(system) == expected


def test_a_name_has_its_parts_in_place() -> None:
    name = {"use": "maiden", "family": "F", "given": ["A", "B", "C"], "prefix": ["Dr"], "suffix": ["Jr"]}
    assert xpn(name) == ("F", "A", "B C", "Jr", "Dr", "", "M")
    assert xpn({"text": "Only Text"})[0] == "Only Text"


def test_an_address_has_its_parts_in_place() -> None:
    address = {"use": "home", "line": ["1", "2", "3"], "city": "C", "state": "S", "postalCode": "P", "country": "X"}
    assert xad(address | {"district": "D"}) == ("1", "2, 3", "C", "S", "P", "X", "H", "", "D")


def test_numbers_and_addresses_of_telecoms_have_their_components() -> None:
    assert xtn({"system": "phone", "use": "work", "value": "1"})[1:3] == ("WPN", "PH")
    assert xtn({"system": "phone", "use": "mobile", "value": "1"})[1:3] == ("PRN", "CP")
    assert xtn({"system": "email", "value": "a@b"}) == ("", "NET", "Internet", "a@b")


def test_a_concept_keeps_two_codings_and_the_text() -> None:
    one = {"system": "http://loinc.org", "code": "1-8", "display": "One", "version": "2.7"}
    two = {"system": "urn:x", "code": "L"}
    parts = ("1-8", "One", "LN", "L", "", "urn:x", "2.7", "", "as typed")
    assert cwe({"coding": [one, two], "text": "as typed"}) == parts
    assert cwe({"text": "words"}) == ("", "words")


def test_a_quantity_keeps_its_unit() -> None:
    value = {"value": 5.5, "unit": "milligram", "code": "mg", "system": "http://unitsofmeasure.org"}
    assert cq(value) == ("5.5", ("mg", "milligram", "UCUM"))
