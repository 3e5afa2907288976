"""Rows and the walk that applies them."""

from hl7_bridge.er7.tokenizer import tokens
from hl7_bridge.mapping.datatypes.texts import first, string
from hl7_bridge.mapping.message_maps.adt import MRG
from hl7_bridge.mapping.rows import Row, SegmentMap, apply, extension, ignored, listed
from hl7_bridge.mapping.segments import (
    coverage,
    diagnostic_report,
    encounter,
    observation,
    patient,
    service_request,
    specimen,
)
from hl7_bridge.mapping.tests.values import draft

MAP = SegmentMap(
    "ZZZ",
    "Basic",
    (
        ignored(1, "for the test"),
        Row(2, "one", string),
        Row(3, "many[]", string),
        Row(4, "deep.er", string),
        Row(5, "many[]", string),
        Row(6, "extension[]", extension("urn:x", "valueString", string)),
        Row(7, "list", listed(first)),
    ),
)


def applied(text: str) -> tuple[dict[str, object], set[str]]:
    resource: dict[str, object] = {}
    segment = tokens(f"MSH|^~\\&|A\rZZZ|{text}").segments[1]
    return resource, apply(MAP, segment, resource, draft())


def test_values_lists_and_depth() -> None:
    made, nulls = applied("1|a|b~c|d|e|f|g^h")
    assert made == {
        "one": "a",
        "many": ["b", "c", "e"],
        "deep": {"er": "d"},
        "extension": [{"url": "urn:x", "valueString": "f"}],
        "list": ["g"],
    }
    assert nulls == set()


def test_nulls_name_whole_elements_that_nothing_fills() -> None:
    assert applied('1|""|""|""||""')[1] == {"one", "many", "extension:urn:x"}
    assert applied('1|""|""||e')[1] == {"one"}


def test_every_row_has_a_target_or_a_reason() -> None:
    maps = [MRG, patient.PID, patient.PD1, encounter.PV1, encounter.PV2, observation.OBX, coverage.IN1, specimen.SPM]
    maps += [specimen.OBR, service_request.ORC, service_request.OBR, diagnostic_report.OBR]
    for each in maps:
        assert all(bool(row.target) != bool(row.reason) for row in each.rows), each.segment
        assert len({row.field for row in each.rows}) == len(each.rows), each.segment
