"""Bars from the wire to searchable FHIR: messages a second, delay at a steady rate, and large messages.

HL7 v2.5.1 section 2.9.2, original mode: AA is said when the message's resources are committed, which is when a search
finds them. The bridge is held on one core; its database and the peers have the other.
"""

import asyncio
import base64
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.bar import Bar, Figure, Profile, Skipped
from bench.hl7_ack import message
from bench.hl7_bridge import BridgeProcess, Wire, bridging, result
from bench.http_client import Connection
from bench.processes import descendants
from bench.server import API_CORE, serving
from bench.workload import Clinic, transaction

PEERS = 8
RATE = 30
ENTRIES = 300
"""Of each transaction that the rate is compared with."""
_WARM = 30
"""Messages before anything is measured."""
_LARGE = 7_500_000
"""Bytes of a document that make 10 MB in base64."""


@contextmanager
def _pinned(profile: Profile, workers: int = 1) -> Iterator[BridgeProcess]:
    if not profile.postgresql:
        raise Skipped("no PostgreSQL")
    options = ("--hl7-workers", str(workers), "--log-level", "error")
    with bridging(profile.postgresql, *options) as bridge:
        for n in range(_WARM):
            Wire(bridge.port).ask(_original(f"warm{n}", 0))
            bridge.wait_applied()  # the first are answered when stored: the processes that apply are not up yet
        for pid in (bridge.pid, *descendants(bridge.pid)):
            for task in Path(f"/proc/{pid}/task").iterdir():
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(int(task.name), {int(API_CORE)})
        yield bridge


def _original(id: str, patient: int) -> bytes:
    """The message of 5.5 kB, answered when it is applied, of a patient and a visit of their own."""
    raw = message(id, patient).replace(b"|AL|NE", b"||").replace(b"987654321^", b"%d^" % (10**9 + patient))
    return raw.replace(b"V123456^", b"V%d^" % patient)


# --- the rate


