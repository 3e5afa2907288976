import pytest

from fhir_server.pages.rendering import clock, grouped, moment, span


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3661, "1 h 1 min"), (3605, "1 h"), (90_061, "1 d 1 h"), (-5, "0 s")],
)
def test_span(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_times_and_numbers() -> None:
    assert (
        moment(0) == "1 Jan 1970, 00:00:00 UTC" and clock(1000) == "1970-01-01 00:00:01" and grouped(12345) == "12,345"
    )
