"""What a sender's messages look like, learned from samples: a profile to start its file from, and drift against it.

HL7 v2.5.1 section 2.B (conformance profiles). Codes are listed of coded fields only: a profile holds no patient.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from hl7_bridge.er7 import Message, Segment, Value

CODED: Mapping[str, tuple[int, ...]] = {
    "AL1": (2, 3, 4),
    "DG1": (3, 6),
    "IN1": (2, 17),
    "NK1": (3,),
    "OBR": (4, 24, 25),
    "OBX": (3, 6, 8, 11),
    "ORC": (1, 5),
    "PID": (8, 10, 16, 17),
    "PR1": (3,),
    "PV1": (2, 4, 10, 14, 18, 36),
    "RXA": (5, 7, 20),
    "RXD": (2, 5),
    "RXE": (2, 5, 6),
    "RXG": (4, 6),
    "RXO": (1, 4, 5),
    "RXR": (1, 2),
    "SCH": (6, 7, 8, 25),
    "SPM": (4, 8),
    "TXA": (2, 17),
}
"""Fields whose codes a site must map, none of which can name a person."""

NONE = "(none)"
"""What is not said."""
_MOST_CODES = 200
"""Codes of one field that are listed."""
_USUAL = 0.95
"""Share from which the absence of a field is worth a word."""


class Profile(msgspec.Struct):
    """What ``messages`` of one sender have: counts by what was met. Shares are of the segments of that name."""

    messages: int = 0
    types: dict[str, int] = {}
    versions: dict[str, int] = {}
    charsets: dict[str, int] = {}
    applications: dict[str, int] = {}
    facilities: dict[str, int] = {}
    processing_ids: dict[str, int] = {}
    patient_authorities: dict[str, int] = {}
    """PID-3.4 as sent; ``(none)`` counts bare ids."""
    identifier_types: dict[str, dict[str, int]] = {}
    """PID-3.5 to the authorities (PID-3.4) that assign such identifiers; ``(none)`` for what is not said."""
    segments: dict[str, int] = {}
    local_segments: dict[str, int] = {}
    """Those whose name begins with Z."""
    fields: dict[str, float] = {}
    """``PID-5`` to the share of PID that have it."""
    codes: dict[str, dict[str, int]] = {}
    """``OBX-3`` to its codes, as ``code^text^system``, and how often."""


def profile(messages: Iterable[Message]) -> Profile:
    """The profile of ``messages``."""
    learned = _Learned()
    for message in messages:
        learned.message(message)
    return learned.profile()


class _Learned:
    """Counters while messages pass."""

    def __init__(self) -> None:
        self.count = 0
        self.headers: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.segments: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.codes: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.identifiers: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def message(self, message: Message) -> None:
        self.count += 1
        for name, value in _header(message):
            self.headers[name][value] += 1
        for pid in message.all("PID"):
            for number in pid.all(3):
                self.identifiers[number.text(5) or NONE][_authority(number)] += 1
        for segment in message.segments:
            self.segment(segment)

    def segment(self, segment: Segment) -> None:
        self.segments[segment.name] += 1
        for number in segment.populated():
            self.fields[f"{segment.name}-{number}"] += 1
        for number in CODED.get(segment.name, ()):
            for value in segment.all(number):
                self.codes[f"{segment.name}-{number}"]["^".join(value.text(n) for n in (1, 2, 3)).rstrip("^")] += 1

    def profile(self) -> Profile:
        headers = {name: dict(counts.most_common()) for name, counts in self.headers.items()}
        return Profile(
            messages=self.count,
            **headers,  # named as the fields of Profile, see _header
            identifier_types={kind: dict(counts.most_common()) for kind, counts in sorted(self.identifiers.items())},
            segments=dict(sorted(self.segments.items())),
            local_segments={name: n for name, n in sorted(self.segments.items()) if name.startswith("Z")},
            fields={
                place: round(n / self.segments[place[:3]], 3) for place, n in sorted(self.fields.items(), key=_order)
            },
            codes={place: dict(counts.most_common(_MOST_CODES)) for place, counts in sorted(self.codes.items())},
        )


def _header(message: Message) -> Iterator[tuple[str, str]]:
    yield "types", "^".join(filter(None, (message.type, message.event)))
    yield "versions", message.version
    yield "charsets", message.msh.text(18)
    yield "applications", message.msh.text(3)
    yield "facilities", message.msh.text(4)
    yield "processing_ids", message.msh.text(11)
    for pid in message.all("PID"):
        for value in pid.all(3):
            yield "patient_authorities", _authority(value)


def _authority(value: Value) -> str:
    """CX-4 as the site kit names it: the universal id, else the name."""
    return value.part(4).text(2) or value.text(4) or NONE


def _order(item: tuple[str, int]) -> tuple[str, int]:
    name, _, number = item[0].partition("-")
    return name, int(number)


def drift(known: Profile, seen: Profile) -> list[str]:
    """What ``seen`` has that ``known`` had not, or lacks that it nearly always had: sentences for the engineer."""
    return [*_new(known, seen), *_gone(known, seen)]


def _new(known: Profile, seen: Profile) -> Iterator[str]:
    for name in ("types", "versions", "charsets", "patient_authorities", "local_segments", "fields"):
        for value in getattr(seen, name):
            if value not in getattr(known, name):
                yield f"{name}: {value or '(empty)'} is new"
    for place, codes in seen.codes.items():
        for code in codes:
            if code not in known.codes.get(place, {}) and len(known.codes.get(place, {})) < _MOST_CODES:
                yield f"{place}: the code {code} is new"


def _gone(known: Profile, seen: Profile) -> Iterator[str]:
    for place, share in known.fields.items():
        has = seen.segments.get(place[:3], 0)
        if has and share >= _USUAL and seen.fields.get(place, 0.0) == 0:
            yield f"{place} was in {share:.0%} of {place[:3]} and is in none now"
