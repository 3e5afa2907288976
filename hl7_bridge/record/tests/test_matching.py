"""Who is meant: by any identity, never by a guess."""

from hl7_bridge.mapping.model import Entry, Key, Mapped, Merge, Policy
from hl7_bridge.record.matching import Matching, pending_key
from hl7_bridge.record.shelf import Shelf, identities

A, B = Key("urn:mrn", "A"), Key("urn:mrn", "B")


def matched(bench, mapped):
    matching = Matching(Shelf(bench.repository, bench.record.stamps), mapped)
    matching.run()
    return matching


def test_a_survivor_is_not_looked_for_by_the_identity_of_the_loser(bench):
    survivor = Entry("urn:1", {"resourceType": "Patient"}, Policy.REGISTER, (A, B))
    loser = Entry("urn:2", {"resourceType": "Patient"}, Policy.MENTION, (B,))
    matching = matched(bench, Mapped([survivor, loser], [Merge("urn:1", "urn:2")]))
    assert matching.literal["urn:1"] is not matching.literal["urn:2"] and matching.begun == {"urn:1", "urn:2"}
    assert matching.literal["urn:1"].keys == (A,)


def test_references_become_those_of_the_record_and_keys_are_among_the_identifiers(bench):
    patient = Entry("urn:1", {"resourceType": "Patient"}, Policy.REGISTER, (A,))
    waits = {"type": "Observation", "identifier": B._asdict()}
    made = {"resourceType": "Observation", "subject": {"reference": "urn:1"}, "derivedFrom": [waits]}
    result = Entry("urn:2", made, Policy.RESULT, (A,), pending=(B,))
    matching = matched(bench, Mapped([patient, result]))
    resource, awaited = matching.resolved(result)
    assert resource["subject"] == {"reference": str(matching.literal["urn:1"].name)}
    assert awaited == [("Observation", B)] and identities(resource) == [A] and "identifier" not in made


def test_only_references_that_say_what_they_wait_for_wait():
    waits = {"type": "Observation", "identifier": B._asdict()}
    assert pending_key(waits) == ("Observation", B) and pending_key(waits, (B,)) == ("Observation", B)
    for other in (
        waits | {"reference": "Observation/1"},
        {"identifier": B._asdict()},
        waits | {"identifier": {"value": "x"}},
    ):
        assert pending_key(other) is None
    assert pending_key(waits, (A,)) is None
