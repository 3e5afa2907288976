"""The visits of this process: feeds events to the rooms and does what they want done.

Ours; every room is saved before any effect of a step is done, so that a kill at any moment leaves a room that is true.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from video.errors import Refused
from video.ports import Fact, MediaBackend, Recorder, Ticket
from video.room import effects, events
from video.room.consequences import deadline
from video.room.machine import step
from video.room.model import SEATED, Member, Phase, Room, Rules
from video.room.views import picture
from video.signalling.clock import Clock
from video.signalling.ledger import Ledger
from video.signalling.outbox import Outbox
from video.signalling.posts import Posts

log = logging.getLogger("hearth.video")

_LINGER = 60.0
"""Seconds for which the names of a visit that is over stay in memory, so that everybody hears that it is."""
MOST_ROOMS = 1000


class Visits:
    """All in the event loop; nothing here waits."""

    def __init__(self, backend: MediaBackend, ledger: Ledger, outbox: Outbox, clock: Clock, rules: Rules) -> None:
        self._backend, self._ledger, self._outbox = backend, ledger, outbox
        self._clock, self._rules = clock, rules
        self.posts = Posts(clock)
        self.rooms: dict[str, Room] = {}
        self.draining = False
        self.changed: Callable[[str], None] = lambda room: None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._unsaved: dict[str, list[Fact]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._hung_up: Callable[[str, str, str], None] = lambda room, member, session: None
        self._recorder: Recorder | None = None

    def on_hang_up(self, done: Callable[[str, str, str], None]) -> None:
        """``done`` is called with room, member and session just before a session ends."""
        self._hung_up = done

    @property
    def records(self) -> bool:
        """Whether visits may be recorded here."""
        return self._rules.recording

    def record_with(self, recorder: Recorder) -> None:
        """Without one, ``Rules.recording`` must be off."""
        self._recorder = recorder
        recorder.listen(lambda room, number: self.feed(room, events.CaptureFailed(recording=number)))

    # rooms

    def room(self, id: str) -> Room:
        """Raises Refused when nobody was ever in it."""
        room = self.rooms.get(id) or self._ledger.room(id)
        if room is None:
            raise Refused("session", "Please open the visit from your link again.", 401)
        return room

    def member(self, room: str, id: str) -> Member:
        """Raises Refused when the visit is over or the member unknown."""
        there = self.room(room)
        if there.phase is Phase.ENDED:
            raise Refused("ended", "This visit is over.", 410)
        if id not in there.members:
            raise Refused("session", "Please open the visit from your link again.", 401)
        return there.members[id]

    def hears(self, room: str, member: str) -> bool:
        """Whether the member's socket counts: not when the visit ended, or they were sent out, while it opened."""
        there = self.rooms.get(room)
        return there is not None and member in there.members and there.members[member].socket

    def seat(self, ticket: Ticket, use: Callable[[], None]) -> None:
        """``use`` takes the ticket once the room has a seat for it. Raises Refused, from the room or from ``use``."""
        event = events.Seat(
            ticket.member,
            role=ticket.role,
            name=ticket.name,
            actor=ticket.actor,
            encounter=ticket.encounter,
            appointment=ticket.appointment,
            patient=ticket.patient,
            encrypted=ticket.encrypted,
        )
        room = self._door(ticket)
        step(room, event, self._clock.now(), self._rules)
        use()
        self._apply(room, event)

    def _door(self, ticket: Ticket) -> Room:
        room = self.rooms.get(ticket.room) or self._ledger.room(ticket.room)
        if room is not None:
            return room
        if self.draining or len(self.rooms) >= MOST_ROOMS:
            raise Refused("busy", "The server takes no new visits just now. Please try again in a minute.", 503)
        return Room(ticket.room, ticket.encounter, ticket.appointment, ticket.patient)

    def feed(self, room: str, event: events.Event) -> None:
        """Raises Refused for a command that the room does not take."""
        if room in self.rooms or isinstance(event, events.Command):
            self._apply(self.room(room), event)

    def _apply(self, room: Room, event: events.Event) -> None:
        after, todo = step(room, event, self._clock.now(), self._rules)
        if after == room and not todo:
            return
        self.rooms[room.id] = after
        self._save(after, [effect.fact for effect in todo if isinstance(effect, effects.Record)])
        for effect in todo:
            self._do(room.id, effect)
        if after.phase is Phase.ENDED and room.phase is not Phase.ENDED:
            asyncio.get_running_loop().call_later(_LINGER, self._forget, room.id)
        self.changed(room.id)

    def _do(self, room: str, effect: effects.Effect) -> None:
        """One that fails keeps none of the others from being done, the timers least of all."""
        try:
            _DO[type(effect)](self, room, effect)
        except Exception as error:  # noqa: BLE001 (a media server of another kind may raise whatever it does)
            log.error("effect failed", extra={"effect": type(effect).__name__, "error": type(error).__name__})

    def _save(self, room: Room, facts: list[Fact]) -> None:
        """A disk that refuses stops no visit: what is owed is kept until it takes it."""
        owed = self._unsaved.pop(room.id, []) + facts
        try:
            self._ledger.save(room, owed)
        except sqlite3.Error as error:
            log.error("room not saved", extra={"room": room.id, "error": type(error).__name__})
            self._unsaved[room.id] = owed
        self._outbox.news.set()

    def save_what_is_left(self) -> None:
        for room in list(self._unsaved):
            if room in self.rooms:
                self._save(self.rooms[room], [])

    # effects

    def _tell(self, room: str, effect: effects.Tell) -> None:
        self.posts.tell((room, effect.member), effect.event, effect.fields)

    def _permit(self, room: str, effect: effects.Permit) -> None:
        self._backend.permit(room, effect.members)

    def _silence(self, room: str, effect: effects.Silence) -> None:
        self._backend.silence(room, effect.member, effect.sources)

    def _hang_up(self, room: str, effect: effects.HangUp) -> None:
        self._hung_up(room, effect.member, effect.session)
        self.leave(effect.session)

    def leave(self, session: str) -> None:
        """Ends a media session; nobody waits for it."""
        task = asyncio.ensure_future(self._leave(session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _leave(self, session: str) -> None:
        try:
            await self._backend.leave(session)
        except Refused:
            log.info("media session was gone", extra={"session": session})

    def _part(self, room: str, effect: effects.Part) -> None:
        self.posts.part((room, effect.member), effect.why)

    def _timer(self, room: str, effect: effects.Timer) -> None:
        if room in self._timers:
            self._timers.pop(room).cancel()
        if effect.at is not None:
            wait = max(0, effect.at - self._clock.now()) / 1000
            self._timers[room] = asyncio.get_running_loop().call_later(wait, self._ring, room)

    def _ring(self, room: str) -> None:
        """A timer that is a little early is set again."""
        self._timers.pop(room, None)
        self.feed(room, events.Tick())
        if room in self.rooms and room not in self._timers:
            self._timer(room, effects.Timer(self._due(room)))

    def _due(self, room: str) -> int | None:
        return deadline(self.rooms[room], self._rules)

    def _capture(self, room: str, effect: effects.Capture) -> None:
        if self._recorder is not None:
            self._recorder.capture(effect.recording)

    def _release(self, room: str, effect: effects.Release) -> None:
        if self._recorder is not None:
            self._recorder.release(room, effect.number, tail=effect.tail)

    def _record(self, room: str, effect: effects.Record) -> None:
        """Saved already, and on its way."""

    def _forget(self, room: str) -> None:
        """Of a visit that is over only remains that it is."""
        over = self.rooms.pop(room, None)
        self.posts.forget(room)
        if over is not None:
            self._save(emptied(over), [])

    # of the process

    def restore(self) -> None:
        """Rooms of the process before this one: everybody resumes with the session they have."""
        for room in self._ledger.rooms():
            if room.phase is not Phase.ENDED:
                self.rooms[room.id] = room
                self._apply(room, events.Restored())
            elif room.members or room.chat or room.files:
                self._ledger.save(emptied(room), [])

    def drain(self) -> None:
        """Everybody is told; nothing ends. Rooms that nobody has entered yet open elsewhere."""
        self.draining = True
        for room in list(self.rooms):
            self.feed(room, events.Drain())

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def live(self) -> list[Room]:
        return [room for room in self.rooms.values() if room.phase is not Phase.ENDED]

    def people(self) -> int:
        return sum(m.standing in SEATED for room in self.live() for m in room.members.values())

    def picture(self, room: str, member: str) -> dict[str, Any]:
        """What the room may show to ``member``; the media's part of it comes from ``Calls``."""
        there = self.room(room)
        return picture(there, there.members[member])


def emptied(room: Room) -> Room:
    """``room`` without what was in it."""
    return replace(room, members={}, chat=(), files=())


_DO: dict[type[effects.Effect], Callable[[Visits, str, Any], None]] = {
    effects.Tell: Visits._tell,
    effects.Permit: Visits._permit,
    effects.Silence: Visits._silence,
    effects.HangUp: Visits._hang_up,
    effects.Part: Visits._part,
    effects.Timer: Visits._timer,
    effects.Record: Visits._record,
    effects.Capture: Visits._capture,
    effects.Release: Visits._release,
}
