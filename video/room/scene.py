"""One step of a room while it is worked out: the room so far and the effects so far.

Ours; lives only inside video.room.machine.step, so that the step as a whole stays pure.
"""

from typing import Any

from msgspec.structs import replace

from video.ports import Fact, FactKind
from video.room.effects import Effect, Record, Tell
from video.room.model import SEATED, Member, Room, Rules


class Scene:
    """``before`` is the room as it was; ``room`` and ``effects`` grow; ``anew``: the media server
    knows nothing; ``ending``: why, when and by whom the visit ends with this step; ``stopping``: why recording does."""

    def __init__(self, room: Room, now: int, rules: Rules) -> None:
        self.before = self.room = room
        self.now, self.rules = now, rules
        self.effects: list[Effect] = []
        self.anew = False
        self.stopping = ""
        self.ending: tuple[str, int, dict[str, str]] | None = None

    def put(self, member: Member) -> Member:
        if self.room.members.get(member.id) != member:
            self.room = replace(self.room, members=self.room.members | {member.id: member})
        return member

    def change(self, id: str, **fields: Any) -> Member:
        """The member with ``fields`` changed."""
        return self.put(replace(self.room.members[id], **fields))

    def change_room(self, **fields: Any) -> Room:
        self.room = replace(self.room, **fields)
        return self.room

    def tell(self, member: str, event: str, /, **fields: Any) -> None:
        self.effects.append(Tell(member, event, fields))

    def tell_admitted(self, event: str, /, **fields: Any) -> None:
        for member in self.room.members.values():
            if member.admitted:
                self.tell(member.id, event, **fields)

    def tell_seated(self, event: str, /, **fields: Any) -> None:
        for member in self.room.members.values():
            if member.standing in SEATED:
                self.tell(member.id, event, **fields)

    def record(self, kind: FactKind, member: Member | None = None, at: int | None = None, **detail: Any) -> None:
        """The next fact, of ``at`` or of now."""
        room = self.room
        self.change_room(facts=room.facts + 1)
        fact = Fact(
            kind=kind,
            room=room.id,
            number=room.facts + 1,
            at=self.now if at is None else at,
            encounter=room.encounter,
            appointment=room.appointment,
            patient=room.patient,
            member=member.id if member else "",
            role=member.role.value if member else "",
            actor=member.actor if member else "",
            detail=detail,
        )
        self.effects.append(Record(fact))
