"""The bounds fit together."""

from dataclasses import FrozenInstanceError

import pytest

from video.media.limits import Limits


def test_a_member_cannot_take_the_share_of_all() -> None:
    limits = Limits()
    assert limits.session_packets < limits.room_packets
    assert limits.silent_after < limits.lost_after < limits.unused_after < limits.closed_after
    with pytest.raises(FrozenInstanceError):
        limits.sessions = 1  # type: ignore[misc]
