"""A clock that stands still, shared by the tests of people."""

import pytest


class Clock:
    def __init__(self) -> None:
        self.at = 1_800_000_000

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()
