"""Canonicals and the order of versions."""

from resources.terminology.source import canonical, version_key


def test_canonical() -> None:
    assert canonical("http://x/y|1.0") == ("http://x/y", "1.0")
    assert canonical("http://x/y#part") == ("http://x/y", "")


def test_versions_order_by_number() -> None:
    assert sorted(["10.0", "9.1", "", "9", "9.1-beta", "2018-08-12"], key=version_key) == [
        "", "9", "9.1", "9.1-beta", "10.0", "2018-08-12",
    ]  # fmt: skip
