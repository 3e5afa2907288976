"""Which structure a message has, in which version's tables."""

import pytest

from hl7_bridge.structure.tables import VERSIONS, children, fields, nearest, structure_of


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("2.5.1", "2.5.1"),
        ("2.9", "2.8.2"),
        ("2.5.2", "2.5.1"),
        ("2.3.z", "2.3"),
        ("2", "2.1"),
        ("3.0", "2.8.2"),
        ("", "2.5.1"),
        ("DE", "2.5.1"),
        ("2.²", "2.1"),
        ("1.9", "2.1"),
    ],
)
def test_versions(version: str, expected: str) -> None:
    assert nearest(version) == expected


@pytest.mark.parametrize(
    ("version", "code", "event", "named", "expected"),
    [
        ("2.5.1", "ORU", "R01", "ORU_R01", ("ORU_R01", "2.5.1")),
        ("2.5.1", "ADT", "A08", "ADT_A08", ("ADT_A01", "2.5.1")),
        ("2.5.1", "ADT", "A28", "ADT_A01", ("ADT_A05", "2.5.1")),
        ("2.3.1", "ADT", "A28", "", ("ADT_A01", "2.3.1")),
        ("2.2", "ADT", "A08", "", ("ADT_A01", "2.2")),
        ("2.2", "ADT", "A34", "", ("ADT_A34", "2.2")),
        ("2.5.1", "ADT", "A34", "", ("ADT_A30", "2.5.1")),
        ("2.5.1", "ADT", "A40", "ADT_A40", ("ADT_A39", "2.5.1")),
        ("2.8", "ORM", "O01", "ORM_O01", ("ORM_O01", "2.6")),
        ("2.1", "OML", "O21", "", ("OML_O21", "2.4")),
        ("2.5.1", "ORU", "", "", ("ORU_R01", "2.5.1")),
        ("2.5.1", "ORU", "Z99", "ORU_R30", ("ORU_R30", "2.5.1")),
        ("2.5.1", "ORU", "Z99", "ZZZ_Z99", ("ORU_R01", "2.5.1")),
        ("2.5.1", "RDE", "O25", "", ("RDE_O11", "2.5.1")),
        ("2.5.1", "SIU", "S26", "", ("SIU_S12", "2.5.1")),
        ("2.5.1", "MDM", "T08", "MDM_T08", ("MDM_T02", "2.5.1")),
        ("2.5.1", "ACK", "A01", "ACK", ("ACK", "2.5.1")),
        ("2.5.1", "ZZZ", "Z01", "ORU_R01", ("", "2.5.1")),
        ("", "", "", "", ("", "2.5.1")),
    ],
)
def test_structures(version: str, code: str, event: str, named: str, expected: tuple[str, str]) -> None:
    assert structure_of(version, code, event, named) == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_has_its_tables(version: str) -> None:
    assert children(version, "ORU_R01")[0][0] == "MSH"
    assert (
        fields(version)["segments"]["PID"][4][1:3] == [1, 1]
        if version == "2.1"
        else len(fields(version)["segments"]) > 60
    )


def test_fields_have_type_cardinality_and_table() -> None:
    table = fields("2.5.1")
    assert table["segments"]["PID"][2] == ["CX", 1, -1, ""] and table["segments"]["PID"][7] == ["IS", 0, 1, "0001"]
    assert table["types"]["CX"][0] == ["ST", 0, ""] and "F" in table["tables"]["0001"]
