"""Frames of VP8 and Opus as a WebM file, nothing decoded; with its length and an index, so that players can jump.

RFC 9559 (Matroska), WebM container guidelines (webmproject.org/docs/container), RFC 7845 section 5.1 (OpusHead).
"""

from collections.abc import Iterable, Sequence
from struct import pack
from typing import NamedTuple

import msgspec

APP = "Hearth"
_LONGEST_CLUSTER = 5000
"""ms; blocks count from their cluster in 16 bits."""
_PREROLL = 80_000_000
"""ns of Opus before a place to which one jumps (RFC 7845 section 4.6)."""
_EPOCH = 978_307_200_000
"""2001-01-01 UTC in ms since 1970, from which DateUTC counts."""


class Track(msgspec.Struct, frozen=True):
    """What one participant sent from one source. ``codec`` is vp8 or opus."""

    member: str
    source: str
    codec: str


class Frame(msgspec.Struct, frozen=True):
    """One encoded picture, or 2.5 to 120 ms of sound, of ``track`` at ``at`` ms since the recording began."""

    track: Track
    at: int
    key: bool
    data: bytes


class _Cue(NamedTuple):
    at: int
    track: int
    place: int


def webm(frames: Sequence[Frame], names: dict[str, str], began: int) -> bytes:
    """The file; ``frames`` in order of time, not empty; ``names`` of members for the titles of tracks; ``began`` is
    when the recording did (ms since 1970 UTC)."""
    first = frames[0].at
    numbers = {track: number for number, track in enumerate(dict.fromkeys(frame.track for frame in frames), 1)}
    sizes = {frame.track: _size(frame.data) for frame in reversed(frames) if frame.key and frame.track.codec == "vp8"}
    info = _info(frames[-1].at - first + _last(frames), began + first)
    tracks = _element("1654AE6B", *(_track(n, t, names, sizes.get(t, (0, 0))) for t, n in numbers.items()))
    return _file(info, tracks, list(_clusters(frames, numbers, first)))


def _last(frames: Sequence[Frame]) -> int:
    """ms that the last frame lasts, as far as one knows."""
    return 20 if frames[-1].track.codec == "opus" else 33


def _file(info: bytes, tracks: bytes, clusters: "list[tuple[_Cue, bytes]]") -> bytes:
    head = _element(
        "1A45DFA3",
        *(_number(id, value) for id, value in (("4286", 1), ("42F7", 1), ("42F2", 4), ("42F3", 8))),
        _text("4282", "webm"), _number("4287", 4), _number("4285", 2),
    )  # fmt: skip
    seek = _seek(0, 0, 0)
    place = len(seek) + len(info) + len(tracks)
    cues = []
    for cue, cluster in clusters:
        cues.append(_cue(cue._replace(place=place)))
        place += len(cluster)
    seek = _seek(len(seek), len(seek) + len(info), place)
    body = [seek, info, tracks, *(cluster for _, cluster in clusters), _element("1C53BB6B", *cues)]
    return head + _element("18538067", *body)


def _seek(info: int, tracks: int, cues: int) -> bytes:
    """Where the parts are; of the same length whatever the numbers."""
    places = (("1549A966", info), ("1654AE6B", tracks), ("1C53BB6B", cues))
    return _element(
        "114D9B74",
        *(_element("4DBB", _raw("53AB", bytes.fromhex(id)), _raw("53AC", pack(">Q", at))) for id, at in places),
    )


def _info(length: int, at: int) -> bytes:
    return _element(
        "1549A966",
        _number("2AD7B1", 1_000_000),
        _raw("4489", pack(">d", length)),
        _raw("4461", pack(">q", (at - _EPOCH) * 1_000_000)),
        _text("4D80", APP),
        _text("5741", APP),
    )


def _track(number: int, track: Track, names: dict[str, str], size: tuple[int, int]) -> bytes:
    title = " ".join(filter(None, (names.get(track.member, ""), track.source)))
    video = track.codec == "vp8"
    common = [_number("D7", number), _number("73C5", number), _number("83", 1 if video else 2), _number("9C", 0)]
    common += [_text("536E", title), _text("22B59C", "und")]
    if video:
        picture = _element("E0", _number("B0", size[0]), _number("BA", size[1]))
        return _element("AE", *common, _text("86", "V_VP8"), picture)
    sound = _element("E1", _raw("B5", pack(">d", 48000)), _number("9F", 2))
    head = b"OpusHead" + pack("<BBHIHB", 1, 2, 0, 48000, 0, 0)
    return _element("AE", *common, _text("86", "A_OPUS"), _raw("63A2", head), _number("56BB", _PREROLL), sound)


def _clusters(frames: Iterable[Frame], numbers: dict[Track, int], first: int) -> "Iterable[tuple[_Cue, bytes]]":
    """A cluster begins with a key frame of the first picture, or after some seconds."""
    lead = next((track for track in numbers if track.codec == "vp8"), None)
    cue, blocks = _Cue(0, 0, 0), list[bytes]()
    for frame in frames:
        at, number = frame.at - first, numbers[frame.track]
        if blocks and (at - cue.at >= _LONGEST_CLUSTER or (frame.key and frame.track == lead)):
            yield cue, _cluster(cue.at, blocks)
            blocks = []
        if not blocks:
            cue = _Cue(at, number, 0)
        flags = b"\x80" if frame.key else b"\0"
        blocks.append(_raw("A3", _vint(number) + pack(">h", max(0, at - cue.at)) + flags + frame.data))
    if blocks:
        yield cue, _cluster(cue.at, blocks)


def _cluster(at: int, blocks: list[bytes]) -> bytes:
    return _element("1F43B675", _number("E7", at), *blocks)


def _cue(cue: _Cue) -> bytes:
    place = _element("B7", _number("F7", cue.track), _number("F1", cue.place))
    return _element("BB", _number("B3", cue.at), place)


def _size(data: bytes) -> tuple[int, int]:
    """Width and height of a VP8 key frame (RFC 6386 section 9.1)."""
    if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
        return 0, 0
    width, height = data[6:8], data[8:10]
    return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF


def _element(id: str, *parts: bytes) -> bytes:
    return _raw(id, b"".join(parts))


def _raw(id: str, body: bytes) -> bytes:
    return bytes.fromhex(id) + _vint(len(body)) + body


def _number(id: str, value: int) -> bytes:
    return _raw(id, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _text(id: str, value: str) -> bytes:
    return _raw(id, value.encode())


def _vint(value: int) -> bytes:
    """A number with its own length in front (RFC 8794 section 4); all ones is kept for what nobody knows."""
    length = 1
    while value >= (1 << 7 * length) - 1:
        length += 1
    return (value | 1 << 7 * length).to_bytes(length, "big")
