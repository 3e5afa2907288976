"""How much of everything one room, session and process may take.

Ours; RFC 7675 section 5.1 for the time after which silence means that somebody is gone.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Packets are datagrams received in a second, control octets what SRTCP takes of them; the rest is in the names,
    times in seconds."""

    sessions: int = 400
    of_room: int = 6
    room_packets: int = 6000
    session_packets: int = 2500
    checks: int = 60
    addresses: int = 16
    streams: int = 16
    ssrcs: int = 64
    control_octets: int = 64_000
    lost_after: float = 7.0
    silent_after: float = 4.0
    closed_after: float = 60.0
    unused_after: float = 40.0
    largest: int = 1500
    least_bitrate: int = 120_000
    batch: int = 64
