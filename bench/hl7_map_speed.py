"""Bars of the speed of the maps on one core: an ORU^R01 with 20 OBX to its resources, and a message with a document."""

import time
import tracemalloc

from bench.bar import Bar, Figure, Profile
from bench.hl7_speed import oru
from hl7_bridge.er7 import parse
from hl7_bridge.mapping.messages import map_message
from hl7_bridge.site.model import Sender

ROUNDS = 40
GOAL = 500
MEGABYTE = 1_000_000
SENDER = Sender("bench")


def _mapped(profile: Profile) -> Figure:
    """Bytes to resources, the best of some rounds: what the core can do when nothing else runs on it."""
    raw = oru()
    resources = len(map_message(parse(raw), SENDER).entries)
    count = profile.size(1200, 400) // ROUNDS
    rate = count / min(_seconds(raw, count) for _ in range(ROUNDS))
    return Figure(
        f"{rate:,.0f}/s of {len(raw):,} bytes to {resources} resources, {1e6 / rate:,.0f} µs each", rate >= GOAL
    )


def _seconds(raw: bytes, count: int) -> float:
    started = time.process_time()
    for _ in range(count):
        map_message(parse(raw), SENDER)
    return time.process_time() - started


def _document(profile: Profile) -> Figure:
    """A report of 10 MB in one field: the data is passed on, not copied."""
    field = b"^application^pdf^Base64^" + b"JVBERi0x" * (10 * MEGABYTE // 8)
    message = parse(oru(1) + b"OBX|2|ED|PDF^Report^L||" + field + b"||||||F\r")
    tracemalloc.start()
    started = time.process_time()
    mapped = map_message(message, SENDER)
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report = next(each.resource for each in mapped.entries if each.resource["resourceType"] == "DiagnosticReport")
    is_whole = len(report["presentedForm"][0]["data"]) == 10 * MEGABYTE
    text = f"{seconds:.2f} s, {peak / len(field):.1f}x its size beside the tokens"
    return Figure(text, is_whole and seconds < 1 and peak < 2 * len(field))


BARS = [
    Bar("hl7: map to resources", f">= {GOAL}/s and core (ORU^R01, 20 OBX, 5.5 kB)", _mapped, timing=True),
    Bar("hl7: map a document of 10 MB", "< 1 s, < 2x its size beside the tokens", _document, timing=True),
]
