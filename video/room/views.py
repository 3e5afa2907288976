"""What each member may know of a room: nothing of others before admission.

Ours.
"""

from typing import Any

from video.room import recording
from video.room.model import SEATED, Held, Member, Room, Saying, SentFile, Standing


def own(room: Room, member: Member) -> dict[str, Any]:
    """Of the member alone; who waits learns whether somebody is there who could admit."""
    view: dict[str, Any] = {"standing": member.standing.value, "since": member.since}
    if member.standing in (Standing.CHECKING, Standing.WAITING):
        view["clinician"] = any(m.practises and m.admitted and m.present for m in room.members.values())
    return view


def roster(room: Room, member: Member) -> list[dict[str, Any]]:
    """Whom ``member`` knows of: those admitted; a practitioner also those in front of the door."""
    known = SEATED if member.practises else {Standing.ADMITTED}
    return [_entry(m) for m in room.members.values() if m.standing in known]


def _entry(member: Member) -> dict[str, Any]:
    return {
        "member": member.id,
        "name": member.name,
        "role": member.role.value,
        "standing": member.standing.value,
        "since": member.since,
        "here": member.present,
        "media": member.up,
        "held": member.held is not Held.NO,
        "sharing": member.sharing,
        "off": sorted(source.value for source in member.off),
    }


def visit(room: Room) -> dict[str, Any]:
    """``started`` is of the first two-way media, null before it."""
    return {"phase": room.phase.value, "since": room.phase_since, "started": room.started}


def said(saying: Saying) -> dict[str, Any]:
    """``id`` is that of the sender's command, so that its page knows its own."""
    return {"from": saying.member, "name": saying.name, "text": saying.text, "at": saying.at, "id": saying.id}


def sent(file: SentFile) -> dict[str, Any]:
    """``id`` is what it is fetched by."""
    told = {"from": file.member, "name": file.sender, "file": file.name, "type": file.type, "size": file.size}
    return told | {"at": file.at, "id": file.id}


def picture(room: Room, member: Member) -> dict[str, Any]:
    """Everything that the page of ``member`` needs to draw itself anew."""
    view: dict[str, Any] = {"own": own(room, member), "draining": room.draining}
    if member.admitted:
        view |= {
            "held": member.held.value,
            "share": member.share,
            "members": roster(room, member),
            "visit": visit(room),
            "recording": recording.view(room),
            "chat": [said(saying) for saying in room.chat if member.id in saying.heard],
            "files": [sent(file) for file in room.files if member.id in file.heard],
        }
    return view
