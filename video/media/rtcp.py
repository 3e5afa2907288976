"""RTCP as bytes: what participants report and ask for, and what they are told.

RFC 3550 section 6 (SR, RR, SDES), RFC 4585 section 6 (NACK, PLI), RFC 5104 section 4.3.1 (FIR),
draft-alvestrand-rmcat-remb-03 (REMB), RFC 5506 (reduced size).
"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import NamedTuple

from video.media.rtp import Malformed

SR, RR, SDES, BYE, RTPFB, PSFB = 200, 201, 202, 203, 205, 206
_HEAD = Struct("!BBH")
_SENDER = Struct("!IQIII")
_BLOCK = Struct("!IIIIII")
_TWO = Struct("!II")
_PAIR = Struct("!HH")
MOST = 64
"""Packets of one compound that are looked at, and lost numbers of one NACK that are heard."""


class Block(NamedTuple):
    """A report about what was received of ``ssrc``; ``fraction`` in 256ths, ``delay`` since ``last`` in 65536ths s."""

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    last: int
    delay: int


class SenderReport(NamedTuple):
    """Of a publisher: at ``ntp`` (64 bit) its clock of media was ``timestamp``."""

    ssrc: int
    ntp: int
    timestamp: int


class Nack(NamedTuple):
    """``sequences`` of ``ssrc`` did not come."""

    ssrc: int
    sequences: tuple[int, ...]


class PictureLoss(NamedTuple):
    """PLI or FIR: a key frame of ``ssrc`` is asked for."""

    ssrc: int


class Remb(NamedTuple):
    """Its sender can take ``bitrate`` (bit/s) altogether."""

    bitrate: int


class Bye(NamedTuple):
    """``ssrc`` sends no more."""

    ssrc: int


Said = Block | SenderReport | Nack | PictureLoss | Remb | Bye


def parse(compound: bytes) -> list[Said]:
    """What is said in a decrypted (compound) packet; kinds that are not known are passed over. Raises Malformed."""
    said: list[Said] = []
    for kind, count, body in _packets(compound):
        read = _READ.get(kind)
        if read is not None:
            said.extend(read(count, body))
    return said


def _packets(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    at, seen = 0, 0
    while at < len(compound) and seen < MOST:
        if len(compound) < at + 4:
            raise Malformed("RTCP header")
        flags, kind, words = _HEAD.unpack_from(compound, at)
        end = at + 4 + 4 * words
        if flags >> 6 != 2 or end > len(compound):
            raise Malformed("RTCP length")
        body = compound[at + 4 : end]
        if flags & 0x20:
            if not body or not 0 < body[-1] <= len(body):
                raise Malformed("RTCP padding")
            body = body[: -body[-1]]
        yield kind, flags & 31, body
        at, seen = end, seen + 1


def _blocks(body: bytes, at: int, count: int) -> Iterator[Block]:
    if len(body) < at + 24 * count:
        raise Malformed("report block")
    for number in range(count):
        ssrc, loss, highest, jitter, last, delay = _BLOCK.unpack_from(body, at + 24 * number)
        yield Block(ssrc, loss >> 24, loss & 0xFFFFFF, highest, jitter, last, delay)


def _sender(count: int, body: bytes) -> Iterator[Said]:
    if len(body) < _SENDER.size:
        raise Malformed("sender report")
    ssrc, ntp, timestamp, _, _ = _SENDER.unpack_from(body)
    yield SenderReport(ssrc, ntp, timestamp)
    yield from _blocks(body, _SENDER.size, count)


def _receiver(count: int, body: bytes) -> Iterator[Said]:
    if len(body) < 4:
        raise Malformed("receiver report")
    yield from _blocks(body, 4, count)


def _bye(count: int, body: bytes) -> Iterator[Said]:
    if len(body) < 4 * count:
        raise Malformed("BYE")
    for number in range(count):
        yield Bye(int.from_bytes(body[4 * number : 4 * number + 4], "big"))


def _transport(format: int, body: bytes) -> Iterator[Said]:
    if len(body) < 8:
        raise Malformed("feedback")
    if format == 1:
        yield Nack(_TWO.unpack_from(body)[1], tuple(_lost(body[8:])))


def _lost(body: bytes) -> Iterator[int]:
    if len(body) % 4:
        raise Malformed("NACK")
    for at in range(0, min(len(body), 4 * MOST), 4):
        first, more = _PAIR.unpack_from(body, at)
        yield first
        for bit in range(16):
            if more >> bit & 1:
                yield first + bit + 1 & 0xFFFF


def _picture(format: int, body: bytes) -> Iterator[Said]:
    if len(body) < 8:
        raise Malformed("feedback")
    if format == 1:
        yield PictureLoss(_TWO.unpack_from(body)[1])
    elif format == 4:
        for at in range(8, len(body) - 7, 8):
            yield PictureLoss(_TWO.unpack_from(body, at)[0])
    elif format == 15 and body[8:12] == b"REMB" and len(body) >= 16:
        yield Remb((int.from_bytes(body[13:16], "big") & 0x3FFFF) << (body[13] >> 2))


_READ = {SR: _sender, RR: _receiver, BYE: _bye, RTPFB: _transport, PSFB: _picture}


def _packed(kind: int, count: int, body: bytes) -> bytes:
    return _HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def receiver_report(own: int, blocks: Iterable[Block]) -> bytes:
    """At most 31 blocks."""
    body = [
        _BLOCK.pack(ssrc, fraction << 24 | lost, highest, jitter, last, delay)
        for ssrc, fraction, lost, highest, jitter, last, delay in blocks
    ]
    return _packed(RR, len(body), own.to_bytes(4, "big") + b"".join(body))


def sender_report(ssrc: int, ntp: int, timestamp: int, packets: int, octets: int, cname: bytes) -> bytes:
    """A sender report and the name that ties a slot's sound to its picture (SDES CNAME, at most 255 bytes)."""
    report = _SENDER.pack(ssrc, ntp, timestamp, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    chunk = ssrc.to_bytes(4, "big") + b"\1" + bytes([len(cname)]) + cname
    return _packed(SR, 0, report) + _packed(SDES, 1, chunk + bytes(4 - len(chunk) % 4))


def nack(own: int, ssrc: int, sequences: Iterable[int]) -> bytes:
    """``sequences`` in rising order (modulo 2**16)."""
    pairs: list[list[int]] = []
    for number in sequences:
        ahead = number - pairs[-1][0] & 0xFFFF if pairs else 0
        if pairs and 1 <= ahead <= 16:
            pairs[-1][1] |= 1 << ahead - 1
        else:
            pairs.append([number, 0])
    return _packed(RTPFB, 1, _TWO.pack(own, ssrc) + b"".join(_PAIR.pack(*pair) for pair in pairs))


def picture_loss(own: int, ssrc: int) -> bytes:
    return _packed(PSFB, 1, _TWO.pack(own, ssrc))


def remb(own: int, bitrate: int, ssrcs: list[int]) -> bytes:
    """At most 255 of ``ssrcs``; ``bitrate`` in bit/s."""
    exponent = max(0, bitrate.bit_length() - 18)
    head = _TWO.pack(own, 0) + b"REMB" + bytes([len(ssrcs)])
    rate = (exponent << 18 | bitrate >> exponent).to_bytes(3, "big")
    return _packed(PSFB, 15, head + rate + b"".join(ssrc.to_bytes(4, "big") for ssrc in ssrcs))
