from hl7_bridge.journal.strangers import KEPT, Stranger


def test_counts_add_up_and_only_the_newest_rows_stay(journal):
    journal.note_strangers([Stranger("10.0.0.9", "unknown", 2, 5)])
    journal.note_strangers([Stranger("10.0.0.9", "unknown", 3, 9), Stranger("10.0.0.9", "unreadable", 1, 8)])
    assert journal.strangers() == [Stranger("10.0.0.9", "unknown", 5, 9), Stranger("10.0.0.9", "unreadable", 1, 8)]
    journal.note_strangers([Stranger(f"10.1.{n // 256}.{n % 256}", "unknown", 1, 100 + n) for n in range(KEPT + 50)])
    assert len(journal.strangers()) == KEPT
    assert journal.strangers()[0].last == 100 + KEPT + 49
