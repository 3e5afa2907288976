"""Bars of the HL7 v2 bridge's speed on one core: reading a message and finding its groups.

The message is an ORU^R01 with 20 OBX of 5.5 kB, the size of a usual panel.
"""

import time
import tracemalloc

from bench.bar import Bar, Figure, Profile
from hl7_bridge.er7 import parse
from hl7_bridge.structure.walker import walk

ROUNDS = 5
MEGABYTE = 1_000_000


def oru(results: int = 20) -> bytes:
    """An ORU^R01 of one order with ``results`` numeric results; 20 make 5.5 kB."""
    head = [
        "MSH|^~\\&|LAB^1.2.3.4.5^ISO|CENTRAL^9.8.7^ISO|HEARTH|CLINIC|20260102030405.123+0100||ORU^R01^ORU_R01|"
        "20260102-000001|P|2.5.1|||AL|NE||UNICODE UTF-8",
        "PID|1||123456789^^^CENTRAL&9.8.7&ISO^MR~987654321^^^NATION&1.2.3&ISO^NI||Person^Test^Q^^^^L||19700101|F|||"
        "1 Some Street^^Some Town^ST^12345^USA^H||^PRN^PH^^1^555^5551212",
        "PV1|1|I|WARD^101^A^CENTRAL||||1234^Doctor^Attending^^^^^^NPI&2.16&ISO^L|||MED||||||||V123456^^^CENTRAL^VN",
        "ORC|RE|PL123^HEARTH|FI456^LAB|GR1^HEARTH||CM||||||1234^Doctor^Ordering^^^^^^NPI&2.16&ISO^L",
        "OBR|1|PL123^HEARTH|FI456^LAB|24323-8^Comprehensive metabolic panel^LN^CMP^Panel^L|||20260102020000+0100|||||||"
        "20260102023000+0100||1234^Doctor^Ordering^^^^^^NPI&2.16&ISO^L||||||20260102030000+0100||CH|F",
    ]
    lines = [
        f"OBX|{n}|NM|{2345 + n}-7^Substance {n} in serum or plasma by an enzymatic method^LN^SUB{n}^Substance {n}^L||"
        f"{n}.{n}|mmol/L^millimole per litre^UCUM|{n}.0-{n + 3}.0|N|||F|||20260102020000+0100||TECH1^Technician^One|"
        f"AUTO^Automated^L|AN1^LAB|20260102025500+0100"
        for n in range(1, results + 1)
    ]
    return "\r".join([*head, *lines, ""]).encode()


def _read_and_group(profile: Profile) -> Figure:
    """The best of some rounds: what the core can do when nothing else runs on it."""
    raw = oru()
    walk(parse(raw))
    count = profile.size(5000, 500)
    best = min(_seconds(raw, count // ROUNDS) for _ in range(ROUNDS))
    rate = count // ROUNDS / best
    return Figure(f"{rate:,.0f}/s of {len(raw):,} bytes, {1e6 / rate:.0f} µs each", rate >= 5000)


def _seconds(raw: bytes, count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        walk(parse(raw))
    return time.process_time() - started


def _embedded_document(profile: Profile) -> Figure:
    """A message that carries 10 MB in one field: seconds and what Python allocates at most beside the raw bytes."""
    field = b"^application^pdf^Base64^" + b"JVBERi0x" * (10 * MEGABYTE // 8)
    raw = oru(1) + b"OBX|2|ED|PDF^Report^L||" + field + b"||||||F\r"
    started = time.process_time()
    walk(parse(raw))
    seconds = time.process_time() - started
    tracemalloc.start()
    walk(parse(raw))
    most = tracemalloc.get_traced_memory()[1] / len(raw)
    tracemalloc.stop()
    return Figure(f"{seconds * 1000:.0f} ms, {most:.1f} times its size", seconds < 1 and most + 1 < 3)


BARS = (
    Bar("hl7: tokenise and group", "5,000/s on one core", _read_and_group, timing=True),
    Bar(
        "hl7: read 10 MB in one field",
        "under 1 s, under 3 times its size with the bytes",
        _embedded_document,
        timing=True,
    ),
)
