"""Entries of a draft: each identity once, derived identities for every identifier of the patient."""

from hl7_bridge.mapping.draft import content_hash
from hl7_bridge.mapping.model import Key, Policy
from hl7_bridge.mapping.tests.messages_of import message
from hl7_bridge.mapping.tests.values import draft


def test_a_mention_is_made_once_and_grows() -> None:
    made, key = draft(), Key("urn:x", "1")
    first = made.mention({"resourceType": "Organization", "identifier": [{}]}, (key,))
    again = made.mention({"resourceType": "Organization", "name": "Lab"}, (key,))
    assert first == again
    assert made.entries[0].resource == {"resourceType": "Organization", "identifier": [{}], "name": "Lab"}
    assert made.entries[0].policy is Policy.MENTION


def test_derived_identities() -> None:
    made = draft()
    made.patient = made.add({"resourceType": "Patient"}, Policy.REGISTER, (Key("a", "1"), Key("b", "2")))
    resource: dict[str, object] = {"resourceType": "Condition"}
    assert made.derived("urn:c", resource, "x", "y") == (Key("urn:c", "a|1|x|y"), Key("urn:c", "b|2|x|y"))
    assert len(resource["identifier"]) == 2  # type: ignore[arg-type]


def test_the_hash_is_of_all_but_msh() -> None:
    one, again = message("ADT^A08", "PID|1"), message("ADT^A08", "PID|1", control="C9", time="2027")
    assert content_hash(one) == content_hash(again)
    assert content_hash(one) != content_hash(message("ADT^A08", "PID|2"))
    big = "x" * 200_000
    assert content_hash(message("ADT^A08", f"PID|{big}")) != content_hash(message("ADT^A08", f"PID|{big}y"))
