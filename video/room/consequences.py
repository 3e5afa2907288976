"""What follows from a room having become another: told by comparing the two, so nothing can be told twice.

Ours; docs/adr/video-room.md. Only what the media server and the sockets showed decides over start, away and back.
"""

from collections.abc import Callable, Iterable

from video.ports import FactKind, Source
from video.room import recording, views
from video.room.effects import HangUp, Part, Permit, Silence, Timer
from video.room.model import PATIENT_SIDE, SEATED, TALK, Held, Member, Phase, Room, Rules, Standing
from video.room.scene import Scene

_NO_MEDIA = {"session": "", "up": False, "sending": frozenset(), "socket": False, "absent_since": None}
_SCREEN = frozenset({Source.SCREEN})


def settle(scene: Scene) -> None:
    """The consequences, in the order in which they build upon each other."""
    _departures(scene)
    _absences(scene)
    _standings(scene)
    _sharing(scene)
    _phase(scene)
    recording.settle(scene)
    _ending(scene)
    _media(scene)
    if scene.room.phase is not Phase.ENDED:
        _told(scene)
        recording.told(scene)
    due = deadline(scene.room, scene.rules)
    if scene.anew or due != deadline(scene.before, scene.rules):
        scene.effects.append(Timer(due))


def _before(scene: Scene, member: Member) -> Member | None:
    return scene.before.members.get(member.id)


def _was(scene: Scene, member: Member) -> Standing:
    before = _before(scene, member)
    return before.standing if before else Standing.NOBODY


def _departures(scene: Scene) -> None:
    """Who is out has no media and no socket."""
    for member in scene.room.members.values():
        if member.standing in SEATED or _was(scene, member) == member.standing:
            continue
        if member.socket:
            scene.tell(member.id, member.standing.value, **views.own(scene.room, member))
        _part(scene, member, member.standing.value)
        scene.change(member.id, share=False, **_NO_MEDIA)


def _part(scene: Scene, member: Member, why: str) -> None:
    if member.session:
        scene.effects.append(HangUp(member.id, member.session))
    if member.socket:
        scene.effects.append(Part(member.id, why))


def _absences(scene: Scene) -> None:
    for member in scene.room.members.values():
        if member.standing in SEATED:
            since = None if member.present else (member.absent_since or scene.now)
            scene.change(member.id, absent_since=since)
    empty = not any(m.present for m in scene.room.members.values() if m.standing in SEATED)
    scene.change_room(empty_since=(scene.room.empty_since or scene.now) if empty else None)


def _standings(scene: Scene) -> None:
    """The record hears that the patient waits, however that came about."""
    for member in scene.room.members.values():
        waits = member.standing is Standing.WAITING and member.standing != _was(scene, member)
        if waits and member.role in PATIENT_SIDE:
            scene.record(FactKind.WAITING, member)


def _sharing(scene: Scene) -> None:
    for member in scene.room.members.values():
        allowed = member.admitted and member.share and member.held is Held.NO
        on = allowed and member.up and Source.SCREEN in member.sending and scene.room.phase is not Phase.ENDED
        if on == member.sharing:
            continue
        changed = scene.change(member.id, sharing=on)
        scene.record(FactKind.SHARE_STARTED if on else FactKind.SHARE_ENDED, changed)
        scene.tell_admitted("share", member=member.id, on=on)


def _phase(scene: Scene) -> None:
    if scene.room.phase in _PHASES:
        _PHASES[scene.room.phase](scene)


def _open(scene: Scene) -> None:
    """The visit starts with the first media in both directions."""
    if _both(scene.room, lambda m: m.up and m.held is Held.NO and bool(m.sending & TALK)):
        scene.change_room(phase=Phase.RUNNING, phase_since=scene.now, started=scene.now)
        scene.record(FactKind.STARTED)


def _running(scene: Scene) -> None:
    apart = None if _together(scene.room) else (scene.room.apart_since or scene.now)
    scene.change_room(apart_since=apart)


def _away(scene: Scene) -> None:
    if _together(scene.room):
        scene.change_room(phase=Phase.RUNNING, phase_since=scene.now, apart_since=None)
        scene.record(FactKind.BACK)


