import itertools

import pytest

from video.visit.timeline import EMPTY, Turn, began, ended, is_closed, ordered, told, turns


def words(*found: tuple[int, str]) -> list[str]:
    return [turn.status for turn in ordered(Turn(*one) for one in found)]


def test_nothing_goes_back_and_nothing_comes_after_the_end():
    assert words((5, "in-progress"), (7, "arrived"), (1, "planned")) == ["planned", "in-progress"]
    assert words((1, "arrived"), (2, "planned"), (3, "arrived")) == ["arrived"]
    assert words((5, "in-progress"), (6, "finished"), (7, "onleave")) == ["in-progress", "finished"]
    assert words((5, "finished"), (9, "finished"), (4, "arrived")) == ["arrived", "cancelled"]
    assert words((5, "in-progress"), (6, "cancelled")) == ["in-progress", "finished"]


def test_an_empty_room_ends_only_what_had_begun():
    assert words((5, EMPTY), (6, "in-progress")) == [EMPTY, "in-progress"]
    assert words((5, EMPTY), (4, "in-progress")) == ["in-progress", "finished"]


MOMENTS = ((1, "planned"), (2, "arrived"), (3, EMPTY), (4, "in-progress"), (5, "onleave"), (6, "in-progress"))


def test_told_one_after_another_in_every_order_comes_to_the_same():
    results = []
    for order in itertools.permutations(Turn(at * 1000, word) for at, word in (*MOMENTS, (8, "finished"))):
        encounter = {"status": "unknown"}
        for turn in order:
            encounter = told(encounter, ordered([*turns(encounter), turn]))
        results.append(encounter)
    assert all(one == results[0] for one in results)
    assert results[0]["status"] == "finished"
    assert float(results[0]["length"]["value"]) == pytest.approx(3 / 60, abs=0.005)
    known = turns(results[0])
    assert (began(ordered(known)), ended(ordered(known))) == (4000, 8000)


def test_who_closed_it():
    ours = told({}, [Turn(1, "arrived"), Turn(2, "cancelled")])
    assert not is_closed(ours)
    assert is_closed(ours | {"status": "entered-in-error"})
    assert is_closed({"status": "finished"})
    assert not is_closed({"status": "planned"})


def test_history_of_others_is_read_as_far_as_it_says_when():
    foreign = {
        "statusHistory": [
            {"status": "arrived", "period": {"start": "2026"}},
            {"status": "unknown", "period": {"start": "2026-01-01T00:00:00Z"}},
        ]
    }
    assert turns(foreign) == []
