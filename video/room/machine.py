"""The machine: a room, an event and the time go in; a room and effects come out. It touches nothing.

Ours; docs/adr/video-room.md.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from video.errors import Refused
from video.ports import FactKind
from video.room import events, moves, recording
from video.room.consequences import missing, settle
from video.room.effects import Effect
from video.room.model import SEATED, Member, Phase, Room, Rules, Standing
from video.room.scene import Scene
from video.room.table import GUARDS, TRANSITIONS, Row

DONE = 32
"""Commands of a member that are remembered as done."""


class Step(NamedTuple):
    """What came of an event."""

    room: Room
    effects: tuple[Effect, ...]


def step(room: Room, event: events.Event, now: int, rules: Rules) -> Step:
    """``now`` in ms since 1970 UTC. Raises Refused, with nothing changed, for a command that the room does not take;
    for anything else that does not fit, the room stays as it is."""
    if room.phase is Phase.ENDED and not isinstance(event, events.Measured):
        return _after_the_end(room, event)
    scene = Scene(room, now, rules)
    _ROOM.get(type(event), _of_member)(scene, event)
    if scene.room == room and not (scene.effects or scene.anew or scene.stopping):
        return Step(room, ())
    if room.phase is not Phase.ENDED:
        settle(scene)
    return Step(scene.room, tuple(scene.effects))


def _after_the_end(room: Room, event: events.Event) -> Step:
    if isinstance(event, events.Command | events.Seat | events.Offered):
        raise Refused("ended", "This visit is over.", 410)
    return Step(room, ())


def _of_member(scene: Scene, event: events.Event) -> None:
    if isinstance(event, events.Command):
        if _is_done(scene, event):
            return
        _guard(scene, event)
    member = _subject(scene, event)
    row = TRANSITIONS.get((member.standing, type(event))) if member else None
    if member is not None and row is not None:
        _move(scene, member, row, event)
    elif isinstance(event, events.Command | events.Offered):
        raise Refused("not-now", "That is not possible at the moment.", 409)
    if isinstance(event, events.Command) and event.id:
        actor = scene.room.members[event.by]
        scene.change(actor.id, done=(*actor.done, event.id)[-DONE:])


def _subject(scene: Scene, event: events.Event) -> Member | None:
    member = scene.room.members.get(event.member)
    if isinstance(event, events.Seat):
        return _seat(scene, event, member)
    return member


def _seat(scene: Scene, event: events.Seat, member: Member | None) -> Member:
    """Raises Refused when the ticket is of another visit or the room is full."""
    room = scene.room
    scene.change_room(opened=room.opened or scene.now)
    if member is not None and member.role is not event.role:
        raise Refused("foreign", "This ticket is for another seat.", 403)
    for name in ("encounter", "appointment", "patient"):
        there, given = getattr(room, name), getattr(event, name)
        if there and given and there != given:
            raise Refused("foreign", "This ticket is for another visit.", 403)
        scene.change_room(**{name: there or given})
    if event.encrypted and not room.encrypted:
        _encrypt(scene)
    if member is None or member.standing not in SEATED:
        _room_for_one_more(scene)
    return member or Member(event.member, event.role, event.name, event.actor, Standing.NOBODY, scene.now)


def _encrypt(scene: Scene) -> None:
    """Never back again, and not in the middle of a talk. Pages that are there already begin anew."""
    if scene.room.phase is not Phase.OPEN:
        raise Refused("foreign", "This ticket is for another visit.", 403)
    scene.change_room(encrypted=True)
    scene.tell_seated("encrypted")


def _room_for_one_more(scene: Scene) -> None:
    if sum(m.standing in SEATED for m in scene.room.members.values()) >= scene.rules.seats:
        raise Refused("full", "There is no seat left in this visit.", 409)


def _is_done(scene: Scene, event: events.Command) -> bool:
    actor = scene.room.members.get(event.by)
    return actor is not None and bool(event.id) and event.id in actor.done


def _guard(scene: Scene, event: events.Command) -> None:
    guard, actor = GUARDS[type(event)], scene.room.members.get(event.by)
    if actor is None:
        raise Refused("nobody", "You have no seat in this visit.", 403)
    itself = guard.self and event.by == event.member
    if not itself and not (guard.practitioner and actor.practises and actor.admitted):
        raise Refused("not-yours", "Only the clinician can do that.", 403)


def _move(scene: Scene, member: Member, row: Row, event: events.Event) -> None:
    to = row.to(member) if callable(row.to) else row.to
    changed = member if to is None or to is member.standing else replace(member, standing=to, since=scene.now)
    scene.put(changed)
    row.move(scene, member, event)


def _tick(scene: Scene, event: events.Event) -> None:
    grace = scene.rules.grace
    for member in tuple(scene.room.members.values()):
        if member.absent_since is not None and member.absent_since + grace <= scene.now:
            _move(scene, member, TRANSITIONS[member.standing, events.Lapsed], events.Lapsed(member.id))
    room = scene.room
    if room.phase is Phase.RUNNING and room.apart_since is not None and room.apart_since + grace <= scene.now:
        scene.change_room(phase=Phase.AWAY, phase_since=room.apart_since, apart_since=None)
        scene.record(FactKind.AWAY, None, room.apart_since, missing=missing(room))
    if room.empty_since is not None and room.empty_since + scene.rules.expiry <= scene.now:
        moves.over(scene, "expired", room.empty_since)
    elif room.opened is not None and room.opened + scene.rules.longest <= scene.now:
        moves.over(scene, "expired", scene.now, because="longest")


def _drain(scene: Scene, event: events.Event) -> None:
    if not scene.room.draining:
        scene.change_room(draining=True)
        scene.tell_seated("draining")


def _restored(scene: Scene, event: events.Event) -> None:
    """The socket and the media of everybody are gone with the process; the grace begins anew."""
    for member in tuple(scene.room.members.values()):
        scene.change(member.id, socket=False, session="", up=False, sending=frozenset(), absent_since=None)
    scene.change_room(draining=False, opened=scene.room.opened or scene.now)
    scene.anew = True
    recording.restored(scene)


_ROOM: dict[type[events.Event], Callable[[Scene, Any], None]] = {
    events.Tick: _tick,
    events.Drain: _drain,
    events.Restored: _restored,
    events.Consents: recording.consents,
    events.Unwatched: recording.unwatched,
    events.CaptureFailed: recording.failed,
}
