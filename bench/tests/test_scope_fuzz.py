"""Near-scopes at a size for every run; ``make bars ONLY=scopes`` runs all of them."""

from bench.scope_fuzz import second_reading, texts, widened
from smart_auth.scopes.algebra import parse


def test_no_near_scope_widens() -> None:
    assert [why for text in texts(2_000) if (why := widened(text))] == []


def test_the_texts_are_of_both_kinds() -> None:
    tokens = {token for text in texts(2_000) for token in text.split(" ")}
    good = [token for token in tokens if second_reading(token)]
    assert 100 < len(good) < len(tokens) - 100


def test_what_the_second_reading_understands_is_understood() -> None:
    """Without parameters, whose values only the product can judge."""
    tokens = {token for text in texts(2_000) for token in text.split(" ") if "?" not in token}
    assert [token for token in tokens if second_reading(token) and not parse(token)] == []
