"""Bar of the HL7 v2 serializer: whatever values are written, the message has the segments and fields meant."""

import random

from bench.bar import Bar, Figure, Profile
from hl7_bridge.er7 import parse
from hl7_bridge.er7.delimiters import Delimiters
from hl7_bridge.er7.serializer import build

VALUES = 100_000
PER_MESSAGE = 20
PIECES = [
    *"|^~\\&#\r\n\x0b\x1c\x00\x85\u2028\ufeff\"'.XEFSRT0Aé李",
    "\r\n",
    '""',
    "\\.br\\",
    "\\X0D\\",
    "\rMSH|^~\\&|",
    "\nOBX|1|NM|",
    "\x1c\r",
]
MARKS = (Delimiters(), Delimiters(truncation="#"), Delimiters("*", "#", "!", "$", "%"))
CODECS = ("utf-8", "latin-1", "ascii", "utf-16")


def _values(profile: Profile) -> Figure:
    """Values of hostile pieces as components of one field each, in several delimiters and character sets."""
    source = random.Random(20_261_122)
    messages = profile.size(VALUES, 2000) // PER_MESSAGE
    wrong = sum(not _survives(source) for _ in range(messages))
    return Figure(f"{messages * PER_MESSAGE:,} values, {wrong} messages unlike what was meant", not wrong)


def _survives(source: random.Random) -> bool:
    values = ["".join(source.choices(PIECES, k=source.randrange(1, 12))) for _ in range(PER_MESSAGE)]
    marks, codec = source.choice(MARKS), source.choice(CODECS)
    pairs = list(zip(values[::2], values[1::2], strict=True))
    header = {3: "HEARTH", 9: ("ORU", "R01"), 10: "1"}
    raw = build([("MSH", header), *(("OBX", {3: pair, 5: [pair[1], pair[0]]}) for pair in pairs)], marks, codec)
    message = parse(raw, codec)
    return [segment.name for segment in message.segments] == ["MSH", *("OBX" for _ in pairs)] and all(
        (obx.text(3, 1), obx.text(3, 2)) == pair and [value.whole for value in obx.all(5)] == [pair[1], pair[0]]
        for obx, pair in zip(message.segments[1:], pairs, strict=True)
    )


BARS = (Bar("hl7: hostile values inject nothing", "100,000 values, none becomes structure or is lost", _values),)
