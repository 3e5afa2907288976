"""The algebra of sets: joining, emptiness, sizes."""

from fhir_server.store.search_sets import (
    NOTHING,
    UNKNOWN_SIZE,
    Both,
    Changed,
    Chosen,
    Dated,
    Either,
    Except,
    Instance,
    Interval,
    Lists,
    Span,
    Text,
    Window,
    both,
    either,
    size,
    walkable,
)

A, B = Lists((1,), 10), Lists((2,), 20)
SINCE = Changed("Patient", "ge", 5)


def test_lists_that_are_alternatives_become_one() -> None:
    assert either(A, B, A) == Lists((1, 2), 40)
    assert either(Instance("Patient", ("1",)), Instance("Patient", ("2", "1"))) == Instance("Patient", ("1", "2"))
    one, other = Interval((1,), 0, 1, 0, 1, 5), Interval((2,), 0, 1, 0, 1, 6)
    assert either(one, other) == Interval((1, 2), 0, 1, 0, 1, 11)
    assert either(one, Interval((2,), 0, 2, 0, 1)) == Either((one, Interval((2,), 0, 2, 0, 1)))
    assert either(Text((1,), "a", "exact"), Text((2,), "a", "prefix")).__class__ is Either


def test_nothing_is_neutral_and_absorbing() -> None:
    assert either() == NOTHING == both(A, Chosen(())) == both(A, either())
    assert either(A, NOTHING) == A == both(A)
    assert either(Lists((), 0)) == NOTHING


def test_nested_parts_are_flattened() -> None:
    assert both(A, both(B, SINCE)) == Both((A, B, SINCE))
    assert either(SINCE, either(A, Window(0, 1))) == Either((SINCE, A, Window(0, 1)))


def test_sizes_are_upper_estimates() -> None:
    assert size(both(A, B)) == 10
    assert size(Either((A, SINCE))) == UNKNOWN_SIZE
    assert size(Chosen((1, 2))) == 2 and size(Except(A)) == UNKNOWN_SIZE


def test_what_can_be_listed_by_itself() -> None:
    assert walkable(both(A, Except(B))) and not walkable(Except(A))
    assert walkable(Either((A, SINCE))) and not walkable(Either((A, Except(B))))
    assert not walkable(Dated(Window(0, 1), A))


def test_spans_meet() -> None:
    assert Span(0, 10).meet(5, 20) == Span(5, 10)