_PHASES: dict[Phase, Callable[[Scene], None]] = {Phase.OPEN: _open, Phase.RUNNING: _running, Phase.AWAY: _away}


def _both(room: Room, has: Callable[[Member], bool]) -> bool:
    here = [m for m in room.members.values() if m.admitted and has(m)]
    return any(m.role in PATIENT_SIDE for m in here) and any(m.practises for m in here)


def _together(room: Room) -> bool:
    return _both(room, lambda m: m.up)


def missing(room: Room) -> str:
    """The side that is gone, for the record."""
    patient = any(m.admitted and m.up and m.role in PATIENT_SIDE for m in room.members.values())
    return "practitioner" if patient else "patient"


def _ending(scene: Scene) -> None:
    if scene.ending is None:
        return
    reason, at, detail = scene.ending
    scene.tell_seated("ended", reason=reason)
    scene.record(FactKind.ENDED, None, at, reason=reason, **detail)
    for member in scene.room.members.values():
        _part(scene, member, "ended")
        scene.change(member.id, share=False, **_NO_MEDIA)


def permitted(room: Room) -> frozenset[str]:
    """Who sends and receives: those admitted and not on hold, until the end."""
    if room.phase is Phase.ENDED:
        return frozenset()
    return frozenset(m.id for m in room.members.values() if m.admitted and m.held is Held.NO)


def silenced(member: Member) -> frozenset[Source]:
    """A screen is forwarded only of who may share it."""
    return frozenset() if member.share else _SCREEN


def _media(scene: Scene) -> None:
    """Silenced before permitted, so that not one packet of a screen slips through."""
    if scene.room.phase is Phase.ENDED:
        scene.effects.append(Permit(frozenset()))
        scene.effects.extend(Silence(id, frozenset()) for id in scene.room.members)  # nothing of the room stays behind
        return
    if scene.anew:
        scene.effects.extend(media_anew(scene.room))
        return
    for member in scene.room.members.values():
        before = _before(scene, member)
        known = before is not None and before.admitted and silenced(before) == silenced(member)
        if member.admitted and not known:
            scene.effects.append(Silence(member.id, silenced(member)))
    if permitted(scene.room) != permitted(scene.before):
        scene.effects.append(Permit(permitted(scene.room)))


def media_anew(room: Room) -> Iterable[Permit | Silence]:
    """All of it, for a media server that knows nothing."""
    for member in room.members.values():
        if member.admitted:
            yield Silence(member.id, silenced(member))
    yield Permit(permitted(room))


def _told(scene: Scene) -> None:
    for member in scene.room.members.values():
        if member.standing in SEATED:
            _tell_own(scene, member)
            _tell_others(scene, member)


def _tell_own(scene: Scene, member: Member) -> None:
    before = _before(scene, member)
    was = views.own(scene.before, before) if before else None
    own = views.own(scene.room, member)
    if own != was:
        scene.tell(member.id, member.standing.value, **own)
    if before and before.held != member.held:
        scene.tell(member.id, "hold", held=member.held.value)
    if before and before.share != member.share:
        scene.tell(member.id, "may-share", on=member.share)


def _tell_others(scene: Scene, member: Member) -> None:
    """Nothing of anybody before admission; everything with it."""
    if not member.admitted:
        return
    before = _before(scene, member)
    knew = before is not None and before.admitted
    members, visit = views.roster(scene.room, member), views.visit(scene.room)
    if not knew or before is None or members != views.roster(scene.before, before):
        scene.tell(member.id, "members", members=members)
    if not knew or visit != views.visit(scene.before):
        scene.tell(member.id, "visit", **visit)


def deadline(room: Room, rules: Rules) -> int | None:
    """When something happens if nothing else does."""
    if room.phase is Phase.ENDED:
        return None
    due = [m.absent_since + rules.grace for m in room.members.values() if m.absent_since is not None]
    if room.phase is Phase.RUNNING and room.apart_since is not None:
        due.append(room.apart_since + rules.grace)
    if room.empty_since is not None:
        due.append(room.empty_since + rules.expiry)
    if room.opened is not None:
        due.append(room.opened + rules.longest)
    return min(due, default=None)
