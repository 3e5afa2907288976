"""Bars of taking messages: durable acknowledgements a second, their delay at a steady rate, idle connections.

HL7 v2.5.1 section 2.9.2, enhanced mode: CA says that the message is committed to the journal. Meanwhile the bridge
applies what came, as it does in life. The load comes from a process of its own.
"""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

from bench.bar import Bar, Figure, Profile
from bench.hl7_bridge import BridgeProcess, bridging
from bench.hl7_speed import oru

RATE = 300
PEERS = 10
WINDOW = 32
"""Messages of one connection that wait for their answers."""
_HEAD = b"20260102-000001|P|2.5.1|||AL|NE"


def message(id: str, patient: int) -> bytes:
    """ORU^R01 with 20 OBX, 5.5 kB, of a patient and an order of its own."""
    raw = oru().replace(_HEAD, id.encode() + b"|P|2.5.1|||AL|NE", 1).replace(b"123456789^^^", b"%d^^^" % patient, 1)
    return raw.replace(b"FI456", b"F" + id.encode()).replace(b"PL123", b"P" + id.encode())


class _Peer:
    """One connection that sends without waiting for each answer."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answers(self, count: int) -> list[float]:
        """When each came. Raises RuntimeError for anything but CA."""
        times = []
        for _ in range(count):
            answer = await self.reader.readuntil(b"\x1c\r")
            times.append(time.perf_counter())
            if b"\rMSA|CA|" not in answer:
                raise RuntimeError(answer.decode("ascii", "replace"))
        return times


async def _met(port: int, count: int) -> list[_Peer]:
    return [_Peer(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(count)]


async def _flood(port: int, count: int, tag: str) -> dict[str, float]:
    """All as fast as they are answered: answers a second."""
    peers = await _met(port, PEERS)
    each = count // PEERS
    frames = [[b"\x0b" + message(f"{tag}{n}-{k}", n * each + k) + b"\x1c\r" for k in range(each)] for n in range(PEERS)]

    async def send(peer: _Peer, mine: list[bytes]) -> None:
        for start in range(0, len(mine), WINDOW):
            some = mine[start : start + WINDOW]
            peer.writer.writelines(some)
            await peer.answers(len(some))

    started = time.perf_counter()
    await asyncio.gather(*map(send, peers, frames))
    return {"rate": each * PEERS / (time.perf_counter() - started)}


async def _steady(port: int, count: int, tag: str) -> dict[str, float]:
    """RATE a second whatever the answers do: seconds from when each was due to be sent to its answer."""
    peers = await _met(port, PEERS)
    each = count // PEERS
    begin = time.perf_counter() + 0.2

    async def send(n: int, peer: _Peer) -> list[float]:
        due = [begin + (k * PEERS + n) / RATE for k in range(each)]
        answers = asyncio.create_task(peer.answers(each))
        for k, at in enumerate(due):
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            peer.writer.write(b"\x0b" + message(f"{tag}{n}-{k}", n * each + k) + b"\x1c\r")
        return [came - at for came, at in zip(await answers, due, strict=True)]

    delays = sorted(delay for some in await asyncio.gather(*map(send, range(PEERS), peers)) for delay in some)
    return {"p50": delays[len(delays) // 2], "p99": delays[int(len(delays) * 0.99)], "most": delays[-1]}


async def _idle(port: int, count: int, tag: str) -> dict[str, float]:
    """``count`` connections that say nothing, and the delay of one that speaks meanwhile."""
    idle = await _met(port, count)
    [peer] = await _met(port, 1)
    delays = []
    for k in range(50):
        started = time.perf_counter()
        peer.writer.write(b"\x0b" + message(f"{tag}{k}", k) + b"\x1c\r")
        delays.append((await peer.answers(1))[0] - started)
    closed = sum(each.reader.at_eof() for each in idle)
    idle[-1].writer.write(b"\x0b" + message(f"{tag}last", 1) + b"\x1c\r")
    await idle[-1].answers(1)
    return {"closed": closed, "worst": max(delays)}


_LOADS = {"flood": _flood, "steady": _steady, "idle": _idle}


def _under(bridge: BridgeProcess, load: str, count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.hl7_ack", load, str(bridge.port), str(count)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _on_each(profile: Profile, load: str, count: int) -> dict[str, dict[str, Any]]:
    found = {}
    for name, database in profile.databases.items():
        with bridging(database, "--log-level", "error") as bridge:
            _under(bridge, load, min(count, 100))  # caches, prepared statements
            found[name] = _under(bridge, load, count)
    return found


def _rate(profile: Profile) -> Figure:
    found = _on_each(profile, "flood", profile.size(10_000, 2000))
    text = "; ".join(f"{name}: {one['rate']:,.0f}/s" for name, one in found.items())
    return Figure(text, all(one["rate"] >= 1000 for one in found.values()))


def _delay(profile: Profile) -> Figure:
    found = _on_each(profile, "steady", profile.size(18_000, 3000))
    text = "; ".join(
        f"{name}: p50 {one['p50'] * 1000:.1f}, p99 {one['p99'] * 1000:.1f}, at most {one['most'] * 1000:.0f} ms"
        for name, one in found.items()
    )
    return Figure(text, all(one["p99"] < 0.05 for one in found.values()))


def _connections(profile: Profile) -> Figure:
    found = _on_each(profile, "idle", 1000)
    text = "; ".join(f"{name}: {one['closed']} closed, {one['worst'] * 1000:.0f} ms" for name, one in found.items())
    return Figure(text, not any(one["closed"] for one in found.values()))


BARS = (
    Bar("hl7: durable acknowledgements", "1,000/s of 5.5 kB, applying beside", _rate, timing=True),
    Bar("hl7: delay of acknowledgements", f"p99 under 50 ms at {RATE}/s", _delay, timing=True),
    Bar("hl7: idle connections", "1,000 stay and are answered", _connections),
)


if __name__ == "__main__":
    name, port, count = sys.argv[1:]
    print(json.dumps(asyncio.run(_LOADS[name](int(port), int(count), f"{time.time_ns()}-"))))
