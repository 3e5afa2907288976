import pytest

from video.visit.moments import moment, period


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T10:15:30.125Z", 1_795_342_530_125),
        ("2026-11-22T11:15:30+01:00", 1_795_342_530_000),
        ("2026-11-22", None),
        ("2026-11-22T10:15:30", None),
        ("not a T at all", None),
        (None, None),
    ],
)
def test_moments(text, at):
    assert moment(text) == at


def test_there_and_back():
    assert moment(period(1_795_342_530_125)["start"]) == 1_795_342_530_125
    assert period(None, 0) == {"end": "1970-01-01T00:00:00.000Z"}
    assert period(None) == {}
