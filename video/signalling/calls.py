"""The media sessions of the members: offers, restarts, what the media server saw, slots, quality.

RFC 9725 (WHIP) for the shape of a media session; RFC 8840 for the fragments of an ICE restart.
"""

import asyncio
from collections import defaultdict
from typing import Any

from video.errors import Refused
from video.ports import MediaBackend, MediaEvent, MediaState, MediaStats, Slot
from video.room import events
from video.room.model import Held, Member, Room
from video.room.table import TRANSITIONS
from video.signalling.clock import Clock
from video.signalling.quality import quality
from video.signalling.visits import Visits


class Calls:
    """Over ``visits``; one for each process."""

    def __init__(self, visits: Visits, backend: MediaBackend, clock: Clock) -> None:
        self._visits, self._backend, self._clock = visits, backend, clock
        self._slots: dict[tuple[str, str], tuple[Slot, ...]] = {}
        self._words: dict[str, dict[str, str]] = {}
        self._last: dict[str, MediaStats] = {}
        self._began: dict[str, int] = {}
        self._turns: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        visits.on_hang_up(self._measure)
        visits.changed = self._changed
        self._loop = asyncio.get_running_loop()
        backend.listen(self._told)

    async def offer(self, room: str, member: str, sdp: str) -> tuple[str, str]:
        """(session, answer). Raises Refused before admission to the waiting room, and what the backend refuses."""
        async with self._turns[room, member]:
            self._allowed(room, member)
            earlier = self._visits.member(room, member).session
            if earlier:
                self._measure(room, member, earlier)
            session, answer = await self._backend.offer(room, member, sdp)
            try:
                self._visits.feed(room, events.Offered(member, session=session))
                self._allowed(room, member)
            except Refused:
                self._visits.leave(session)
                raise
            self._began[session] = self._clock.now()
            return session, answer

    def _allowed(self, room: str, member: str) -> None:
        standing = self._visits.member(room, member).standing
        if (standing, events.Offered) not in TRANSITIONS:
            raise Refused("not-now", "Please finish the check of camera and microphone first.", 409)

    async def restart(self, room: str, member: str, session: str, fragment: str) -> str:
        """Raises Refused also when ``session`` is not the member's."""
        self._own(room, member, session)
        return await self._backend.restart(session, fragment)

    async def leave(self, room: str, member: str, session: str) -> None:
        self._own(room, member, session)
        self._measure(room, member, session)
        await self._backend.leave(session)
        self._visits.feed(room, events.Media(member, session=session, state=MediaState.CLOSED))

    def _own(self, room: str, member: str, session: str) -> None:
        if not session or self._visits.member(room, member).session != session:
            raise Refused("media", "There is no such media session.", 404)

    def _told(self, event: MediaEvent) -> None:
        """Not at once: the backend may speak while a room is just being moved."""
        self._loop.call_soon(self._heard, event)

    def _heard(self, event: MediaEvent) -> None:
        if event.state is MediaState.CLOSED:
            self._measure(event.room, event.member, event.session)
        self._visits.feed(
            event.room, events.Media(event.member, session=event.session, state=event.state, source=event.source)
        )
        self._changed(event.room)

    def _measure(self, room: str, member: str, session: str) -> None:
        """What the session was like, for the record; once."""
        began = self._began.pop(session, None)
        stats = self._stats(room).get(member) or self._last.get(session)
        self._last.pop(session, None)
        if began is None or stats is None:
            return
        seconds = (self._clock.now() - began) // 1000
        self._visits.feed(room, events.Measured(member, session=session, stats=stats, seconds=seconds))

    def _stats(self, room: str) -> dict[str, MediaStats]:
        try:
            return self._backend.stats(room)
        except Refused:
            return {}

    def picture(self, room: str, member: str) -> dict[str, Any]:
        """Everything that the page of ``member`` may show."""
        view = self._visits.picture(room, member)
        if "members" in view:
            view["slots"] = _shown(self._slots_of(room, self._visits.room(room).members[member]))
            view["quality"] = self._words.get(room, {})
        return view

    def _slots_of(self, room: str, member: Member) -> tuple[Slot, ...]:
        """Nobody in any slot before admission and on hold."""
        if not member.admitted or member.held is not Held.NO or not member.session:
            return ()
        try:
            return self._backend.slots(room, member.id)
        except Refused:
            return ()

    def _changed(self, room: str) -> None:
        there = self._visits.rooms.get(room)
        for member in there.members.values() if there else ():
            slots = self._slots_of(room, member)
            if member.admitted and slots != self._slots.get((room, member.id), ()):
                self._slots[room, member.id] = slots
                self._visits.posts.tell((room, member.id), "slots", {"slots": _shown(slots)})

    def look(self) -> None:
        """Measures everybody; the pages hear when the words for it change."""
        live = self._visits.live()
        for room in live:
            self._look(room)
        known = {room.id for room in live}
        for gone in [room for room in self._words if room not in known]:
            del self._words[gone]
        for key in [key for key in (*self._slots, *self._turns) if key[0] not in known]:
            self._slots.pop(key, None)
            self._turns.pop(key, None)

    def _look(self, room: Room) -> None:
        stats = self._stats(room.id)
        for member, measured in stats.items():
            if member in room.members and room.members[member].session:
                self._last[room.members[member].session] = measured
        admitted = [m for m in room.members.values() if m.admitted]
        words = {m.id: quality(stats[m.id]).value for m in admitted if m.up and m.id in stats}
        if words == self._words.get(room.id, {}):
            return
        self._words[room.id] = words
        for member_ in admitted:
            self._visits.posts.tell((room.id, member_.id), "quality", {"of": words})


def _shown(slots: tuple[Slot, ...]) -> list[dict[str, Any]]:
    return [{"slot": slot.slot, "member": slot.member} for slot in slots]
