"""What is walked of a date search where periods abound."""

from fhir_server.search.lasting import beside, lasting, stretches
from fhir_server.store.search_sets import Both, Dated, Interval, Lists, Set, Span, Window

EVERYTHING = Lists((1,), 5_000)
SINCE = Interval((8,), -100, 100, 50, 100)
DATED = Dated(Window(50, 100), SINCE)
NEAR = Both((DATED, EVERYTHING))


def walked(span: Span, descending: bool = True) -> list[tuple[bool, Span]]:
    """(whether it is the set as asked for, where)."""
    return [(part is NEAR, stretch) for part, stretch in stretches(NEAR, DATED, span, descending)]


def test_one_date_search_with_many_periods_beside_something_to_walk() -> None:
    few = Dated(Window(50, 100), Interval((8,), -100, 100, 50, 100, size=20))
    asked: list[tuple[Set, Dated | None]] = [
        (NEAR, DATED),
        (DATED, None),
        (Both((few, EVERYTHING)), None),
        (Both((DATED, Dated(Window(1, 2), SINCE), EVERYTHING)), None),
        (Both((DATED, Window(1, 2))), None),
    ]
    assert [lasting(near) for near, _ in asked] == [dated for _, dated in asked]


def test_it_is_parted_where_the_first_precise_date_fits() -> None:
    above, below = (True, Span(50, 200)), (False, Span(0, 50))
    assert walked(Span(0, 200)) == [above, below]
    assert walked(Span(0, 200), descending=False) == [below, above]


def test_a_page_on_one_side_asks_nothing_of_the_other() -> None:
    assert walked(Span(60, 200)) == [(True, Span(60, 200))]
    assert walked(Span(0, 40)) == [(False, Span(0, 40))]
    assert walked(Span(40, 40)) == []


def test_below_it_periods_are_walked_and_the_rest_is_asked_of_them() -> None:
    ((part, _),) = stretches(NEAR, DATED, Span(0, 40), True)
    assert isinstance(part, Both)
    assert [p.size for p in part.parts if isinstance(p, Interval)] == [0]
    assert beside(NEAR, DATED) in part.parts
