"""What each transition does beside the change of standing; the table names them.

Ours; docs/adr/video-room.md. A move gets the member as it was before the step.
"""

import msgspec

from video.errors import Refused
from video.ports import FactKind, MediaState, Role
from video.room import events, views
from video.room.model import SAID, SAYINGS, TALK, Held, Member, Phase, Saying, SentFile, Standing
from video.room.scene import Scene

MEASURED = 16
"""Sessions of a member whose measures are remembered as told."""


def nothing(scene: Scene, member: Member, event: events.Event) -> None:
    """The member is there already."""


def joined(scene: Scene, member: Member, event: events.Event) -> None:
    now = scene.room.members[member.id]
    again = member.standing is not Standing.NOBODY
    scene.record(FactKind.JOINED, now, role=now.role.value, standing=now.standing.value, again=again)


def returned(scene: Scene, member: Member, event: events.Event) -> None:
    scene.change(member.id, socket=True)
    joined(scene, member, event)


def connected(scene: Scene, member: Member, event: events.Event) -> None:
    scene.change(member.id, socket=True)


def disconnected(scene: Scene, member: Member, event: events.Event) -> None:
    scene.change(member.id, socket=False)


def offered(scene: Scene, member: Member, event: events.Offered) -> None:
    if event.session != member.session:
        scene.change(member.id, session=event.session, up=False, sending=frozenset())


def media(scene: Scene, member: Member, event: events.Media) -> None:
    """Only of the session that is the member's now: what an earlier one still says does not count."""
    if event.session and event.session == member.session:
        _MEDIA[event.state](scene, member, event)


def _up(scene: Scene, member: Member, event: events.Media) -> None:
    scene.change(member.id, up=True)


def _down(scene: Scene, member: Member, event: events.Media) -> None:
    scene.change(member.id, up=False)


def _sending(scene: Scene, member: Member, event: events.Media) -> None:
    if event.source is not None:
        scene.change(member.id, sending=member.sending | {event.source})


def _silent(scene: Scene, member: Member, event: events.Media) -> None:
    if event.source is not None:
        scene.change(member.id, sending=member.sending - {event.source})


def _closed(scene: Scene, member: Member, event: events.Media) -> None:
    scene.change(member.id, session="", up=False, sending=frozenset())


_MEDIA = {
    MediaState.CONNECTED: _up,
    MediaState.RETURNED: _up,
    MediaState.LOST: _down,
    MediaState.SENDING: _sending,
    MediaState.SILENT: _silent,
    MediaState.CLOSED: _closed,
}


def measured(scene: Scene, member: Member, event: events.Measured) -> None:
    if event.session in member.measured:
        return
    scene.change(member.id, measured=(*member.measured, event.session)[-MEASURED:])
    scene.record(FactKind.QUALITY, member, **msgspec.to_builtins(event.stats), seconds=event.seconds)


def lapsed(scene: Scene, member: Member, event: events.Event) -> None:
    """Lost, not gone: back where they were as soon as they are back."""
    scene.change(member.id, back_to=member.standing)
    scene.record(FactKind.LEFT, member, member.absent_since, reason="lost", standing=member.standing.value)


def left(scene: Scene, member: Member, event: events.Event) -> None:
    """Gone of their own will: a practitioner admits again whom a practitioner admitted."""
    back = Standing.WAITING if member.admitted and not member.practises else member.standing
    scene.change(member.id, back_to=back)
    scene.record(FactKind.LEFT, member, reason="left", standing=member.standing.value)


def admitted(scene: Scene, member: Member, event: events.Admit) -> None:
    scene.change(member.id, held=Held.NO)
    scene.record(FactKind.ADMITTED, member, by=event.by)


def denied(scene: Scene, member: Member, event: events.Deny) -> None:
    if member.practises:
        raise Refused("practitioner", "A practitioner cannot be sent out.", 403)
    scene.record(FactKind.DENIED, member, by=event.by, standing=member.standing.value)


def revoked(scene: Scene, member: Member, event: events.Revoked) -> None:
    scene.record(FactKind.DENIED, member, reason="revoked", standing=member.standing.value)


def ask_mute(scene: Scene, member: Member, event: events.AskMute) -> None:
    scene.tell(member.id, "mute-asked", by=event.by)


def hold(scene: Scene, member: Member, event: events.Hold) -> None:
    if member.held is Held.NO:
        scene.change(member.id, held=Held.SELF if event.by == member.id else Held.PRACTITIONER)


def unhold(scene: Scene, member: Member, event: events.Unhold) -> None:
    """Privacy that somebody chose is theirs to give up; a practitioner's hold is a practitioner's to lift."""
    if member.held is Held.SELF and event.by != member.id:
        raise Refused("held", "This person has paused the visit for themselves.", 409)
    if member.held is Held.PRACTITIONER and scene.room.members[event.by].role is not Role.PRACTITIONER:
        raise Refused("held", "The clinician has put you on hold.", 409)
    scene.change(member.id, held=Held.NO)


def turned_off(scene: Scene, member: Member, event: events.Off) -> None:
    scene.change(member.id, off=event.sources & TALK)


def share(scene: Scene, member: Member, event: events.Share) -> None:
    if member.held is not Held.NO:
        raise Refused("held", "You are on hold.", 409)
    if any(m.share for m in scene.room.members.values() if m.id != member.id):
        raise Refused("share-taken", "Somebody else is sharing the screen.", 409)
    scene.change(member.id, share=True)


def unshare(scene: Scene, member: Member, event: events.Unshare) -> None:
    scene.change(member.id, share=False)


def say(scene: Scene, member: Member, event: events.Say) -> None:
    heard = frozenset(m.id for m in scene.room.members.values() if m.admitted)
    saying = Saying(event.id, member.id, member.name, scene.now, event.text, heard)
    scene.record(FactKind.CHAT, member, text=event.text)
    scene.change_room(chat=_latest((*scene.room.chat, saying)))
    scene.tell_admitted("chat", **views.said(saying))


def send_file(scene: Scene, member: Member, event: events.SendFile) -> None:
    there, rules = scene.room.files, scene.rules
    if len(there) >= rules.files or sum(file.size for file in there) + event.size > rules.file_bytes:
        raise Refused("files-full", "This visit takes no more files.", 409)
    heard = frozenset(m.id for m in scene.room.members.values() if m.admitted)
    sent = SentFile(event.file, member.id, member.name, scene.now, event.name, event.type, event.size, heard)
    scene.record(FactKind.FILE, member, file=sent.id, name=sent.name, type=sent.type, size=sent.size)
    scene.change_room(files=(*there, sent))
    scene.tell_admitted("file", **views.sent(sent))


def hand_on(scene: Scene, member: Member, event: events.Pass) -> None:
    other = scene.room.members.get(event.to)
    if not scene.room.encrypted or other is None or not other.admitted:
        raise Refused("not-now", "That is not possible at the moment.", 409)
    scene.tell(other.id, "pass", **{"from": member.id}, text=event.text)


def _latest(chat: tuple[Saying, ...]) -> tuple[Saying, ...]:
    """As much of the end of it as a room keeps."""
    kept, room_left = len(chat), SAID
    while kept and len(chat) - kept < SAYINGS and (room_left := room_left - len(chat[kept - 1].text)) >= 0:
        kept -= 1
    return chat[kept:]


def end(scene: Scene, member: Member, event: events.End) -> None:
    over(scene, "ended", scene.now, by=member.id)


def over(scene: Scene, reason: str, at: int, **detail: str) -> None:
    """Nothing moves any more."""
    scene.change_room(phase=Phase.ENDED, phase_since=at)
    scene.ending = (reason, at, detail)
