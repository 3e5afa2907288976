from hypothesis import given
from hypothesis import strategies as st

from resources.search_param.normal_form import AS_WRITTEN, OVERLAP, PIECE, exactly, normal, stored


def test_case_accents_width_and_space_do_not_count():
    assert normal("  José\tDE  la CRUZ ") == "jose de la cruz"
    assert normal("\uff2düller") == "muller"
    assert normal("Straße") == "strasse"
    assert normal("İstanbul") == "istanbul"
    assert normal("ﬁn") == "fin"


def test_letters_with_strokes_are_as_they_are_typed_without():
    names = ("Sørensen", "ŁUKASZ", "Đorđe", "Æbelø")
    assert [normal(name) for name in names] == ["sorensen", "lukasz", "dorde", "aebelo"]


@given(st.text())
def test_normal_form_is_stable(text):
    assert normal(normal(text)) == normal(text)


def test_what_is_stored_starts_with_the_normal_form_and_keeps_the_text():
    assert stored("Éa") == (f"ea{AS_WRITTEN}Éa",)
    assert exactly("Éa") != exactly("éa")
    assert stored(" ") == ()


@given(st.text(alphabet="abc ", min_size=PIECE, max_size=4 * PIECE), st.integers(0, 4 * PIECE))
def test_any_short_part_of_a_long_text_lies_in_one_piece(text, start):
    norm = normal(text)
    part = norm[start : start + OVERLAP]
    assert not norm or any(part in piece for piece in stored(text))


def test_long_texts_differ_exactly():
    assert exactly("a" * 1000) != exactly("a" * 1001)
    assert all(len(piece) < 2 * PIECE for piece in stored("ab" * 5000))
