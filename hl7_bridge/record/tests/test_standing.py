"""What is remembered, as text and back; what beats what."""

from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.mapping.model import AsOf
from hl7_bridge.record.standing import MENTIONED, OTHERS, Placed, Standing, beats, load

as_ofs = st.builds(AsOf, st.integers(-2, 9), st.integers(0, 2**45), st.sampled_from(["", "a", "~", "~+"]))
names = st.text("abc:[]|", min_size=1, max_size=5)
standings = st.builds(
    Standing,
    st.none() | as_ofs,
    st.dictionaries(names, as_ofs, max_size=4),
    st.dictionaries(
        names, st.dictionaries(names, st.builds(Placed, as_ofs, st.integers(-1, 5)), max_size=3), max_size=2
    ),
    st.dictionaries(names, st.lists(names, min_size=1, unique=True).map(sorted), max_size=2),
    st.none() | st.tuples(names, as_ofs),
)


@given(standings)
def test_what_is_written_is_read_and_equal_ones_are_equal_text(standing):
    text = standing.dump()
    assert load(text) == standing and load(text).dump() == text


def test_nothing_is_little():
    assert Standing().dump() == "{}" and load("{}") == Standing()


def test_rank_goes_before_time_but_not_against_people():
    assert beats(AsOf(2, 1, ""), AsOf(1, 9, "")) and not beats(AsOf(1, 9, ""), AsOf(2, 1, ""))
    assert beats(AsOf(0, 9, "a"), AsOf(0, 9, "a")) and beats(AsOf(0, 0, ""), None)
    people = AsOf(0, 5, OTHERS)
    assert beats(AsOf(1, 6, ""), people) and not beats(AsOf(3, 5, "z"), people)
    assert beats(AsOf(0, 0, ""), MENTIONED)
