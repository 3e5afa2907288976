"""Code tables: official rows compiled from known files, ours marked."""

import pytest

from hl7_bridge.mapping.code_tables import tables


def test_official_and_own() -> None:
    status = tables.table("ObservationResultStatusCodesInterpretation")
    assert status.number == "0085"
    assert status.codes["F"].code == "final"
    assert status.codes["I"].code == "registered"
    assert "I" in status.own
    assert "F" not in status.own
    assert len(tables.source_hash()) == 64


def test_every_result_status_of_the_tables_has_a_target() -> None:
    assert set("ABCDFINOPRSUVWX") <= set(tables.table("ObservationResultStatusCodesInterpretation").codes)
    assert set("ACFIMNOPRSXYZ") <= set(tables.table("ResultStatus[Non-Queries]").codes)


def test_unknown_table() -> None:
    with pytest.raises(KeyError):
        tables.table("nothing")
    assert "MaritalStatus" in tables.names()
