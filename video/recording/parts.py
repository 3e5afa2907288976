"""A recording as WebM files that each play by themselves, none larger than a Binary should be.

Ours; docs/adr/video-recording.md. A part begins with a key frame of the picture that comes first; the other pictures
of it begin with theirs.
"""

from collections.abc import Iterable, Iterator

import msgspec

from video.recording.webm import Frame, Track, webm

LARGEST = 24 * 1024 * 1024
"""Bytes after which the next key frame begins another part."""
_SLACK = 2 * LARGEST
"""Bytes after which a part ends in any case."""


class Part(msgspec.Struct, frozen=True):
    """``begin`` and ``end`` in ms since the recording began; ``seen`` and ``heard``: members whose picture or sound is
    in it."""

    begin: int
    end: int
    content: bytes
    seen: frozenset[str]
    heard: frozenset[str]


def parts(frames: Iterable[Frame], names: dict[str, str], began: int, largest: int = LARGEST) -> Iterator[Part]:
    """In order; none for a recording in which nothing is whole. ``began`` in ms since 1970 UTC."""
    kept, size, started = list[Frame](), 0, set[Track]()
    for frame in frames:
        video = frame.track.codec == "vp8"
        if size > largest and ((video and frame.key) or size > max(_SLACK, 2 * largest)):
            yield _part(kept, names, began)
            kept, size, started = [], 0, set()
        if video and frame.track not in started and not frame.key:
            continue
        started.add(frame.track)
        kept.append(frame)
        size += len(frame.data)
    if kept:
        yield _part(kept, names, began)


def _part(frames: list[Frame], names: dict[str, str], began: int) -> Part:
    frames.sort(key=lambda frame: frame.at)
    shown = {codec: frozenset(f.track.member for f in frames if f.track.codec == codec) for codec in ("vp8", "opus")}
    content = webm(frames, names, began)
    return Part(frames[0].at, frames[-1].at, content, shown["vp8"], shown["opus"])
