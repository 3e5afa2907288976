"""Escape sequences: what is written reads back, and what came is not lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hl7_bridge.er7.delimiters import Delimiters
from hl7_bridge.er7.escapes import escape, sequence, unescape

USUAL = Delimiters()
DELIMITERS = [
    USUAL,
    Delimiters(truncation="#"),
    Delimiters("*", "#", "!", "$", "%"),
    Delimiters("|", ".", "~", "+", "-"),
    Delimiters("§", "→", "~", "\\", "&"),
]
TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('|^~\\&#\r\n\t\x00\x0b\x1c."XEF'))


@given(TEXT, st.sampled_from(DELIMITERS))
def test_what_is_escaped_reads_back(text: str, marks: Delimiters) -> None:
    assert unescape(escape(text, marks), marks) == text


@given(TEXT, st.sampled_from(DELIMITERS))
def test_an_escaped_text_separates_nothing(text: str, marks: Delimiters) -> None:
    leaf = escape(text, marks)
    forbidden = {marks.field, marks.component, marks.repetition, marks.subcomponent, *"\r\n\x0b\x1c\x85\u2028\ufeff"}
    assert not forbidden & set(leaf)
    assert leaf != '""'


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    unescape(text, USUAL)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"a\F\b\S\c\R\d\E\e\T\f", "a|b^c~d\\e&f"),
        (r"line\.br\next", "line\nnext"),
        (r"\.sp2\x\.sp+1\y\.sp\z", "\n\nx\ny\nz"),
        (r"\.in+4\indented\.ti-2\ \.sk 3\over", "indented    over"),
        (r"\H\bold\N\ plain", "bold plain"),
        (r"\.ce\middle\.fi\\.nf\end", "\nmiddleend"),
        (r"\X41\\XC3A9\\xe9\\X0D0A\end", "Aéé\r\nend"),
        (r"\P\ cut", "# cut"),
    ],
)
def test_known_sequences(raw: str, text: str) -> None:
    assert unescape(raw, USUAL) == text


@pytest.mark.parametrize(
    "raw",
    [
        r"C:\temp\new",
        "ends in \\",
        r"\Zlocal\ \C2842\ \M2442\ ",
        r"\X4\ \XG1\ \X\ \X 41\ ",
        r"\.zz\ \.sp9999999999\ ",
        r"\\",
        "\\",
    ],
)
def test_what_is_no_sequence_stays(raw: str) -> None:
    assert unescape(raw, USUAL) == raw


def test_lines_wanted_by_a_sequence_are_bounded() -> None:
    assert unescape(r"\.sp999999999\ ", USUAL) == "\n" * 100 + " "


def test_after_an_unknown_sequence_the_next_is_read() -> None:
    assert unescape(r"\Q\T\x", USUAL) == r"\Q&x"


def test_two_quotation_marks_are_not_the_null_value() -> None:
    assert escape('""', USUAL) == r"\X2222\ ".strip()
    assert unescape(escape('""', USUAL), USUAL) == '""'


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    assert unescape(escape("a\ud800b", USUAL), USUAL) == "a\ufffdb"


def test_a_sequence_of_any_text() -> None:
    assert sequence("é", USUAL) == "\\XC3A9\\"
