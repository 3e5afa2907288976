"""Resources found by identities: many at once, each once."""

from hl7_bridge.mapping.model import Key
from hl7_bridge.record.shelf import Shelf, identities, token
from resources.repository import Create


def patient(*keys):
    return {"resourceType": "Patient", "identifier": [key._asdict() for key in keys]}


def test_each_identity_finds_what_has_it(bench):
    keys = [Key("urn:a", f"{n},|\\") for n in range(120)]
    bench.repository.commit([Create(patient(key)) for key in keys] + [Create(patient(keys[0], Key("urn:b", "x")))])
    shelf = Shelf(bench.repository, bench.record.stamps)
    shelf.find(("Patient", key) for key in keys)
    assert [len(shelf.hits("Patient", [key])) for key in keys] == [2] + [1] * (len(keys) - 1)
    assert shelf.hits("Patient", [Key("urn:b", "x")]) == []  # nobody asked
    assert shelf.the_one("Patient", keys[0]) is None and shelf.the_one("Patient", keys[1]) is not None


def test_what_is_added_is_found(bench):
    shelf = Shelf(bench.repository, bench.record.stamps, lambda type, key: f"{type}-{key.value}")
    one = shelf.add("Patient", (Key("s", "1"),), [Key("s", "parent")])
    two = shelf.add("Patient", (Key("s", "2"), Key("s", "3")))
    assert one.name.id == "Patient-1" and one.keys and two.keys and len(two.name.id) == 36
    assert shelf.hits("Patient", [Key("s", "3"), Key("s", "2"), Key("s", "1")]) == [two, one]
    assert (
        shelf.hits("Patient", [Key("s", "parent")]) == [] and shelf.the_one("Patient", Key("s", "parent")) == one.name
    )


def test_texts_of_identities():
    assert token(Key("urn:a|b", "1,2$\\")) == "urn:a\\|b|1\\,2\\$\\\\"
    assert identities({"identifier": [{"value": "no system"}, {"system": "s", "value": "v"}]}) == [Key("s", "v")]


def test_an_id_of_ours_that_a_peer_sends_back_is_found(bench):
    [made] = bench.repository.commit([Create(patient(Key("urn:a", "1")))])
    shelf = Shelf(bench.repository, bench.record.stamps, own_system="urn:id:HEARTH")
    ours = Key("urn:id:HEARTH", made.version.id)
    shelf.find([("Patient", ours), ("Patient", Key("urn:id:HEARTH", "x y")), ("Practitioner", ours)])
    assert [node.name.id for node in shelf.hits("Patient", [ours])] == [made.version.id]
    assert shelf.hits("Practitioner", [ours]) == shelf.hits("Patient", [Key("urn:id:HEARTH", "x y")]) == []
