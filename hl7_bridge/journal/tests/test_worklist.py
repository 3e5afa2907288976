from hl7_bridge.mapping.model import Unmapped

GLUCOSE = Unmapped("OBX-3", "GLU", "L", "Glucose", "OBX-3")


def test_a_code_is_counted_until_it_is_answered(journal):
    journal.note_unmapped(1, "lab", [GLUCOSE, GLUCOSE, Unmapped("0074", "XX", "", "", "OBR-24")])
    journal.note_unmapped(2, "lab", [GLUCOSE])
    journal.note_unmapped(3, "ward", [GLUCOSE])
    first, *_ = journal.worklist("lab")
    assert (first.code, first.count, first.message, first.text) == ("GLU", 2, 2, "Glucose")
    assert len(journal.worklist()) == 3
    assert journal.answer("lab", "OBX-3", "GLU", '{"system":"http://loinc.org","code":"2345-7"}')
    assert not journal.answer("lab", "OBX-3", "unknown", "{}")
    assert [item.code for item in journal.worklist("lab")] == ["XX"]
    assert [item.code for item in journal.worklist("lab", answered=True)] == ["GLU"]
    journal.note_unmapped(4, "lab", [GLUCOSE])
    assert journal.worklist("lab", answered=True)[0].count == 3
