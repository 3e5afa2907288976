"""Recording of a visit: who is asked, who agrees, when it runs. Only what the record confirms counts as agreement.

Ours; docs/adr/video-recording.md. It runs while the visit does, nobody in it is without a consent that the record has
as active, and a practitioner wants it. What ends it ends the wish too: it never goes on by itself.
"""

from typing import Any

from video.errors import Refused
from video.ports import FactKind, Recorded, Recording
from video.room import events
from video.room.effects import Capture, Release
from video.room.model import Member, Phase, Room
from video.room.scene import Scene

UNFIT = frozenset({"withdrawn", "unknown"})
"""Reasons of an end after which not even the last moments count that nobody has confirmed yet."""


# --- what members ask for


def record(scene: Scene, member: Member, event: events.Record) -> None:
    """Whoever asks agrees: the page says so beside the button."""
    if not scene.rules.recording:
        raise Refused("no-recording", "Visits are not recorded here.", 409)
    if scene.room.encrypted:
        raise Refused("encrypted", "This visit is encrypted from end to end and cannot be recorded.", 409)
    if not scene.room.recorder:
        scene.change_room(recorder=member.id)
    _agree(scene, member)


def stop(scene: Scene, member: Member, event: events.StopRecording) -> None:
    if scene.room.recorder:
        scene.stopping = "stopped"


def agree(scene: Scene, member: Member, event: events.Agree) -> None:
    if not scene.room.recorder:
        raise Refused("not-asked", "Nobody asks to record this visit any more.", 409)
    _agree(scene, member)


def _agree(scene: Scene, member: Member) -> None:
    if not member.agreed:
        scene.record(FactKind.CONSENT_GIVEN, member)
        scene.change(member.id, agreed=scene.room.facts, consented=False)


def withdraw(scene: Scene, member: Member, event: events.Withdraw) -> None:
    """Also how somebody says no who never agreed."""
    if member.agreed:
        scene.record(FactKind.CONSENT_WITHDRAWN, member, agreement=member.agreed)
        scene.change(member.id, agreed=0, consented=False)
    if member.admitted and scene.room.recorder:
        scene.stopping = "withdrawn" if member.agreed else "declined"


# --- what the server saw


def consents(scene: Scene, event: events.Consents) -> None:
    """An agreement that the record had and has no more was withdrawn there."""
    for member in tuple(scene.room.members.values()):
        if not member.agreed:
            continue
        if member.agreed in event.active:
            scene.change(member.id, consented=True)
        elif member.consented or member.agreed in event.void:
            scene.change(member.id, agreed=0, consented=False)
            scene.stopping = "withdrawn" if member.admitted else scene.stopping


def unwatched(scene: Scene, event: events.Unwatched) -> None:
    """Nobody knows what the record says: nobody may be recorded."""
    for member in tuple(scene.room.members.values()):
        scene.change(member.id, consented=False)
    if scene.room.recording:
        scene.stopping = "unknown"


def failed(scene: Scene, event: events.CaptureFailed) -> None:
    if event.recording == scene.room.recording:
        scene.stopping = "failed"


def restored(scene: Scene) -> None:
    """What was captured died with the process; who wants to go on asks again."""
    for member in tuple(scene.room.members.values()):
        scene.change(member.id, consented=False)
    if scene.room.recorder:
        scene.stopping = "restarted"


# --- what follows


def settle(scene: Scene) -> None:
    """Before anybody is permitted: whoever has not agreed comes after the end of it."""
    scene.stopping = _reason(scene)
    if scene.stopping:
        _end(scene, scene.stopping)
    room = scene.room
    if room.recorder and may_record(room) and captured(room) != room.recorded:
        _capture(scene)


def told(scene: Scene) -> None:
    """Everybody in the room knows at any time; ``reason`` why it ended with this step."""
    was, now = view(scene.before), view(scene.room)
    for member in scene.room.members.values():
        before = scene.before.members.get(member.id)
        news = now != was if before is not None and before.admitted else bool(scene.room.recorder)
        if member.admitted and news:
            scene.tell(member.id, "recording", **now, reason=scene.stopping)


def _reason(scene: Scene) -> str:
    """Why it ends with this step, '' when it does not."""
    room = scene.room
    if not room.recorder:
        return ""
    if room.phase is Phase.ENDED:
        return "ended"
    if scene.stopping:
        return scene.stopping
    if room.encrypted:
        return "encrypted"
    if room.recording and room.phase is not Phase.RUNNING:
        return "away"
    return "joined" if room.recording and not may_record(room) else ""


def _end(scene: Scene, reason: str) -> None:
    room = scene.room
    if room.recording:
        scene.effects.append(Release(room.recording, tail=reason not in UNFIT))
        scene.record(FactKind.RECORDING_ENDED, None, reason=reason, recording=room.recording)
    scene.change_room(recorder="", recording=0, recorded=frozenset())


def may_record(room: Room) -> bool:
    """Whether everybody in the room has a consent that the record has as active."""
    here = [member for member in room.members.values() if member.admitted]
    return room.phase is Phase.RUNNING and bool(here) and all(m.agreed and m.consented for m in here)


def captured(room: Room) -> frozenset[str]:
    return frozenset(member.id for member in room.members.values() if member.admitted)


def _capture(scene: Scene) -> None:
    """The beginning, and again when somebody comes who agreed, or goes."""
    room, by = scene.room, scene.room.members[scene.room.recorder]
    if not room.recording:
        scene.record(FactKind.RECORDING_STARTED, by, by=by.id)
        scene.change_room(recording=scene.room.facts, recording_since=scene.now)
    room = scene.change_room(recorded=captured(room))
    members = tuple(Recorded(m.id, m.role, m.actor, m.agreed) for m in room.members.values() if m.id in room.recorded)
    told = (room.encounter, room.appointment, room.patient)
    scene.effects.append(Capture(Recording(room.id, room.recording, room.recording_since, *told, by.actor, members)))


def view(room: Room) -> dict[str, Any]:
    """``by``: who asks, '' for nobody; ``since`` when it runs; ``agreed``: who of those in the room agreed."""
    return {
        "on": room.recording > 0,
        "by": room.recorder,
        "since": room.recording_since if room.recording else None,
        "agreed": [m.id for m in room.members.values() if m.admitted and m.agreed],
    }
