from hl7_bridge.mapping.model import Unmapped

CODE = Unmapped("0078", "PANIC", "", "", "OBX-8")


def test_what_holds_a_code_waits_in_a_queue_until_it_is_read_again(journal, rows):
    for id in range(1, 8):
        journal.note_unmapped(id, "lab", [CODE])
    assert journal.holding("lab", "0078", "PANIC", 3) == [1, 2, 3]
    assert journal.reread("lab", "0078", "PANIC", after=3, who="Ada", due=0) == 4
    assert journal.reread("lab", "0078", "PANIC", after=5, who="Bea", due=0) == 2  # a second thought
    assert journal.take_reread(3) == [(4, "Ada"), (5, "Ada"), (6, "Bea")]
    assert journal.take_reread(3) == [(7, "Bea")]  # the first are somebody's for a while
    journal.end_reread([4, 5, 7])
    assert rows("SELECT message FROM hl7_reread") == [(6,)]
    assert journal.take_reread(3) == []
