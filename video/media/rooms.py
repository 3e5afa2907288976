"""Who sends to whom: the rooms, who is permitted in them, and which slot of whom shows whom.

Ours; video.ports.MediaBackend says what is promised.
"""

from collections.abc import Iterable

from video.media.downlink import Downlink
from video.media.session import Session
from video.media.uplink import Uplink
from video.ports import Sink, Slot, Source


class MediaRoom:
    """One room; every change ends in ``connect``."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.permitted: frozenset[str] = frozenset()
        self.silenced: dict[str, frozenset[Source]] = {}
        self.tapped: frozenset[str] = frozenset()
        self.sink: Sink | None = None
        self._slots: dict[str, list[str]] = {}

    def slots(self, member: str) -> tuple[Slot, ...]:
        return tuple(Slot(number, other) for number, other in enumerate(self._slots.get(member, ())))

    def share(self, packets: int, most: int) -> int:
        """Of ``packets`` a second for the room, at most ``most`` for one session."""
        return min(most, packets // max(1, len(self.sessions)))

    def connect(self, now: float) -> None:
        """Give everybody the sources of their slots, and take away what is not theirs."""
        present = [member for member in self.sessions if member in self.permitted]
        self._slots = {m: self._seated(m, present) for m in present}
        wanted: dict[Uplink, list[Downlink]] = {u: [] for s in self.sessions.values() for u in s.uplinks.values()}
        for session in self.sessions.values():
            for downlink, uplink in self._pairs(session):
                if uplink is not None and session.ready:
                    wanted[uplink].append(downlink)
                elif downlink.source is not None:
                    downlink.take(None, now)
        heard = self.permitted & self.tapped
        for uplink, outputs in wanted.items():
            uplink.silence(uplink.source in self.silenced.get(uplink.session.member, ()), now)
            uplink.give(tuple(outputs), now)
            uplink.tap = None if uplink.silenced or uplink.session.member not in heard else self.sink

    def tap(self, members: frozenset[str], sink: Sink | None, now: float) -> None:
        """As of video.ports.MediaBackend."""
        self.tapped, self.sink = members if sink is not None else frozenset(), sink
        self.connect(now)
        for uplink in (uplink for session in self.sessions.values() for uplink in session.uplinks.values()):
            if uplink.tap is not None:
                uplink.want_key_frame()

    def _seated(self, member: str, present: list[str]) -> list[str]:
        """The slots of ``member``: who has one keeps it; one that is free goes to the next who came."""
        seats = self.sessions[member].offer.slots
        before = (self._slots.get(member, []) + [""] * seats)[:seats]
        kept = [other if other in present and other != member else "" for other in before]
        waiting = [other for other in present if other != member and other not in kept]
        return [other or (waiting.pop(0) if waiting else "") for other in kept]

    def _pairs(self, session: Session) -> Iterable[tuple[Downlink, Uplink | None]]:
        seats = self._slots.get(session.member, [])
        for (slot, source), downlink in session.downlinks.items():
            other = self.sessions.get(seats[slot]) if slot < len(seats) and seats[slot] else None
            yield downlink, other.uplinks.get(source) if other is not None else None
