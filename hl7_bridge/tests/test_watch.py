"""How peers stand, on a real journal."""

from collections.abc import Callable

from hl7_bridge.conftest import Clock
from hl7_bridge.journal import SqlJournal
from hl7_bridge.mapping.model import Unmapped
from hl7_bridge.ports import Incoming, State
from hl7_bridge.site.model import Receiver, Sender, Site
from hl7_bridge.watch import Peer, Watch, learned

MINUTE = 60_000


def watch(journal: SqlJournal, clock: Clock, *senders: Sender) -> Callable[[], dict[str, Peer]]:
    made = Watch(journal, lambda: Site(senders=senders, receivers=(Receiver("h", 1, name="pharmacy"),)), clock)
    return lambda: {peer.name: peer for peer in made.peers()}


def test_counts_by_state(journal: SqlJournal, clock: Clock, message: Callable[..., Incoming]) -> None:
    receipts = journal.receive([message(str(n)) for n in range(4)])
    journal.settle(receipts[0].id, State.HELD)
    journal.settle(receipts[1].id, State.DEAD)
    journal.note_unmapped(receipts[2].id, "lab", [Unmapped("0078", "ZZ", "", "", "OBX-8")])
    journal.receive([message("9", sender="stranger", state=State.REJECTED)])
    journal.receive([message("9", sender="pharmacy", direction="out")])
    peers = watch(journal, clock, Sender("lab"))()
    lab = peers["lab"]
    assert (lab.waiting, lab.held, lab.dead, lab.rejected, lab.unmapped) == (2, 1, 1, 0, 1)
    assert lab.oldest == lab.last == clock.now and lab.known
    assert peers["stranger"].rejected == 1 and not peers["stranger"].known
    assert peers["pharmacy"].direction == "out" and peers["pharmacy"].waiting == 1
    assert "default" not in peers


def test_silence_by_the_site_kit(journal: SqlJournal, clock: Clock, message: Callable[..., Incoming]) -> None:
    journal.receive([message("1", received=clock.now)])
    look = watch(journal, clock, Sender("lab", silence_minutes=5), Sender("never", silence_minutes=5))
    clock.now += 5 * MINUTE
    assert not look()["lab"].silent
    clock.now += MINUTE
    assert look()["lab"].silent and look()["lab"].quiet_seconds == 300 and not look()["never"].silent
    assert not watch(journal, clock, Sender("lab", silence_minutes=0))()["lab"].silent


def test_silence_learned(journal: SqlJournal, clock: Clock, message: Callable[..., Incoming]) -> None:
    for n in range(30):
        journal.receive([message(str(n), received=clock.now)])
        clock.now += 20 * MINUTE
    look = watch(journal, clock, Sender("lab"))
    assert look()["lab"].quiet_seconds == 40 * 60 and not look()["lab"].silent
    clock.now += 21 * MINUTE
    assert look()["lab"].silent


def test_a_replay_is_no_sign_of_life(journal: SqlJournal, clock: Clock, message: Callable[..., Incoming]) -> None:
    [first] = journal.receive([message("1", received=clock.now)])
    journal.settle(first.id, State.REJECTED)
    came = clock.now
    clock.now += 10 * MINUTE
    journal.replay(first.id, message("1", received=clock.now))
    assert watch(journal, clock, Sender("lab", silence_minutes=5))()["lab"].last == came


def test_an_answer_is_given_again_for_a_while(
    journal: SqlJournal, clock: Clock, message: Callable[..., Incoming]
) -> None:
    look = watch(journal, clock, Sender("lab"))
    assert look()["lab"].waiting == 0
    journal.receive([message("1")])
    assert look()["lab"].waiting == 0
    clock.sleep(5)
    assert look()["lab"].waiting == 1


def test_too_few_messages_teach_nothing_and_short_pauses_are_no_alarm() -> None:
    assert learned([5000, 0]) == 0
    assert learned([n * 1000 for n in range(30, 0, -1)]) == 900
