"""Bars of the media server: CPU for each forwarded stream against aiortc's MediaRelay, sound that arrives, delay.

Both servers run in a process of their own, one after the other, under the same load: aiortc peers that send VP8 and
Opus encoded before and decode nothing. A stream is one outgoing pair of sound and picture.
"""

import json
import subprocess
import sys
from dataclasses import dataclass

from bench.bar import Bar, Figure, Profile, Skipped

ROOMS = 8
SECONDS = 12
LEAST = 28
"""Pictures of the 30 a second that have to arrive for figures to say something of the server."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one server: CPU of its process in per cent of a core for each stream; packets a second; delay in ms."""

    cpu: float
    sound: float
    pictures: float
    delay: float
    lost: int


def measured(kind: str, rooms: int, seconds: int) -> Measured:
    """``kind`` is forward or relay. Raises RuntimeError when a process fails."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.video_server", kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        return loaded("bench.video_load", port, rooms, seconds, server.pid)
    finally:
        server.kill()
        server.wait()


def loaded(module: str, port: int, rooms: int, seconds: int, pid: int) -> Measured:
    """The load of ``module`` on the server at ``port``, whose process is ``pid``. Raises RuntimeError when it fails."""
    load = subprocess.run(
        [sys.executable, "-m", module, str(port), str(rooms), str(seconds), str(pid)],
        capture_output=True, text=True, timeout=120 + seconds, check=False,
    )  # fmt: skip
    if load.returncode:
        raise RuntimeError(load.stderr[-800:])
    return Measured(**json.loads(load.stdout.splitlines()[-1]))


_SEEN: dict[tuple[str, int], Measured] = {}


def once(kind: str, rooms: int, profile: Profile) -> Measured:
    """As ``measured``, but only the first time in a run. Raises Skipped when the machine is too busy for the load."""
    if (kind, rooms) not in _SEEN:
        _SEEN[kind, rooms] = measured(kind, rooms, profile.size(SECONDS, 4))
    seen = _SEEN[kind, rooms]
    if kind == "forward" and seen.pictures < LEAST:
        raise Skipped(f"the machine is too busy for the load: {seen.pictures:.0f} of 30 pictures, {rooms} rooms")
    return seen


def _cpu(profile: Profile) -> Figure:
    rooms = profile.size(ROOMS, 2)
    ours, one, relay = once("forward", rooms, profile), once("forward", 1, profile), once("relay", 1, profile)
    return Figure(
        f"{one.cpu:.2f} % of a core a stream against {relay.cpu:.1f} %: {relay.cpu / one.cpu:.1f} times less",
        relay.cpu >= 10 * one.cpu,
        (
            f"{rooms} rooms: {ours.cpu:.2f} % a stream, {relay.cpu / ours.cpu:.1f} times less than the relay with one",
            f"pictures a second: {ours.pictures:.1f}, with one room {one.pictures:.1f}, relay {relay.pictures:.1f}",
        ),
    )


def _rooms(profile: Profile) -> Figure:
    rooms = profile.size(ROOMS, 2)
    ours = once("forward", rooms, profile)
    return Figure(f"{100 / (2 * ours.cpu):.0f} rooms a core, from {rooms}", 100 / (2 * ours.cpu) >= 30)


def _sound(profile: Profile) -> Figure:
    rooms = profile.size(ROOMS, 2)
    ours = once("forward", rooms, profile)
    return Figure(f"{ours.lost} packets of sound lost, {ours.sound:.1f} a second, {rooms} rooms", ours.lost == 0)


def _delay(profile: Profile) -> Figure:
    one = once("forward", 1, profile)
    return Figure(f"p50 {one.delay:.2f} ms from the sender's socket to the receiver's", one.delay <= 5)


BARS = (
    Bar("media: CPU of a stream against MediaRelay", "at least 10 times less", _cpu, timing=True),
    Bar("media: rooms of two a core", "at least 30", _rooms, timing=True),
    # The load is on the same machine, and loses what it does not fetch in time.
    Bar("media: sound that arrives", "no packet lost", _sound, timing=True),
    Bar("media: added delay", "p50 at most 5 ms", _delay, timing=True),
)
