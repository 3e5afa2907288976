"""The nearest name."""

from resources.nearest import did_you_mean, nearest


def test_nearest() -> None:
    assert nearest("famly", {"given", "family"}) == "family"
    assert nearest("zzzz", ["given", "family"]) == ""
    assert nearest("x" * 100_000, ["given"]) == ""


def test_did_you_mean() -> None:
    assert did_you_mean("famly", ["given", "family"]) == "; did you mean 'family'?"
    assert did_you_mean("zzzz", ["given"]) == ""
