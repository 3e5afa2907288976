from video.ports import FactKind
from video.visit.ledger import MARKS, WRITTEN, is_over, mark, written
from video.visit.tests.script import fact


def test_a_mark_names_the_fact_and_must_return_its_row():
    made = mark(fact(FactKind.CHAT, 7, 0))
    assert (made.name, made.rows) == (WRITTEN, 1)
    assert (made.params["room"], made.params["number"], made.params["kind"]) == ("room", 7, "chat")
    assert all(f":{name}" in MARKS[WRITTEN] for name in made.params)


def test_questions():
    asked = []

    def ask(sql, values):
        asked.append(tuple(values))
        return [(3,)]

    assert written(ask, [fact(FactKind.CHAT, 5, 0), fact(FactKind.CHAT, 3, 0)]) == {3}
    assert is_over(ask, "room")
    assert asked == [("room", 3, 5), ("room", "ended")]
