from fhir_server.pages.chart.found import Found, find
from fhir_server.pages.visits.tests.conftest import Rig
from resources.repository import WHOLE_RECORD, Caller, Grants


def test_all_of_it_up_to_a_bound_and_how_much_more(rig: Rig) -> None:
    for number in range(5):
        rig.house.put("Practitioner", f"p{number}", name=[{"family": f"Family{number}"}], gender="other")
    record = rig.process.repository(Caller("test", grants=WHOLE_RECORD))
    asked = (("gender", "other"), ("_sort", "family"))
    found = find(record, "Practitioner", *asked, most=3)
    assert ([one["id"] for one in found.matches], found.more, found.refused) == (["p0", "p1", "p2"], 2, "")
    assert "Practitioner/p0" in found.included
    assert len(find(record, "Practitioner", *asked).matches) == 5


def test_what_may_not_be_seen_or_read_is_told_as_such(rig: Rig) -> None:
    nothing = rig.process.repository(Caller("test", grants=Grants(())))
    assert find(nothing, "Practitioner") == Found(refused="forbidden")
    record = rig.process.repository(Caller("test", grants=WHOLE_RECORD))
    assert find(record, "Practitioner", ("_sort", "no-such-thing")) == Found(refused="failed")
