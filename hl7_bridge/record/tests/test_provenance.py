"""Provenance names the message and is a valid resource."""

from hl7_bridge.record.provenance import Source, provenance
from resources.validation import check


def test_it_is_valid_and_names_the_message():
    source = Source("lab one", "A#1 2", 1_700_000_000_123)
    made = provenance(source, "UPDATE", ["Observation/1/_history/2"])
    check(made)
    assert source.uri == "urn:hl7v2:lab%20one#A%231%202"
    assert made["recorded"] == "2023-11-14T22:13:20.123Z" and made["meta"]["source"] == source.uri
