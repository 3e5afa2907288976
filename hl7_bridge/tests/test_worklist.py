import pytest

from hl7_bridge.door import Caps, arrive, incoming
from hl7_bridge.mapping.model import Unmapped
from hl7_bridge.ports import State
from hl7_bridge.site.model import Coding, Sender
from hl7_bridge.tests.test_applier import LAB, applier, claimed, received
from hl7_bridge.worklist import AT_ONCE, Again, Replays, Worklist

CODE = Unmapped("0078", "PANIC", "", "", "OBX-8")
PARTS = (
    "MSH|^~\\&|LAB|A|||2026||ORU^R01|1|P|2.5.1\rPID|||1\rDSC|p\r",
    "MSH|^~\\&|LAB|A|||2026||ORU^R01|2|P|2.5.1||p\rOBX|1|NM|c||5\r",
)


def worklist(house, now=0):
    return Worklist(house.journal, house.repository, {"lab": LAB}.get, lambda: now, "Ada")


def work(house):
    made = applier(house)
    while house.journal.standings() and (waiting := house.journal.claim(50, 60)):
        for each in waiting:
            made.apply(each)


def test_an_answer_reads_some_at_once_and_the_upkeep_the_rest_however_many(house):
    many = AT_ONCE + 5
    for n in range(many):
        house.journal.note_unmapped(received(house, id=str(n)), "lab", [CODE])
    work(house)
    again = worklist(house).answer("lab", "0078", "PANIC", Coding("http://loinc.org", "1"))
    assert again == Again(AT_ONCE, 5)
    told = []
    replays = Replays(house.journal, {"lab": LAB}.get, lambda: 0)
    house.journal._now = lambda: 10_000
    assert replays.follow(lambda id, who: told.append(who)) == 5
    assert (replays.follow(lambda id, who: None), told) == (0, ["Ada"] * 5)
    assert sum(each.count for each in house.journal.standings()) == many
    work(house)
    assert house.count("Observation") == many


def test_one_that_is_not_taken_any_more_does_not_stop_the_others(house):
    for n in range(3):
        house.journal.note_unmapped(received(house, id=str(n)), "lab", [CODE])
    work(house)
    only = Sender("lab", types=("ADT",))
    made = Worklist(house.journal, house.repository, {"lab": only}.get, lambda: 0, "Ada")
    assert made.answer("lab", "0078", "PANIC", Coding("http://loinc.org", "1")) == Again(0, 0)


@pytest.mark.parametrize("which", [0, 1])
def test_any_part_of_an_applied_message_brings_all_of_it_again(house, which):
    ids = []
    for text in PARTS:
        raw = text.encode()
        [receipt] = house.journal.receive([incoming(arrive(raw, lambda *_: LAB, Caps()), 1_700_000_000_000)])
        ids.append(receipt.id)
    house.journal._now = lambda: 1_700_000_000_001
    made = applier(house)
    for _ in PARTS:
        made.apply(claimed(house))
    assert [house.journal.read(id).state for id in ids] == [State.APPLIED] * 2
    assert worklist(house, 1_700_000_000_002).replay(ids[which])
    for _ in PARTS:
        made.apply(claimed(house))
    again = [entry.id for id in ids for entry in map(house.journal.read, house.journal.repeats(house.journal.read(id)))]
    assert [house.journal.read(id).state for id in again] == [State.APPLIED] * 2
    assert house.count("Observation") == 1
    assert house.journal.parts_joined(again[0]) == again
