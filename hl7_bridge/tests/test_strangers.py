from hl7_bridge.journal.strangers import KEPT
from hl7_bridge.strangers import NOBODY, UNKNOWN, Strangers


def test_addresses_without_end_do_not_fill_the_memory():
    strangers = Strangers()
    for n in range(3 * KEPT):
        strangers.note(f"10.0.{n // 256}.{n % 256}", UNKNOWN)
    strangers.note("10.0.0.0", UNKNOWN)
    strangers.note("10.9.9.9", NOBODY)
    counted = {(each.address, each.reason): each.times for each in strangers.drain()}
    assert (counted["10.0.0.0", UNKNOWN], counted["others", UNKNOWN], counted["others", NOBODY]) == (2, 2 * KEPT, 1)
    assert len(counted) == KEPT + 2
    assert strangers.drain() == []
