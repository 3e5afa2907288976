"""The whole table: every standing of a member and every event, against the table in words of docs/adr/video-room.md."""

import pytest
from msgspec.structs import replace

from video.errors import Refused
from video.ports import MediaState, MediaStats, Source
from video.room import events
from video.room.machine import step
from video.room.model import Phase, Standing
from video.room.table import GUARDS, TRANSITIONS
from video.room.tests.play import DOCTOR, PATIENT, RULES, Play, seat, waiting

ORDER = (
    Standing.NOBODY,
    Standing.CHECKING,
    Standing.WAITING,
    Standing.ADMITTED,
    Standing.DENIED,
    Standing.LEFT,
)
LETTERS = dict(zip("NCWADL", ORDER, strict=True))
# A letter is the standing after; '=' the same, something else done or known already; '-' passed over; 'x' refused.
# LEFT goes back to where it was: WAITING here.
EXPECTED = {
    events.Seat: "C===CW",
    events.Connected: "-===-W",
    events.Disconnected: "-===--",
    events.Offered: "xx==xx",
    events.Media: "--==--",
    events.Measured: "-=====",
    events.Lapsed: "-LLL--",
    events.Revoked: "-DDD-D",
    events.Ready: "xW==xx",
    events.Leave: "xLLLx=",
    events.Admit: "xxA=xx",
    events.Deny: "xDDD=D",
    events.AskMute: "xxx=xx",
    events.Hold: "xxx=xx",
    events.Unhold: "xxx=xx",
    events.Off: "x===xx",
    events.Share: "xxx=xx",
    events.Unshare: "xxx=xx",
    events.Say: "xxx=xx",
    events.SendFile: "xxx=xx",
    events.Withdraw: "x===xx",
    events.Pass: "xxx=xx",
}
ELSEWHERE = {events.End, events.Record, events.StopRecording, events.Agree}
"""Of somebody admitted alone: here and in test_recording."""
BY_DOCTOR = {events.Admit, events.Deny, events.AskMute, events.Hold, events.Unhold, events.Unshare}


def in_standing(standing: Standing) -> Play:
    play = waiting()
    members = dict(play.room.members)
    if standing is Standing.NOBODY:
        del members[PATIENT]
    else:
        here = standing in (Standing.CHECKING, Standing.WAITING, Standing.ADMITTED)
        members[PATIENT] = replace(members[PATIENT], standing=standing, back_to=Standing.WAITING, socket=here)
    play.room = replace(play.room, members=members, encrypted=True)
    return play.clear()


def an(kind: type[events.Event]) -> events.Event:
    if kind is events.Seat:
        return seat(PATIENT)
    more = {
        events.Offered: {"session": "s"},
        events.Media: {"session": "s", "state": MediaState.CONNECTED},
        events.Measured: {"session": "s", "stats": MediaStats()},
        events.Off: {"sources": frozenset({Source.MICROPHONE})},
        events.Say: {"text": "hello"},
        events.SendFile: {"file": "f1", "name": "a.pdf", "type": "application/pdf", "size": 9},
        events.Pass: {"to": DOCTOR, "text": "key"},
    }.get(kind, {})
    if issubclass(kind, events.Command):
        return kind(PATIENT, DOCTOR if kind in BY_DOCTOR else PATIENT, "c1", **more)
    return kind(PATIENT, **more)


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("kind", EXPECTED, ids=lambda kind: kind.__name__)
def test_transition(kind: type[events.Event], letter: str) -> None:
    play = in_standing(LETTERS[letter])
    before = play.room
    expected = EXPECTED[kind]["NCWADL".index(letter)]
    if expected == "x":
        with pytest.raises(Refused):
            play.do(an(kind))
        assert play.room == before
        return
    play.do(an(kind))
    if expected == "-":
        assert (play.room, play.effects) == (before, [])
    else:
        assert play.room.members[PATIENT].standing is LETTERS.get(expected, LETTERS[letter])


def test_the_words_name_every_cell_of_the_table() -> None:
    listed = {
        (LETTERS[letter], kind)
        for kind, row in EXPECTED.items()
        for letter, cell in zip("NCWADL", row, strict=True)
        if cell not in "-x"
    }
    assert {cell for cell in TRANSITIONS if cell[1] not in ELSEWHERE} == listed
    assert {cell for cell in TRANSITIONS if cell[1] in ELSEWHERE} == {(Standing.ADMITTED, kind) for kind in ELSEWHERE}


def test_every_command_has_a_guard() -> None:
    assert set(GUARDS) == {kind for _, kind in TRANSITIONS if issubclass(kind, events.Command)}


@pytest.mark.parametrize("kind", sorted(BY_DOCTOR | ELSEWHERE - {events.Agree}, key=lambda kind: kind.__name__))
def test_what_is_the_clinicians_is_nobody_elses(kind: type[events.Command]) -> None:
    play = waiting().do(events.Admit(PATIENT, DOCTOR)).arrive("guest").do(events.Ready("guest", "guest"))
    play.do(events.Admit("guest", DOCTOR))
    with pytest.raises(Refused) as refused:
        play.do(kind("guest", PATIENT))
    assert refused.value.code == "not-yours"


@pytest.mark.parametrize("kind", [*EXPECTED, events.Tick, events.Drain, events.Restored, events.End])
def test_after_the_end_nothing_moves(kind: type[events.Event]) -> None:
    play = waiting().do(events.End(DOCTOR, DOCTOR))
    ended = play.room
    assert ended.phase is Phase.ENDED
    event = an(kind) if kind in EXPECTED or issubclass(kind, events.Command) else kind()
    if kind is events.Measured:
        assert step(ended, event, play.now, RULES).room.phase is Phase.ENDED
    elif isinstance(event, events.Command | events.Seat | events.Offered):
        with pytest.raises(Refused) as refused:
            step(ended, event, play.now, RULES)
        assert refused.value.code == "ended"
    else:
        assert step(ended, event, play.now, RULES) == (ended, ())
