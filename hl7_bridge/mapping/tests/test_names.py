"""Names of persons part by part."""

from hl7_bridge.mapping.datatypes import names
from hl7_bridge.mapping.tests.values import draft, value


def test_whole_name() -> None:
    found = names.human_name(value("VAN DYKE&VAN&DYKE^ANNA^B C^JR^DR^MD^L^^^^G^20200101^^PHD"), draft())
    assert found is not None
    assert (found["family"], found["given"], found["prefix"], found["suffix"]) == (
        "VAN DYKE",
        ["ANNA", "B C"],
        ["DR"],
        ["JR", "MD", "PHD"],
    )
    assert found["use"] == "official"
    assert found["period"] == {"start": "2020-01-01"}
    assert found["_family"]["extension"][0]["valueString"] == "VAN"
    assert names.display(found) == "DR ANNA B C VAN DYKE JR MD PHD"


def test_only_a_kind_is_no_name() -> None:
    assert names.human_name(value("^^^^^^L"), draft()) is None
