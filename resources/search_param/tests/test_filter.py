"""The language of _filter: what its trees are, and where its errors are found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import BadSearch
from resources.search_param.filter import DEPTH, OPERATORS, TESTS, Comparison, Joined, Negation, Node, Step, parse


def shown(node: Node) -> str:
    """The tree with every group in parentheses."""
    match node:
        case Negation():
            return f"not {shown(node.of)}"
        case Joined():
            inner = f" {node.word} ".join(shown(part) for part in node.parts)
            return inner if len(node.parts) == 1 else f"({inner})"
        case Comparison():
            return f"{'.'.join(map(_step, node.path))} {node.op} {node.value}"


def _step(step: Step) -> str:
    where = f"[{shown(step.where)}]" if step.where else ""
    return f"{step.source or step.type}/{step.name}{where}"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("name co pet", "/name co pet"),
        ('  name  co  "a b)"  ', "/name co a b)"),
        (r'name eq "O\"Neil\\"', '/name eq O"Neil\\'),
        ("a eq 1 and b eq 2 and c eq 3", "(/a eq 1 and /b eq 2 and /c eq 3)"),
        ("a eq 1 or b eq 2 and c eq 3", "((/a eq 1 or /b eq 2) and /c eq 3)"),
        ("a eq 1 or (b eq 2 and c eq 3)", "(/a eq 1 or (/b eq 2 and /c eq 3))"),
        ("not (a eq 1 or b eq 2) and c eq 3", "(not (/a eq 1 or /b eq 2) and /c eq 3)"),
        ("not(a eq 1)", "not /a eq 1"),
        ("subject.organization.name sw x", "/subject./organization./name sw x"),
        ("subject:Patient.name sw x", "Patient/subject./name sw x"),
        ("subject[gender eq male].name sw x", "/subject[/gender eq male]./name sw x"),
        ("_has:Observation:patient:code eq http://loinc.org|1-2", "Observation/patient./code eq http://loinc.org|1-2"),
        ("date ge 2014-10-10T10:00:00+01:00", "/date ge 2014-10-10T10:00:00+01:00"),
    ],
)  # fmt: skip
def test_trees(text: str, tree: str) -> None:
    assert shown(parse(text)) == tree


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("", 1, "expected a search parameter"),
        ("name", 5, "expected an operator"),
        ("name is x", 6, "found 'is x'"),
        ("name eq", 8, "expected a value"),
        ("name eq x name eq y", 11, "'and', 'or' or the end"),
        ("(name eq x", 11, "expected ')'"),
        ("name eq x)", 10, "found ')'"),
        ("not name eq x", 5, "'(' after 'not'"),
        ('name eq "x', 9, "no end"),
        ('name eq "\\x"', 9, "as in JSON"),
        ("subject[gender eq male] eq x", 24, "'.' and a name"),
        ("subject:Patient eq x", 16, "'.' and a name"),
        ("subject[gender eq male.name eq x", 29, "expected ']'"),
        ("a eq 1 and", 11, "expected a search parameter"),
        ("((((((((((((((a eq 1))))))))))))))", 14, f"more than {DEPTH} levels"),
        (" or ".join(["a eq 1"] * (TESTS + 1)), 1001, f"more than {TESTS} tests"),
        (" and ".join(["a eq 1 or b eq 2"] * 20), 144, "more than"),
        (".".join(["a"] * 20) + " eq 1", 25, "more than 12 steps"),
    ],
)
def test_errors_name_the_character(text: str, at: int, words: str) -> None:
    with pytest.raises(BadSearch) as caught:
        parse(text)
    assert f"at character {at}: " in str(caught.value)
    assert words in str(caught.value)


@given(st.text(st.sampled_from('ab.[]()":_ \\') | st.characters(), max_size=60) | st.lists(
    st.sampled_from(["a", "eq", "1", "and", "or", "not", "(", ")", "[", "]", ".", '"x y"', *OPERATORS]), max_size=30
).map(" ".join))  # fmt: skip
def test_any_text_is_a_tree_or_refused(text: str) -> None:
    try:
        assert parse(text)
    except BadSearch as error:
        assert "at character" in str(error)
