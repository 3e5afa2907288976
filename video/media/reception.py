"""What came of one incoming stream and what did not: loss, jitter, and which packets are asked for again.

RFC 3550 section 6.4.1 and appendix A.3, A.8; RFC 4585 section 3.5 (when to ask).
"""

from video.media.rtcp import Block

TRIES = 10
PAUSE = 0.04
"""Seconds between two requests for the same packet, as long as the round trip is not known."""
_SHORTEST, _LONGEST, _SLOWEST = 0.02, 0.2, 5
"""Bounds of it, and how many times as long it gets: a sender that was asked keeps silent for a round trip."""
_HOLE = 256
"""A jump of more is another beginning, not loss."""


def patience(round_trip: float) -> float:
    """Seconds to wait for an answer that takes ``round_trip`` (0: not known)."""
    return min(_LONGEST, max(_SHORTEST, 1.25 * round_trip)) if round_trip else PAUSE


class Reception:
    """Of one SSRC with a clock of ``clock`` Hz; ``sequence`` is the first that came."""

    __slots__ = (
        "_cycles", "_due_before", "_got_before", "_jitter", "_last", "_origin", "_report", "_transit",
        "abandoned", "clock", "count", "highest", "missing", "octets", "repeated", "skipped", "ssrc",
    )  # fmt: skip

    def __init__(self, ssrc: int, clock: int, sequence: int) -> None:
        self.ssrc, self.clock = ssrc, clock
        self.highest = sequence - 1 & 0xFFFF
        self._origin, self._cycles = self.highest, 0
        self.count = self.octets = self.repeated = self.skipped = self.abandoned = 0
        self.missing: dict[int, list[float]] = {}
        self._jitter, self._transit, self._last = 0.0, 0.0, -1
        self._due_before = self._got_before = 0
        self._report = (0, 0.0)

    def add(self, sequence: int, timestamp: int, now: float) -> bool:
        """Whether it is new; a packet that came before is not."""
        ahead = sequence - self.highest & 0xFFFF
        if ahead != 1 and not self._irregular(sequence, ahead, now):
            self.repeated += 1
            return False
        if ahead < 0x8000:
            self._cycles += sequence < self.highest
            self.highest = sequence
            if timestamp != self._last:
                self._measure(timestamp, now)
        self.count += 1
        return True

    def _irregular(self, sequence: int, ahead: int, now: float) -> bool:
        if ahead == 0:
            return False
        if ahead >= 0x8000:
            return self.missing.pop(sequence, None) is not None
        if ahead > _HOLE:
            self.missing.clear()
            self.skipped += ahead - 1
            return True
        for number in range(1, ahead):
            self.missing[self.highest + number & 0xFFFF] = [now, 0.0, 0.0]
        while len(self.missing) > _HOLE:
            del self.missing[next(iter(self.missing))]
        return True

    def _measure(self, timestamp: int, now: float) -> None:
        transit = now * self.clock - timestamp
        if self._last >= 0:
            change = abs(transit - self._transit)
            if change < self.clock * 10:
                self._jitter += (change - self._jitter) / 16
        self._transit, self._last = transit, timestamp

    def wanted(self, now: float, pause: float = PAUSE) -> list[int]:
        """What is to be asked for now; what was asked for TRIES times is given up."""
        asked, given_up = [], []
        for sequence, tried in self.missing.items():
            if tried[1] >= TRIES:
                given_up.append(sequence)
            elif now - tried[2] >= pause * min(_SLOWEST, tried[1]) * 0.9:
                tried[1], tried[2] = tried[1] + 1, now
                asked.append(sequence)
        self.abandoned += len(given_up)
        for sequence in given_up:
            del self.missing[sequence]
        return asked

    @property
    def due(self) -> int:
        """Packets that should have come."""
        return (self._cycles << 16) + self.highest - self._origin - self.skipped

    @property
    def jitter(self) -> float:
        """In ms."""
        return self._jitter / self.clock * 1000

    def reported(self, ntp: int, now: float) -> None:
        """The sender's report of ``ntp`` came."""
        self._report = (ntp >> 16 & 0xFFFFFFFF, now)

    def block(self, now: float, at_least: int = 0) -> Block:
        """For a receiver report; a loss of ``at_least`` (256ths) is told, that of those who receive it from here."""
        due, got = self.due - self._due_before, self.count - self._got_before
        self._due_before, self._got_before = self.due, self.count
        fraction = min(255, max(at_least, ((due - got) << 8) // due if due > got > -1 else 0))
        lost = min(0x7FFFFF, max(0, self.due - self.count))
        last, at = self._report
        delay = round((now - at) * 65536) & 0xFFFFFFFF if last else 0
        highest = (self._cycles << 16 | self.highest) & 0xFFFFFFFF
        return Block(self.ssrc, fraction, lost, highest, round(self._jitter), last, delay)
