from video.ports import FactKind, Role
from video.visit.attendance import attended, closed
from video.visit.tests.script import START, encounter, fact


def periods(made):
    return [entry.get("period", {}) for entry in made["participant"]]


def test_coming_and_going_in_any_order():
    come, go, again = (
        fact(FactKind.ADMITTED, 1, 0, Role.INTERPRETER),
        fact(FactKind.LEFT, 2, 1, Role.INTERPRETER, standing="admitted"),
        fact(FactKind.JOINED, 3, 2, Role.INTERPRETER, standing="admitted"),
    )
    straight = encounter(participant=[])
    for one in (come, go, again):
        straight = attended(straight, one, None)
    mixed = encounter(participant=[])
    for one in (again, go, go, come):
        mixed = attended(mixed, one, None)
    assert mixed == straight
    assert [set(one) for one in periods(straight)] == [{"start", "end"}, {"start"}]


def test_the_end_closes_what_is_open_and_a_late_word_still_counts():
    come = fact(FactKind.ADMITTED, 1, 0, Role.GUEST)
    end = START + 600_000
    made = closed(attended(encounter(participant=[]), come, None), end)
    assert periods(made)[0]["end"].endswith("Z")
    late = attended(made, fact(FactKind.LEFT, 2, 5, Role.GUEST, standing="admitted"), end)
    assert len(periods(late)) == 1
    assert periods(late) != periods(made)


def test_a_planned_participant_becomes_the_one_who_came():
    planned = encounter(participant=[{"type": [{"text": "Primary"}], "individual": {"reference": "Practitioner/2"}}])
    [entry] = attended(planned, fact(FactKind.JOINED, 1, 0, Role.PRACTITIONER, standing="admitted"), None)[
        "participant"
    ]
    assert entry["type"] == [{"text": "Primary"}]
    assert "start" in entry["period"]


def test_patients_and_those_at_the_door_are_none():
    for one in (
        fact(FactKind.ADMITTED, 1, 0, Role.PATIENT),
        fact(FactKind.JOINED, 1, 0, Role.GUEST, standing="checking"),
        fact(FactKind.LEFT, 1, 0, Role.GUEST),
        fact(FactKind.STARTED, 1, 0),
    ):
        made = encounter()
        assert attended(made, one, None) is made
