"""The table of transitions: (standing of the member, event) to (standing after, what else is done).

Ours; docs/adr/video-room.md says it in words. What is not in the table is passed over when the server saw it and
refused when somebody asked for it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from video.room import events, moves, recording
from video.room.model import Member, Standing
from video.room.scene import Scene

_N, _C, _W = Standing.NOBODY, Standing.CHECKING, Standing.WAITING
_A, _D, _L = Standing.ADMITTED, Standing.DENIED, Standing.LEFT

Target = Standing | Callable[[Member], Standing] | None
Move = Callable[[Scene, Member, Any], None]


class Row(NamedTuple):
    """``to`` None: the standing stays."""

    to: Target
    move: Move


def door(member: Member) -> Standing:
    """Practitioners have the key; everybody else stands in front of the door."""
    return _A if member.practises else _C


def back(member: Member) -> Standing:
    return member.back_to


def _rows(standings: tuple[Standing, ...], event: type[events.Event], row: Row) -> dict[Any, Row]:
    return {(standing, event): row for standing in standings}


_STAY = Row(None, moves.nothing)

TRANSITIONS: dict[tuple[Standing, type[events.Event]], Row] = (
    # what the server saw
    _rows((_N, _D), events.Seat, Row(door, moves.joined))
    | _rows((_C, _W, _A), events.Seat, _STAY)
    | _rows((_L,), events.Seat, Row(back, moves.joined))
    | _rows((_C, _W, _A), events.Connected, Row(None, moves.connected))
    | _rows((_L,), events.Connected, Row(back, moves.returned))
    | _rows((_C, _W, _A), events.Disconnected, Row(None, moves.disconnected))
    | _rows((_W, _A), events.Offered, Row(None, moves.offered))
    | _rows((_W, _A), events.Media, Row(None, moves.media))
    | _rows((_C, _W, _A), events.Lapsed, Row(_L, moves.lapsed))
    | _rows((_C, _W, _A, _D, _L), events.Measured, Row(None, moves.measured))
    | _rows((_C, _W, _A, _L), events.Revoked, Row(_D, moves.revoked))
    # what somebody asked for
    | _rows((_C,), events.Ready, Row(_W, moves.nothing))
    | _rows((_W, _A), events.Ready, _STAY)
    | _rows((_C, _W, _A), events.Leave, Row(_L, moves.left))
    | _rows((_L,), events.Leave, _STAY)
    | _rows((_W,), events.Admit, Row(_A, moves.admitted))
    | _rows((_A,), events.Admit, _STAY)
    | _rows((_C, _W, _A, _L), events.Deny, Row(_D, moves.denied))
    | _rows((_D,), events.Deny, _STAY)
    | _rows((_A,), events.AskMute, Row(None, moves.ask_mute))
    | _rows((_A,), events.Hold, Row(None, moves.hold))
    | _rows((_A,), events.Unhold, Row(None, moves.unhold))
    | _rows((_C, _W, _A), events.Off, Row(None, moves.turned_off))
    | _rows((_A,), events.Share, Row(None, moves.share))
    | _rows((_A,), events.Unshare, Row(None, moves.unshare))
    | _rows((_A,), events.Say, Row(None, moves.say))
    | _rows((_A,), events.SendFile, Row(None, moves.send_file))
    | _rows((_A,), events.Pass, Row(None, moves.hand_on))
    | _rows((_A,), events.Record, Row(None, recording.record))
    | _rows((_A,), events.StopRecording, Row(None, recording.stop))
    | _rows((_A,), events.Agree, Row(None, recording.agree))
    | _rows((_C, _W, _A), events.Withdraw, Row(None, recording.withdraw))
    | _rows((_A,), events.End, Row(None, moves.end))
)


class Guard(NamedTuple):
    """Who may ask: the member itself, a practitioner of the room, or either."""

    self: bool
    practitioner: bool


GUARDS: dict[type[events.Command], Guard] = {
    events.Ready: Guard(True, False),
    events.Leave: Guard(True, False),
    events.Share: Guard(True, False),
    events.Say: Guard(True, False),
    events.SendFile: Guard(True, False),
    events.Pass: Guard(True, False),
    events.Off: Guard(True, False),
    events.Hold: Guard(True, True),
    events.Unhold: Guard(True, True),
    events.Unshare: Guard(True, True),
    events.Admit: Guard(False, True),
    events.Deny: Guard(False, True),
    events.AskMute: Guard(False, True),
    events.Agree: Guard(True, False),
    events.Withdraw: Guard(True, False),
    events.Record: Guard(False, True),
    events.StopRecording: Guard(False, True),
    events.End: Guard(False, True),
}
