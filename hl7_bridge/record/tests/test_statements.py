"""Statements meet a resource: the same end in every order, and what people did stays."""

from itertools import permutations

from hl7_bridge.mapping.model import AsOf, Entry, Policy
from hl7_bridge.record.elements import same
from hl7_bridge.record.standing import Standing
from hl7_bridge.record.statements import Statement, begin, note_others, state


def entry(policy, time, rank=0, nulls=(), defaults=(), **resource):
    type = "Patient" if policy in (Policy.REGISTER, Policy.MENTION) else "Observation"
    made = {"resourceType": type, **resource}
    return Entry("urn:x", made, policy, (), AsOf(rank, time, ""), frozenset(nulls), (), frozenset(defaults))


def end(*entries):
    resource, standing = {"resourceType": entries[0].resource["resourceType"]}, Standing()
    for n, each in enumerate(entries):
        (state if n else begin)(each, Statement(each, each.resource), resource, standing)
    return resource, standing


def ends(*entries):
    found = [end(*order)[0] for order in permutations(entries)]
    assert all(same(found[0], each) for each in found), found
    return found[0]


def test_the_newest_statement_of_each_element_wins_and_nulls_delete():
    found = ends(
        entry(Policy.REGISTER, 1, gender="male", deceasedBoolean=False, name=[{"family": "A"}]),
        entry(Policy.REGISTER, 2, deceasedDateTime="2020", nulls=["name"]),
        entry(Policy.REGISTER, 3, birthDate="1980", extension=[{"url": "urn:a", "valueString": "x"}]),
    )
    assert found["gender"] == "male" and found["deceasedDateTime"] == "2020" and found["birthDate"] == "1980"
    assert "name" not in found and "deceasedBoolean" not in found


def test_identifiers_are_united_newest_first():
    one, two, three = ({"system": "s", "value": value} for value in "123")
    found = ends(
        entry(Policy.REGISTER, 1, identifier=[one, two]),
        entry(Policy.REGISTER, 2, identifier=[three, one]),
    )
    assert found["identifier"] == [three, one, two]


def test_defaults_never_replace_what_was_stated():
    assert (
        ends(
            entry(Policy.REGISTER, 1, gender="male"),
            entry(Policy.REGISTER, 2, gender="unknown", defaults=["gender"]),
            entry(Policy.REGISTER, 3, birthDate="1980"),
        )["gender"]
        == "male"
    )
    found = ends(
        entry(Policy.RESULT, 1, status="final", code={"text": "old"}),
        entry(Policy.RESULT, 2, status="final", code={"text": "older than the default"}),
        entry(Policy.RESULT, 3, status="amended", code={"text": "?"}, defaults=["code"]),
    )
    assert found["code"] == {"text": "older than the default"} and found["status"] == "amended"


def test_mentions_end_with_the_first_statement():
    found, _ = end(
        entry(Policy.MENTION, 5, gender="male", name=[{"family": "A"}]), entry(Policy.REGISTER, 1, gender="female")
    )
    assert found == {"resourceType": "Patient", "gender": "female"}


def test_the_whole_by_rank_then_time():
    found = ends(
        entry(Policy.RESULT, 9, 1, status="preliminary", valueString="1", note=[{"text": "n"}]),
        entry(Policy.RESULT, 2, 2, status="final", valueString="2"),
        entry(Policy.RESULT, 1, 2, status="final", valueString="3", method={"text": "m"}),
    )
    assert found == {"resourceType": "Observation", "status": "final", "valueString": "2"}


def test_what_people_added_stays_and_what_they_changed_stands_until_newer():
    resource, standing = end(entry(Policy.RESULT, 10, 2, status="final", valueString="1", note=[{"text": "lab"}]))
    theirs = {**resource, "note": [{"text": "lab"}, {"text": "seen"}], "valueString": "2", "bodySite": {"text": "arm"}}
    note_others(resource, theirs, 20, standing)
    for time, value in ((15, "2"), (25, "3")):
        said = entry(Policy.RESULT, time, 3, status="corrected", valueString="3", note=[{"text": f"lab {time}"}])
        state(said, Statement(said, said.resource), theirs, standing)
        assert theirs["valueString"] == value and theirs["status"] == "corrected"
        assert theirs["note"] == [{"text": f"lab {time}"}, {"text": "seen"}] and theirs["bodySite"] == {"text": "arm"}


def test_an_identifier_that_people_removed_is_not_brought_back_by_an_older_statement():
    one, two = ({"system": "s", "value": value} for value in "12")
    said = entry(Policy.REGISTER, 1, identifier=[one, two])
    resource, standing = end(said)
    theirs = {**resource, "identifier": [one]}
    note_others(resource, theirs, 10, standing)
    for time, left in ((5, [one]), (20, [one, two])):
        said = entry(Policy.REGISTER, time, identifier=[one, two])
        state(said, Statement(said, said.resource), theirs, standing)
        assert theirs["identifier"] == left


def test_an_element_said_alone_stays_against_an_older_whole():
    found = ends(
        entry(Policy.RESULT, 1, status="final", code={"text": "a"}),
        Entry("urn:x", {"resourceType": "Observation", "status": "cancelled"}, Policy.REGISTER, (), AsOf(0, 3, "")),
        entry(Policy.RESULT, 2, status="final", code={"text": "b"}),
    )
    assert (found["status"], found["code"]) == ("cancelled", {"text": "b"})
