"""A few walks through pages while others write, on SQLite."""

from bench.search_paging import SORTS, walked, wards


def test_nothing_is_lost_or_seen_twice() -> None:
    with wards("sqlite", 3) as ward:
        assert walked(ward, len(SORTS)) == []
