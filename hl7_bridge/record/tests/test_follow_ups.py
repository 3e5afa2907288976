"""Follow-ups are done once they can be, and wait until then."""

from hl7_bridge.mapping.model import Key, Policy
from hl7_bridge.record import Source

A, CHILD, PARENT = Key("urn:mrn", "A"), Key("urn:obx", "child"), Key("urn:obx", "parent")


def child(draft):
    made = draft()
    waits = {"type": "Observation", "identifier": PARENT._asdict()}
    made.observation(made.patient(A, policy=Policy.MENTION), CHILD, derivedFrom=[waits], pending=(PARENT,))
    return made.mapped


def parent(draft):
    made = draft()
    made.observation(made.patient(A, policy=Policy.MENTION), PARENT)
    return made.mapped


def test_a_child_waits_longer_each_time_until_its_parent_is_there(bench, draft):
    bench.apply(child(draft))
    start = bench.record.now()
    tried = []
    for minutes in (0, 1, 2, 3, 4, 5, 6):
        bench.record.now = lambda at=start + minutes * 60_000: at
        tried.append(bench.follow_ups.sweep())
    assert tried == [0, 1, 0, 1, 0, 0, 0]
    bench.record.apply(bench.repository, parent(draft), Source("lab", "p", 0))  # and then the node died
    bench.record.now = lambda: start + 2**36
    assert bench.follow_ups.sweep() == 1
    assert "reference" in bench.one("Observation", CHILD)["derivedFrom"][0]
    assert bench.record.stamps.claim(2**60, 1, 1) == []


def test_what_is_gone_is_no_longer_followed(bench, draft):
    from resources.repository import Delete, SearchRequest

    bench.apply(child(draft))
    told = [Delete("Provenance", h.version.id) for h in bench.repository.search(SearchRequest("Provenance", ())).hits]
    bench.repository.commit([*told, Delete("Observation", bench.one("Observation", CHILD)["id"])])
    [waiting] = bench.record.stamps.claim(2**60, 1, 1)
    assert bench.follow_ups.run(waiting) and bench.record.stamps.claim(2**61, 1, 1) == []
