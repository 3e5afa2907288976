"""The generator writes what is checked in."""

import pytest

from hl7_bridge.structure import generate, tables


@pytest.mark.parametrize("version", ["2.1", "2.5.1", "2.8.2"])
def test_the_checked_in_tables_are_those_of_the_source(version: str) -> None:
    pytest.importorskip("hl7apy")
    assert generate.structures(version)["ORU_R01"] == tables.children(version, "ORU_R01")
    assert generate.fields(version) == tables.fields(version)


def test_events_of_a_table() -> None:
    rows = 'Code,Text\nACK,Varies\nADT_A01,"A01, A04",HL7\nADR_A19,,HL7\nCCI_I22,I22,\nORU_R01,R01\n'
    expected = {"ADT_A01": "ADT_A01", "ADT_A04": "ADT_A01", "CCI_I22": "CCI_I22", "ORU_R01": "ORU_R01"}
    assert generate.events(rows) == expected
