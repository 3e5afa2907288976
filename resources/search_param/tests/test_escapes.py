import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.search_param.escapes import plain, split


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a,b", ["a", "b"]), (r"a\,b,c", [r"a\,b", "c"]), (r"a\\,b", [r"a\\", "b"]), ("", [""]), ("a\\", ["a\\"])],
)
def test_split(text, parts):
    assert split(text, ",") == parts


def test_split_at_most():
    assert split(r"a|b|c", "|", 1) == ["a", "b|c"]
    assert split(r"a\|x|b|c", "|", 1) == [r"a\|x", "b|c"]


@given(st.lists(st.text(alphabet="ab,\\|$"), min_size=1))
def test_what_is_escaped_comes_back(parts):
    escaped = ["".join(f"\\{c}" if c in ",\\|$" else c for c in part) for part in parts]
    assert [plain(part) for part in split(",".join(escaped), ",")] == parts
