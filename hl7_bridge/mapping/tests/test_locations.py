"""Places from the facility down to the bed, each known by its way from the top."""

from hl7_bridge.mapping.mentions.locations import location
from hl7_bridge.mapping.tests.values import draft, value


def test_each_level_is_part_of_the_wider_one() -> None:
    made = draft()
    found = location(value("W1^101^1^HOSP&1.2.3&ISO^active^^B1^2^By the window"), made)
    names = [each.resource["name"] for each in made.entries]
    assert names == ["HOSP", "B1", "2", "W1", "101", "1"]
    bed = made.entries[-1]
    assert found == bed.reference
    assert bed.resource["partOf"] == made.entries[-2].reference
    assert (bed.resource["status"], bed.resource["description"]) == ("active", "By the window")
    assert bed.keys[0].value == "si:HOSP/bu:B1/lvl:2/poc:W1/ro:101/bd:1"


def test_bed_one_of_two_rooms_is_two_beds() -> None:
    made = draft()
    assert location(value("W1^101^1"), made) != location(value("W1^102^1"), made)


def test_a_description_alone_is_a_place() -> None:
    made = draft()
    assert location(value("^^^^^^^^Corridor"), made) == made.entries[0].reference
    assert location(value("^^"), made) is None