def _rate(profile: Profile) -> Figure:
    count = profile.size(4000, 200)
    with _pinned(profile) as bridge:
        asyncio.run(_flood(bridge.port, count // 10, "w"))
        if bridge.wait_applied():
            return Figure("messages still wait", False)
        before, started = _resources(bridge), time.perf_counter()
        asyncio.run(_flood(bridge.port, count, "m"))
        left = bridge.wait_applied(600)
        seconds = time.perf_counter() - started
        each = (_resources(bridge) - before) / count
    transactions = asyncio.run(_transactions(profile))
    rate, goal = count / seconds, transactions / 2 / each
    text = f"{rate:.0f}/s of {each:.1f} resources; transactions {transactions:,.0f} resources/s, half is {goal:.0f}/s"
    return Figure(text, rate >= goal and not left)


def _resources(bridge: BridgeProcess) -> int:
    [[count]] = bridge.rows("SELECT count(*) FROM resource")
    return int(count)


async def _flood(port: int, count: int, tag: str) -> None:
    """``count`` messages of as many patients over PEERS connections, one at a time on each but all at once."""
    numbers = iter(range(count))

    async def send() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        window = asyncio.Semaphore(16)

        async def hear() -> None:
            while await reader.readuntil(b"\x1c\r"):
                window.release()

        hearing = asyncio.ensure_future(hear())
        for n in numbers:
            await window.acquire()
            writer.write(b"\x0b" + _original(f"{tag}{n}", n) + b"\x1c\r")
        for _ in range(16):
            await window.acquire()
        hearing.cancel()
        writer.close()

    await asyncio.gather(*(send() for _ in range(PEERS)))


async def _transactions(profile: Profile) -> float:
    """Resources a second of transaction Bundles on one connection, of an API on the same core."""
    count = profile.size(30, 4)
    clinic = Clinic(7)
    clinic.remember({"resourceType": "Patient"}, "none", "1")
    bodies = [transaction(clinic, ENTRIES) for _ in range(count + 2)]
    with serving(profile.postgresql, "--log-level", "error") as server:
        connection = Connection("127.0.0.1", server.port)
        for body in bodies[:2]:
            assert (await connection.request("POST", "/fhir", body)).status == 200
        started = time.perf_counter()
        for body in bodies[2:]:
            assert (await connection.request("POST", "/fhir", body)).status == 200
        return count * ENTRIES / (time.perf_counter() - started)


# --- the delay


def _delay(profile: Profile) -> Figure:
    count = profile.size(3600, 300)
    with _pinned(profile) as bridge:
        asyncio.run(_steady(bridge.port, 60, "w"))
        delays = sorted(asyncio.run(_steady(bridge.port, count, "m")))
    p50, p99 = delays[len(delays) // 2], delays[int(len(delays) * 0.99)]
    text = f"p50 {p50 * 1000:.0f}, p99 {p99 * 1000:.0f}, at most {delays[-1] * 1000:.0f} ms"
    return Figure(text, p99 < 1)


async def _steady(port: int, count: int, tag: str) -> list[float]:
    """RATE a second whatever the answers do: seconds from when each was due to its AA."""
    begin = time.perf_counter() + 0.2

    async def send(n: int) -> list[float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        due = [begin + k / RATE for k in range(n, count, PEERS)]

        async def hear() -> list[float]:
            came = []
            for at in due:
                answer = await reader.readuntil(b"\x1c\r")
                assert b"\rMSA|AA|" in answer, answer
                came.append(time.perf_counter() - at)
            return came

        hearing = asyncio.ensure_future(hear())
        for k, at in enumerate(due):
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            writer.write(b"\x0b" + _original(f"{tag}{n}-{k}", n * count + k) + b"\x1c\r")
        return await hearing

    return [delay for some in await asyncio.gather(*map(send, range(PEERS))) for delay in some]


# --- large messages


def _document(profile: Profile) -> Figure:
    """Seconds to AA, and by how much all processes of the bridge together grew at most."""
    with _pinned(profile) as bridge:
        wire = Wire(bridge.port, 60)
        wire.ask(_with_document("small", 10_000))
        raw = _with_document("large", _LARGE)
        before = _memory(bridge, "VmRSS")
        _forget_peaks(bridge)
        started = time.perf_counter()
        answer = wire.ask(raw)
        seconds = time.perf_counter() - started
        grown = (_memory(bridge, "VmHWM") - before) / len(raw)
    is_taken = b"\rMSA|AA|large" in answer
    text = f"{len(raw) / 1e6:.1f} MB: {seconds:.2f} s, {grown:.1f} times its size{'' if is_taken else ', NOT TAKEN'}"
    return Figure(text, is_taken and seconds < 1 and grown < 3)


def _with_document(id: str, size: int) -> bytes:
    document = base64.b64encode(b"%PDF-1.7\n" + random.Random(id).randbytes(size))
    return result(id, 1) + b"OBX|4|ED|60568-3^Report^LN||^application^pdf^Base64^" + document + b"||||||F\r"


def _memory(bridge: BridgeProcess, name: str) -> int:
    """Bytes of all its processes."""
    total = 0
    for pid in (bridge.pid, *descendants(bridge.pid)):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
    return total


def _forget_peaks(bridge: BridgeProcess) -> None:
    for pid in (bridge.pid, *descendants(bridge.pid)):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


def _repetitions(profile: Profile) -> Figure:
    """20,000 repetitions of one field, and those of many fields that each keep within the cap."""
    many = b"NTE|1||" + b"abcde~" * 20_000 + b"\r"
    spread = b"".join(b"NTE|%d||" % n + b"abcde~" * 4_000 + b"\r" for n in range(1, 6))
    told = []
    with _pinned(profile) as bridge:
        wire = Wire(bridge.port, 60)
        for name, lines in (("one field", many), ("five fields", spread)):
            started = time.perf_counter()
            answer = wire.ask(result(name.replace(" ", ""), 1) + lines)
            told.append((name, time.perf_counter() - started, answer.split(b"\rMSA|")[1][:2].decode()))
    text = "; ".join(f"{name}: {code} after {seconds:.2f} s" for name, seconds, code in told)
    return Figure(text, all(seconds < 1 for _, seconds, _ in told))


BARS = (
    Bar("hl7: messages into searchable FHIR", "half the rate of transactions", _rate, timing=True),
    Bar("hl7: delay until searchable", f"p99 under 1 s at {RATE}/s", _delay, timing=True),
    Bar("hl7: 10 MB with a document", "under 1 s and 3 times its size", _document, timing=True),
    Bar("hl7: 20,000 repetitions, 120 kB", "answered within 1 s", _repetitions, timing=True),
)
